"""The daemon's agenda: what is due, what is forgotten, and that a hint ends a wait."""

from __future__ import annotations

import threading
import time

import pytest

from orange.daemon import agenda
from orange.daemon.agenda import Agenda, Look


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic time, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def quiet(clock: list[float]) -> Agenda:
    """An agenda that was asked for its first look, due again at 102."""
    made = Agenda()
    assert made.take(2.0) == Look(everything=True, nudged=True)
    return made


def test_nothing_is_due_until_the_next_poll(quiet: Agenda, clock: list[float]) -> None:
    """Then every file is, once."""
    assert quiet.take(2.0) == Look()
    clock[0] = 102.0
    assert quiet.take(2.0) == Look(everything=True)
    assert quiet.take(2.0) == Look()


def test_a_nudge_is_due_at_once_and_once(quiet: Agenda) -> None:
    """It does not make every file due."""
    quiet.nudge()
    assert quiet.take(2.0) == Look(nudged=True)
    assert quiet.take(2.0) == Look()


def test_an_edit_is_due_after_the_burst_with_what_came_meanwhile(quiet: Agenda, clock: list[float]) -> None:
    """The first event of a burst sets the time."""
    quiet.edited("/p", "tasks/a/TASK.md")
    assert quiet.take(2.0) == Look()
    clock[0] += agenda.BURST / 2
    quiet.edited("/p", "tasks/b/TASK.md")
    quiet.edited("/q", "tasks/c/TASK.md")
    clock[0] += agenda.BURST / 2
    edited = {"/p": {"tasks/a/TASK.md", "tasks/b/TASK.md"}, "/q": {"tasks/c/TASK.md"}}
    assert quiet.take(2.0) == Look(edited=edited)
    assert quiet.take(2.0) == Look()


def test_an_event_that_names_no_file_makes_all_of_them_due(quiet: Agenda, clock: list[float]) -> None:
    """Which includes those that were named."""
    quiet.edited("/p", "tasks/a/TASK.md")
    quiet.edited("/p", None)
    clock[0] += agenda.BURST
    assert quiet.take(2.0) == Look(everything=True)
    assert quiet.take(2.0) == Look()


def test_a_look_at_everything_can_be_asked_for(quiet: Agenda) -> None:
    """Without waiting for the poll."""
    quiet.look_again()
    assert quiet.take(2.0) == Look(everything=True)


def test_a_hint_ends_a_wait() -> None:
    """A nudge from another thread, long before the wait is over."""
    made = Agenda()
    made.take(60.0)
    waiting = threading.Thread(target=made.wait, args=(60.0, 0.0))
    waiting.start()
    made.nudge()
    waiting.join(30.0)
    assert not waiting.is_alive()
