"""Quick actions: what is owed to each, how they are addressed, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orange.core.model import Outcome, Presence
from orange.core.problems import InvalidInput
from orange.core.quick import QuickRun, Seen, State, Step, ended, find, owed, prompt_text, task_body, view

AT = "2026-11-20T12:00:00Z"
ASKED = QuickRun("a2b3c4d5", "Say hello\n\nTwice.", "claude", "main", AT, "ada")
RUNNING = replace(ASKED, status=State.RUNNING, workspace="/w", branch="orange/quick-a2b3c4d5", start="c0")
THERE, GONE, UNKNOWN = Presence.THERE, Presence.GONE, Presence.UNKNOWN


@pytest.mark.parametrize(
    ("quick", "seen", "wanted"),
    [
        (ASKED, Seen(False, False, GONE), Step.BEGIN),
        (ASKED, Seen(False, False, UNKNOWN), Step.BEGIN),
        (RUNNING, Seen(False, False, THERE), None),
        (RUNNING, Seen(False, False, UNKNOWN, 9), None),
        (RUNNING, Seen(False, False, GONE, 1), Step.BEGIN),
        (RUNNING, Seen(True, False, THERE), None),
        (RUNNING, Seen(True, False, GONE, 1), None),
        (RUNNING, Seen(True, False, GONE, 2), Step.CLOSE),
        (RUNNING, Seen(True, False, UNKNOWN, 2), None),
        (RUNNING, Seen(True, True, THERE), Step.FINISH),
        (RUNNING, Seen(False, True, UNKNOWN), Step.FINISH),
    ],
)
def test_what_is_owed_follows_from_what_was_seen(quick: QuickRun, seen: Seen, wanted: Step | None) -> None:
    """A run counts as dead after two looks; nothing follows from what could not be told."""
    assert owed(quick, seen) is wanted


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_the_workspace_of_one_that_is_over_is_returned_when_its_session_is_gone(state: State) -> None:
    """And then nothing is owed any more."""
    over = replace(RUNNING, status=state)
    assert owed(over, Seen(True, True, GONE)) is Step.RETURN
    assert owed(over, Seen(True, True, THERE)) is None
    assert owed(over, Seen(True, True, UNKNOWN)) is None
    assert owed(replace(over, workspace=None), Seen(True, True, GONE)) is None


@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_only_one_that_finished_is_completed(outcome: Outcome | None) -> None:
    """Every other outcome is a failure with its name and a sentence."""
    over = ended(RUNNING, outcome, "it said why", AT)
    done = outcome is Outcome.FINISHED
    assert (over.status, over.error) == ((State.COMPLETED, None) if done else (State.FAILED, "it said why"))
    assert (over.outcome, over.finished_at) == (outcome, AT)


@pytest.mark.parametrize(
    ("prompt", "title"),
    [("Say hello\n\nTwice.", "Say hello"), ("\n  \n  late ", "late"), ("x" * 80, "x" * 80), ("x" * 81, "x" * 79 + "…")],
)
def test_its_title_is_the_first_line_of_its_prompt(prompt: str, title: str) -> None:
    """Eighty characters at most."""
    assert replace(ASKED, prompt=prompt).title == title


def test_it_is_found_by_its_id_or_a_beginning_that_no_other_has() -> None:
    """What is none, or several, is refused, naming them."""
    other = replace(ASKED, id="a2b3ffff")
    assert find("a2b3c", [ASKED, other]) is ASKED
    assert find("a2b3ffff", [ASKED, other]) is other
    for wrong, said in (("a2b3", "a2b3c4d5, a2b3ffff"), ("a2", "is none"), ("zzzz", "is none")):
        with pytest.raises(InvalidInput, match=said):
            find(wrong, [ASKED, other])


def test_its_texts_hold_the_prompt_whole() -> None:
    """The agent's, and that of the task it may become."""
    assert prompt_text(ASKED).startswith("Say hello\n\nTwice.\n")
    assert "Say hello\n\nTwice.\n" in task_body(ASKED)
    assert "branch" not in task_body(ASKED)
    assert "on the task's branch" in task_body(replace(ASKED, rescue="refs/orange/rescue/a2b3c4d5/1"))
    assert view(ASKED, "/log") == view(ASKED, None) | {"logs_ref": "/log"}
