"""Makes a plan of a document by asking an agent: which questions, in which order, and what is made of the answers.

A generator: it yields questions and is sent what the agent said, so that it can be tried with a list of answers. What
cannot be taken is asked for again, with all that is wrong, at most twice; then the document is refused. Pure.

Next in the flow: `project.plan_asking` lets an agent answer, `project.planning` keeps the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from orange.core import names
from orange.core.plans import digest, prompts
from orange.core.plans import portions as cut
from orange.core.plans.answers import Answer, BadAnswer, Rules, read
from orange.core.plans.answerschema import COMPLEX
from orange.core.plans.decompose import check_count, shown_text, with_pages
from orange.core.plans.grain import depth_of
from orange.core.plans.labels import titled
from orange.core.plans.model import Doubt, Parameters, Plan, PlanTask
from orange.core.plans.portions import Portion
from orange.core.plans.prompts import Subject
from orange.core.plans.roles import vague_word
from orange.core.present import visible_line
from orange.core.problems import InvalidInput, OrangeError

#: How often an agent is asked again for an answer that could not be taken.
ASKED_AGAIN = 2
#: Tasks that are split, at most; each is a question that costs money.
MOST_SPLITS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent is asked."""

    #: In a few words, for people.
    what: str
    #: All of it, for an agent that remembers nothing.
    prompt: str
    #: The same in the conversation of the question before; None for the first of a conversation.
    followup: str | None = None


class AnswerRefused(OrangeError):
    """An agent's answer that could not be taken, however often it was asked for."""

    code = "answer_refused"
    http_status = 422

    def __init__(self, what: str, bad: BadAnswer, evidence: str = "") -> None:
        times = f"was refused {ASKED_AGAIN + 1} times, and nothing was written"
        super().__init__(f"{what}: the agent's answer {times}: {bad}{evidence and f' (see {evidence})'}")
        self.what, self.bad = what, bad

    def with_evidence(self, folder: str) -> AnswerRefused:
        """Say where the answer can be seen."""
        return AnswerRefused(self.what, self.bad, folder)


class Foreground(Protocol):
    """Runs that are carried out for a command that waits for them, whether a daemon runs or not."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Hold a name that one command at a time may hold. Raises InvalidInput where another one does."""

    def run(self, run: str, beat: Callable[[], None]) -> None:
        """Carry out a prepared run to its end; `beat` is called every now and then. Raises SessionFailed.

        Interrupted, it ends the run before it lets that through; should this process die, the run ends too.
        """


Asked: TypeAlias = Generator[Question, str, Answer]


def questions(
    text: str, source: str, asked: Parameters, earlier: tuple[PlanTask, ...] = ()
) -> Generator[Question, str, Plan]:
    """Ask about a document; `earlier`: the tasks of the plan there is. Raises InvalidInput, AnswerRefused."""
    subject = Subject(visible_line(source), shown_text(text), asked, earlier)
    parts = _parts(subject)
    found = yield from _read(subject, parts)
    if asked.recursive:
        found = yield from _split(subject, parts, found)
    check_count(len(found.tasks), source)
    title = titled(found.title) or names.slug(source.rpartition("/")[2].partition(".")[0])
    plan = Plan(
        names.slug(title), title, source, digest.of_text(text), parameters=asked, tasks=with_pages(found.tasks, text)
    )
    doubts = (*found.doubts, *_vague(found.tasks), *_large(found, asked))
    return replace(plan, doubts=tuple(sorted(doubts, key=lambda doubt: doubt.line or 0)))


def _parts(subject: Subject) -> list[Portion]:
    most = cut.MOST * cut.LARGEST
    parts = cut.portions(subject.text) if len(subject.text) <= most else []
    if not 0 < len(parts) <= cut.MOST:
        raise InvalidInput(subject.source, f"it is too long for an agent ({most} characters at most): split it")
    return parts


