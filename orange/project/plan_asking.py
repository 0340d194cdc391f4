"""Lets an agent read a document: each question is a run that the command waits for, in a checkout thrown away after.

The agent gets no task, no branch and no claim, and where its program can, no means to change anything; its answer is
read with care. Nothing is written but the runs' records until there is a whole plan. A daemon is not needed.

Next in the flow: `planning` keeps the plan.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from orange.core import budgets, names, times
from orange.core.agents import Resume
from orange.core.graph import Graph
from orange.core.model import Outcome
from orange.core.plaintext import SecretRefused
from orange.core.plans import asking
from orange.core.plans.asking import AnswerRefused, Question
from orange.core.plans.model import Parameters, Plan
from orange.core.ports import RunRecord, RunSpec
from orange.core.problems import AgentUnusable, NotAllowed, OrangeError
from orange.core.redact import SHAPES
from orange.core.settings import AgentSettings
from orange.core.usage import PLANS
from orange.project import planning, spending
from orange.project.launch import surroundings
from orange.project.parts import Parts
from orange.project.planning import Drafted, Spent

#: Seconds between two signs of life.
PULSE = 30.0

#: Told what goes on, a line each.
Tell = Callable[[str], None]


class AgentFailed(OrangeError):
    """An agent that was asked about a document and came to no answer; says why and where its log is."""

    code = "agent_failed"
    http_status = 502


def draft(parts: Parts, text: str, source: str, asked: Parameters, tell: Tell) -> Drafted:
    """Let the agent that `asked` names make a plan of a document, or bring its own up to date.

    Raises InvalidInput, NotAllowed, SecretRefused, AgentUnusable, AgentFailed, AnswerRefused, WorkspaceFailed.
    """
    planning.check_text(text, source)
    line = SHAPES.line_of_first(text.encode("utf-8", "surrogatepass"))
    if line is not None:
        raise SecretRefused(source, line)
    old = planning.plan_of(parts, source)
    if old is not None and planning.is_of(old, text, asked):
        return Drafted(old, planning.path_of(old), ())
    _check_may_ask(parts, str(asked.agent))
    questions = asking.questions(text, source, asked, old.tasks if old else ())
    name = f"{PLANS}{names.new_id(parts.random(32))}"
    with parts.foreground.alone(source), _checkout(parts, source, name) as folder:
        asker = _Asker(parts, name, source, folder, str(asked.agent), tell)
        plan = asker.through(questions)
        return replace(planning.keep(parts, plan), spent=asker.spent)


def _check_may_ask(parts: Parts, agent: str) -> None:
    """Refuse where the agent cannot run here, or this day's budget is used up. Raises AgentUnusable, NotAllowed."""
    if agent not in parts.capabilities():
        raise AgentUnusable(f"the agent {agent!r} cannot be used here: `orange agents` says which can, and why not")
    settings = parts.settings()
    over = budgets.day_overrun(settings, spending.spent_today(parts, Graph(parts.store.read()), settings))
    if over:
        raise NotAllowed(over)


@contextlib.contextmanager
def _checkout(parts: Parts, source: str, name: str) -> Iterator[str]:
    """Make a folder with the code as it is; it is thrown away afterwards, whatever was done to it."""
    commit = parts.integration.start_point(_base(parts))
    folder = parts.workspaces.check_out(f"the plan of {source}", commit, name)
    try:
        yield folder
    finally:
        with contextlib.suppress(OrangeError):  # the next one of this document throws it away
            parts.workspaces.discard(folder)


def _base(parts: Parts) -> str:
    return parts.settings().base or parts.integration.default_base()


def _why(record: RunRecord | None) -> str:
    if record is None or not record.message:
        return "it left no record"
    until = record.conversation.limited_until if record.outcome is Outcome.RATE_LIMITED else None
    return record.message if until is None else f"{record.message}, until {times.stamp(until)}"


@dataclass(slots=True)
class _Asker:
    """Puts questions to an agent, one run each."""

    parts: Parts
    #: What the names of its runs begin with.
    name: str
    source: str
    folder: str
    agent: str
    tell: Tell
    #: Those that were answered.
    runs: list[RunRecord] = field(default_factory=list)

    def through(self, questions: Generator[Question, str, Plan]) -> Plan:
        """Put all questions. Raises AgentFailed, AnswerRefused, InvalidInput."""
        try:
            question = next(questions)
            while True:
                question = questions.send(self.ask(question))
        except StopIteration as found:
            plan: Plan = found.value
            return plan
        except AnswerRefused as refused:
            raise refused.with_evidence(self.parts.runs.folder(self.runs[-1].spec.run)) from None

    def ask(self, question: Question) -> str:
        """Put one question and return what the agent said. Raises AgentFailed."""
        spec = self._spec(question)
        self.parts.runs.prepare(spec)
        self.tell(f"{self.agent} is asked about {question.what}")
        self.parts.foreground.run(spec.run, self._pulse())
        record = self.parts.runs.record(spec.run)
        if record is not None and record.outcome is None:
            self.parts.runs.close(spec.run, Outcome.CRASHED, "its supervisor ended without a result", None)
            record = self.parts.runs.record(spec.run)
        if record is None or record.outcome is not Outcome.FINISHED:
            raise AgentFailed(
                f"{self.agent} came to no answer: {_why(record)} (see {self.parts.runs.folder(spec.run)})"
            )
        self.runs.append(record)
        return self.parts.runs.said(spec.run)

    def _pulse(self) -> Callable[[], None]:
        clock = self.parts.clock
        begun = told = clock.monotonic()

        def beat() -> None:
            nonlocal told
            if clock.monotonic() - told >= PULSE:
                told = clock.monotonic()
                self.tell(f"{self.agent} has been at it for {told - begun:.0f} s")

        return beat

    @property
    def spent(self) -> Spent:
        """What the answers have cost."""
        told = [run.conversation for run in self.runs]
        costs = [one.cost_usd for one in told if one.cost_usd is not None]
        tokens = sum(one.tokens.input + one.tokens.output for one in told if one.tokens is not None)
        return Spent(self.agent, tuple(run.spec.run for run in self.runs), tokens, sum(costs) if costs else None)

    def _spec(self, question: Question) -> RunSpec:
        settings = self.parts.settings()
        own = self.agent == settings.agent
        before = self.runs[-1].conversation if self.runs and question.followup else None
        resumed = Resume(before.session, before.conversation_tokens) if before and before.session else None
        given = settings.agents.get(self.agent, AgentSettings())
        run = f"{self.name}-{len(self.runs) + 1}"
        return RunSpec(
            run=run,
            task=self.name,
            name="plan",
            epoch=0,
            attempt=1,
            agent=self.agent,
            model=settings.model if own else None,
            effort=settings.effort if own else None,
            workspace=self.folder,
            branch=None,
            base=_base(self.parts),
            title=f"Plan {self.source}",
            prompt=question.prompt,
            task_file=f"{self.parts.runs.folder(run)}/prompt.md",
            ports=(),
            env={},
            agent_settings=replace(given, mode="headless"),
            stall=settings.limits.stall,
            limit=settings.limits.run,
            auto_commit=False,
            **surroundings(settings),
            resume=resumed,
            followup=question.followup if resumed else None,
            answers=True,
        )
