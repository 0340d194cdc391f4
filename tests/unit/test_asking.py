"""Asking the person at the daemon's terminal: one question at a time, and each answer for its own start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orange.core.model import Task
from orange.daemon.asking import Asker
from orange.testing.worlds import a_task, released


class Terminal:
    """An asker whose thread never runs, and what became of it."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("orange.daemon.asking.threading.Thread", lambda **_: SimpleNamespace(start=lambda: None))
        self.said, self.stopped, self.woken = capsys, list[str](), 0
        self.asker = Asker(self._wake, self.stopped.append)

    def _wake(self) -> None:
        self.woken += 1

    def look(self, **projects: list[Task]) -> str:
        """Let it look at what projects wish for; returns what it said."""
        served: Any = {
            root: SimpleNamespace(reconciler=SimpleNamespace(wishes=wishes)) for root, wishes in projects.items()
        }
        self.asker.look(served)
        return self.said.readouterr().out


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A fresh one."""
    return Terminal(capsys, monkeypatch)


def test_one_question_is_open_until_it_is_answered(terminal: Terminal) -> None:
    """Whatever else is wished for meanwhile; what is no answer is said to be none."""
    first, second = a_task("a", title="One\x1b[2J"), a_task("b", claim=released(1), attempts=1)
    assert terminal.look(p=[first], q=[second]).startswith("start a (One\\x1b[2J)? y: yes")
    assert (terminal.look(q=[second]), terminal.asker.is_open) == ("", True)
    terminal.asker.answer("maybe")
    assert "'maybe' is no answer" in terminal.said.readouterr().out
    terminal.asker.answer("y")
    assert (terminal.asker.agreed("p"), terminal.asker.agreed("q"), terminal.woken) == ({"a": 0}, {}, 1)
    assert "start b (Task b, attempt 2)?" in terminal.look(p=[first], q=[second])
    terminal.asker.answer("")
    assert (terminal.asker.declined("q"), terminal.asker.is_open) == ({"b": 1}, True)
    terminal.asker.begin_turn()  # until then it has had no effect
    assert not terminal.asker.is_open
    assert terminal.look(p=[first], q=[second]) == ""


def test_a_person_may_agree_to_all_or_end_it(terminal: Terminal) -> None:
    """Then nothing is asked any more; a word that comes unasked is passed over."""
    terminal.asker.answer("y")
    terminal.look(p=[a_task("a")])
    terminal.asker.answer("q")
    assert terminal.stopped == ["the person who was asked ended it"]
    terminal.look(p=[a_task("a")])
    terminal.asker.answer("a")
    assert (terminal.asker.all, terminal.look(p=[a_task("b")])) == (True, "")
