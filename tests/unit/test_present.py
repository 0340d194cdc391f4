"""The JSON task object, and text made safe for a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Claim, Priority, Stuck, Task
from orange.core.present import task_view, visible, visible_line

NOON = "2026-11-20T12:00:00Z"


@dataclass(frozen=True)
class Slot:
    """Something waited for."""

    code: str = "slot"
    message: str = "no slot is free"
    since: str | None = NOON
    evidence: object = ("a", "b")
    remedy: str | None = None


def test_the_task_object_has_every_key_of_the_file() -> None:
    """Every key of the format, derived parts, unknown keys; lists never null, and all of it JSON."""
    task = Task(
        "k3f9x2ab", "T", "t", Status.STUCK, path="tasks/t-k3f9x2ab/TASK.md", priority=Priority.HIGH, labels=("a",),
        claim=Claim(None, 2, None, None, None), stuck=Stuck(StuckReason.MANUAL, "m", None, NOON),
        job={"steps": [1, {"a": None}]}, extra={"points": "5", "state": "mine"},
    )  # fmt: skip
    view = task_view(task, ready=False, progress={"done": 2, "total": 3}, waiting=[Slot()], project="p", body="\nx\n")
    assert json.loads(json.dumps(view)) == view
    assert {part.name for part in fields(Task)} - {"extra"} <= view.keys()
    assert view | {
        "id": "k3f9x2ab", "status": "stuck", "priority": "high", "labels": ["a"], "blocked_by": [], "ports": [],
        "state": "blocked", "ready": False, "project": "p", "body": "\nx\n", "path": task.path, "points": "5",
        "progress": {"done": 2, "total": 3}, "parent": None, "merged": None, "job": {"steps": [1, {"a": None}]},
        "claim": {"run": None, "epoch": 2, "nonce": None, "host": None, "at": None},
        "stuck": {"reason": "manual", "message": "m", "evidence": None, "since": NOON},
        "waiting": [asdict(Slot()) | {"evidence": ["a", "b"]}],
    } == view  # fmt: skip


@pytest.mark.parametrize("status", Status)
def test_the_state_is_the_boards_column(status: Status) -> None:
    """`ready` is shown only where a pending task is ready; a body only where it is asked for."""
    view = task_view(Task("k3f9x2ab", "T", "t", status), ready=True, progress=(0, 1), waiting=(), project="p")
    assert (view["state"] == "ready") is (status is Status.PENDING)
    assert "body" not in view
    assert view["progress"] == {"done": 0, "total": 1}
    assert view["waiting"] == []


@pytest.mark.parametrize(
    ("text", "shown", "line"),
    [
        ("plain – ä 漢 🍊", "plain – ä 漢 🍊", "plain – ä 漢 🍊"),
        ("a\tb\r\nc\n", "a\tb\nc\n", r"a\tb\nc\n"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\x00\x7f\x9b", r"a\x0db\x00\x7f\x9b", r"a\x0db\x00\x7f\x9b"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\U000e0041", r"\U000e0041", r"\U000e0041"),
        ("\udc80\u2028", r"\udc80\u2028", r"\udc80\u2028"),
        ("e\u0301 \u00a0 \u200d", "e\u0301 \u00a0 \u200d", "e\u0301 \u00a0 \u200d"),
    ],
)
def test_visible(text: str, shown: str, line: str) -> None:
    """What a terminal would obey or hide is shown as an escape; ordinary text stays as it is."""
    assert visible(text) == shown
    assert visible_line(text) == line


@given(st.text(st.characters(codec=None)))
def test_nothing_shown_is_obeyed(text: str) -> None:
    """Whatever the text, what is shown can be printed, holds no control but tab and newline, and stays so."""
    shown = visible(text)
    shown.encode()
    assert all(c in "\t\n" or (c >= " " and not "\x7f" <= c <= "\x9f") for c in shown)
    assert visible(shown) == shown
    assert "\n" not in visible_line(text)
