"""Asks the person at the daemon's terminal before each start (`orange daemon run --interactive`).

One question is open at a time, and stays so until it is answered: what is typed is never taken for the answer to
another one. An answer holds for this very start; the next attempt is asked for anew.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from orange.core.present import visible_line

if TYPE_CHECKING:
    from orange.core.model import Task
    from orange.wiring.serving import Served

#: What may be answered.
_CHOICES = "y: yes, n: not now, a: yes to all from now on, q: stop"


@dataclass(frozen=True, slots=True)
class Question:
    """One start that is asked for."""

    root: str
    task: str
    #: The task's epoch before it.
    epoch: int


class Asker:
    """What was asked and answered in one run of the daemon."""

    def __init__(self, answered: Callable[[], None], stop: Callable[[str], None]) -> None:
        self._answered, self._stop = answered, stop
        self._open: Question | None = None
        self._agreed: set[Question] = set()
        self._declined: set[Question] = set()
        #: Whether everything was agreed to.
        self.all = False
        self._listens = False
        #: Whether something was answered that no turn has begun with.
        self._news = False

    @property
    def is_open(self) -> bool:
        """Whether an answer is waited for, or is still to have its effect."""
        return self._open is not None or self._news

    def begin_turn(self) -> None:
        """Take note that what was answered up to now is looked at."""
        self._news = False

    def agreed(self, root: str) -> Mapping[str, int]:
        """Return the starts in a project that a person agreed to: task -> the epoch before it."""
        return _of(root, tuple(self._agreed))

    def declined(self, root: str) -> Mapping[str, int]:
        """Return those that a person said no to."""
        return _of(root, tuple(self._declined))

    def look(self, projects: Mapping[str, Served]) -> None:
        """Ask for the first start that nobody was asked for, unless an answer is waited for."""
        if self.all or self._open is not None:
            return
        for root, served in projects.items():
            for task in served.reconciler.wishes:
                question = Question(root, task.id, task.epoch)
                if question not in self._agreed and question not in self._declined:
                    self._ask(question, task)
                    return

    def _ask(self, question: Question, task: Task) -> None:
        self._open = question
        again = f", attempt {task.attempts + 1}" if task.attempts else ""
        self._say(f"start {task.id} ({visible_line(task.title)}{again})? {_CHOICES}")
        if not self._listens:
            self._listens = True
            threading.Thread(target=self._listen, args=(sys.stdin,), name="answers", daemon=True).start()

    def _listen(self, lines: TextIO) -> None:
        for line in lines:
            self.answer(line.strip().lower())
        self._stop("nobody is there any more who could be asked")

    def answer(self, word: str) -> None:
        """Take an answer to the question that is open; anything else is asked again."""
        question = self._open
        if question is None:
            return
        if word in {"q", "quit"}:
            self._stop("the person who was asked ended it")
        elif word in {"y", "yes", "a", "all"}:
            self.all = self.all or word in {"a", "all"}
            self._agreed.add(question)
        elif word in {"n", "no", ""}:
            self._declined.add(question)
        else:
            self._say(f"{visible_line(word)!r} is no answer; {_CHOICES}")
            return
        self._news, self._open = True, None
        self._answered()

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _of(root: str, questions: Iterable[Question]) -> Mapping[str, int]:
    return {question.task: question.epoch for question in questions if question.root == root}