def _read(subject: Subject, parts: Sequence[Portion]) -> Asked:
    """Ask about one portion after the other; each answer goes on from those before it."""
    found = Answer(())
    for number, part in enumerate(parts, 1):
        place = f"lines {part.lines[0][0]} to {part.lines[-1][0]}"
        what = subject.source if len(parts) == 1 else f"{subject.source}, portion {number} of {len(parts)} ({place})"
        rules = Rules(
            lines=subject.text.count("\n") + 1,
            levels=depth_of(subject.parameters),
            before=found.tasks,
            least=2 if len(parts) == 1 else 0,
        )
        prompt = prompts.of_portion(subject, part, place, found.tasks)
        found = _joined(found, (yield from _answered(subject, what, prompt, rules)))
    return found


def _split(subject: Subject, parts: Sequence[Portion], found: Answer) -> Asked:
    """Ask about one task after the other that is more than one, those that come of it too."""
    depth, tried = depth_of(subject.parameters), set[str]()
    while len(tried) < MOST_SPLITS:
        task = next((task for task in _complex(found, depth) if task.key not in tried), None)
        if task is None:
            break
        tried.add(task.key)
        portion = next((part for part in parts if task.lines and _holds(part, task.lines.first)), None)
        rules = Rules(subject.text.count("\n") + 1, depth, found.tasks, least=2, root=task.key)
        prompt = prompts.of_task(subject, task, portion, found.tasks)
        try:
            more = yield from _answered(subject, f"{subject.source}, the parts of {task.key}", prompt, rules)
        except AnswerRefused as refused:  # what is known is a plan without it
            more = Answer(found.tasks, doubts=(Doubt("note", f"it stays whole: {refused.bad}", task.key, _line(task)),))
        found = _joined(found, more)
    return found


def _holds(part: Portion, line: int) -> bool:
    return part.lines[0][0] <= line <= part.lines[-1][0]


def _complex(found: Answer, depth: int) -> Iterator[PlanTask]:
    """Yield the tasks without parts that are more than one, as far as there is a level left for parts of theirs."""
    parents = {task.key: task.parent for task in found.tasks}
    groups = set(parents.values())
    for task in found.tasks:
        if task.key not in groups and not task.done and found.complexity.get(task.key, 0) >= COMPLEX:
            level, at = 1, task.parent
            while at is not None:
                level, at = level + 1, parents[at]
            if level < depth:
                yield task


def _large(found: Answer, asked: Parameters) -> Iterator[Doubt]:
    """Yield a warning for every task that is still more than one."""
    cure = "split it in the plan" if asked.recursive else "split it, or let --recursive do it"
    for task in _complex(found, len(found.tasks) + 1):
        message = f"its complexity is {found.complexity[task.key]} of 10: {cure}"
        yield Doubt("large", message, task.key, _line(task))


def _answered(subject: Subject, what: str, prompt: str, rules: Rules) -> Asked:
    """Ask until an answer can be taken. Raises AnswerRefused."""
    question = Question(what, prompt)
    for left in range(ASKED_AGAIN, -1, -1):
        reply = yield question
        try:
            return read(reply, rules)
        except BadAnswer as bad:
            if not left:
                raise AnswerRefused(what, bad) from None
            following = prompts.again(subject, bad.faults)
            question = Question(f"{what}, again: {bad}", prompts.anew(prompt, reply, following), following)
    raise AssertionError("the last answer was taken or refused")


def _joined(found: Answer, more: Answer) -> Answer:
    return Answer(
        more.tasks, found.title or more.title, (*found.doubts, *more.doubts), {**found.complexity, **more.complexity}
    )


def _vague(tasks: tuple[PlanTask, ...]) -> list[Doubt]:
    groups = {task.parent for task in tasks}
    return [
        Doubt("vague", f"{word!r} says little, and nothing says when it is done: {task.title}", task.key, _line(task))
        for task in tasks
        if (word := vague_word(task.title)) and not (task.criteria or task.context or task.key in groups)
    ]


def _line(task: PlanTask) -> int | None:
    return task.lines.first if task.lines else None
