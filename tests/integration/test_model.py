"""The facade against a model of a page: whatever is asked, in whatever order, by whom and after how many restarts.

The model knows the table of transitions and its guards, edges and families; the rest is the real thing: the facade's
modules, the task store on files, its journal, and the history in git. Only what starts processes is a stand-in.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orange import wiring
from orange.adapters.candidates import FileCandidates
from orange.adapters.cleanups import FileCleanups
from orange.adapters.foreground import ChildRuns
from orange.adapters.history import open_history
from orange.adapters.notices import CommandNotices
from orange.adapters.pipelines import FilePipelines
from orange.adapters.publications import FilePublications
from orange.adapters.quick import FileQuickRuns
from orange.adapters.refusals import FileRefusals
from orange.adapters.store.files import FileStore
from orange.adapters.usage import FileUsage
from orange.core.actions import Advance, SettleRun
from orange.core.agents import Command
from orange.core.allowance import EVERYTHING
from orange.core.forecast import Forecast
from orange.core.layout import RECORDS_REF, Layout
from orange.core.lifecycle import Actor, Status
from orange.core.model import Base, BranchState, Outcome, Presence, RequestKind
from orange.core.pages.model import PageReader
from orange.core.ports import Configuration, Containers, RunRecord, RunSpec
from orange.core.problems import DependencyCycle, OrangeError, Problem
from orange.core.rules import Change
from orange.core.service.runpages import RunFolders
from orange.core.service.webhooks import Deliveries
from orange.core.settings import ReviewSettings, Settings
from orange.core.sharing import Candidate, Forge, Integrated
from orange.project import Project
from orange.project.claims import claim_run
from orange.project.requests import Edit, NewTask, Speaker
from orange.project.settling import advance_task, launch_failed, settle
from orange.testing import repos
from orange.testing.fakeexecutor import FakeExecutor
from orange.testing.fakeworkspaces import FakeWorkspaces
from tests.integration.store_place import HandClock

ADA, DAEMON = Speaker(Actor.PERSON, "ada"), Speaker(Actor.DAEMON, "daemon")
B, P, W, D = Status.BACKLOG, Status.PENDING, Status.WORKING, Status.DELEGATED
RG, RD, S, DN, C = Status.REVIEWING, Status.REVIEWED, Status.STUCK, Status.DONE, Status.CANCELLED
#: The contract's table, written down once more.
LEGAL = {
    B: {P, D, C},
    P: {W, D, B, S, C},
    W: {RG, RD, D, DN, S, P, C},
    D: {DN, RG, RD, W, P, S, C},
    RG: {RD, DN, W, D, S, C},
    RD: {DN, W, RG, D, S, C},
    S: {P, W, RG, RD, D, DN, B, C},
    DN: {P, D, S},
    C: {B},
}
INDEX = st.integers(0, 30)
#: Lives of 50 steps each.
EXAMPLES = 200


class FakeIntegration:
    """A base that has everything."""

    def default_base(self) -> str:
        return "main"

    def observe(self, names: Iterable[str], *, count: bool = True) -> Mapping[str, Base]:
        del count
        return {name: Base(name, "0" * 40, "0" * 40) for name in names}

    def branch_states(self, wanted: Mapping[str, tuple[str, str, str | None]]) -> Mapping[str, BranchState]:
        return {task: BranchState("1" * 40, unmerged=False, integrated=Presence.THERE) for task in wanted}

    def contains(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Presence]:
        return dict.fromkeys(pairs, Presence.THERE)

    def tip(self, ref: str) -> str | None:
        del ref
        return "1" * 40

    def diff(self, branch: str, base: str) -> str:
        del branch, base
        return ""

    def content(self, commit: str, path: str) -> bytes | None:
        del commit, path
        return None

    def changes(self, wanted: Mapping[str, tuple[str, str]]) -> Mapping[str, Change]:
        return dict.fromkeys(wanted, Change())

    def forecast(self, wanted: Mapping[str, tuple[str, str]]) -> Forecast:
        return Forecast(dict.fromkeys(wanted, "1" * 40), ())

    def start_point(self, base: str) -> str:
        del base
        return "0" * 40

    def nest(self, branch: str, base: str) -> bool:
        del branch, base
        return True

    def integrate(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        del branch, base, message, expect
        return Integrated("2" * 40, changed=True)

    def propose(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        del branch, base, message, expect
        return Integrated("2" * 40, changed=True, onto="0" * 40, tip="1" * 40)

    def adopt(self, candidate: Candidate, branch: str) -> None:
        """Nothing to move."""

    def subjects(self, base: str, count: int) -> Sequence[str]:
        del base, count
        return ()

    def push(self, branch: str, commit: str, base: str) -> str:
        del branch, commit, base
        return "origin"

    def push_base(self, base: str) -> str:
        del base
        return "origin"

    def addresses(self) -> Sequence[str]:
        return ()

    def take_remote(self, base: str, commit: str) -> bool:
        del base, commit
        return True

    def merge_of(self, tip: str, base: str) -> str | None:
        del base
        return tip

    def rollback(self, merge: str, base: str, message: str) -> Integrated:
        del merge, base, message
        return Integrated("3" * 40, changed=True)

    def restored(self, branch: str, base: str, merge: str) -> str | None:
        del branch, base, merge
        return None

    def follow(self, base: str) -> Base:
        return Base(base, "0" * 40, "0" * 40)

    def repair(self) -> tuple[str, ...]:
        return ()


class FakeRuns:
    """No run has a record; some left traces behind."""

    def review(self, _run: str) -> None:
        return None

    def report(self, _run: str) -> None:
        return None

    def planted(self, _run: str) -> tuple[str, ...]:
        return ()

    def __init__(self, left: dict[str, int]) -> None:
        #: Task -> the highest epoch of a run of it.
        self.left = left

    def keep(self, run: str, name: str, value: Mapping[str, object]) -> None:
        """Forget it."""

    def checks(self, run: str, *, of_merge: bool = False) -> Mapping[str, object] | None:
        del run, of_merge
        return None

    def prepare(self, spec: RunSpec) -> str:
        return self.folder(spec.run)

    def record(self, run: str) -> RunRecord | None:
        del run
        return None

    def recent(self, live: Iterable[str], tasks: Iterable[str], attempts: int) -> Mapping[str, RunRecord]:
        del live, tasks, attempts
        return {}

    def close(self, run: str, outcome: Outcome, message: str, commit: str | None) -> None:
        del run, outcome, message, commit

    def said(self, run: str) -> str:
        del run
        return ""

    def stages(self, run: str) -> Sequence[Mapping[str, object]]:
        del run
        return ()

    def published(self, run: str, code: str | None, line: str) -> None:
        """Forget it."""

    def last(self, task: str) -> int:
        return self.left.get(task, 0)

    def command(self, spec: RunSpec) -> Command:
        del spec
        return Command((), {})

    def folder(self, run: str) -> str:
        return f"/runs/{run}"


class ModelParts:
    """The parts of one project, as a process that begins now has them."""

    name = "model"
    host = "h0st"
    terms = EVERYTHING

    def __init__(self, layout: Layout, clock: HandClock, rng: random.Random, workspaces: FakeWorkspaces) -> None:
        self.layout, self.clock, self._rng, self.workspaces = layout, clock, rng, workspaces
        self.store = FileStore(layout, open_history(layout, batches=True, now=clock.now), clock)
        self.integration, self.executor, self.runs = FakeIntegration(), FakeExecutor(), FakeRuns({})
        self.publications, self.candidates = FilePublications(layout), FileCandidates(layout)
        self.notices = CommandNotices(layout, {})
        self.refusals = FileRefusals(f"{layout.runtime}/refusals.json", layout.root)
        self.pipelines, self.usage = FilePipelines(layout), FileUsage(layout)
        self.foreground = ChildRuns(layout, sys.executable, {})
        self.quick, self.cleanups = FileQuickRuns(layout), FileCleanups(layout)

    @property
    def configuration(self) -> Configuration:
        raise NotImplementedError

    @property
    def deliveries(self) -> Deliveries:
        raise NotImplementedError

    @property
    def folders(self) -> RunFolders:
        raise NotImplementedError

    def agents(self) -> list[dict[str, object]]:
        raise NotImplementedError

    @property
    def forge(self) -> Forge:
        raise NotImplementedError

    @property
    def containers(self) -> Containers:
        raise NotImplementedError

    @property
    def pages(self) -> PageReader:
        raise NotImplementedError

    def settings(self) -> Settings:
        return Settings(agent="script", review=ReviewSettings(by="none"))

    def capabilities(self) -> frozenset[str]:
        return frozenset({"script"})

    def planted(self) -> tuple[Problem, ...]:
        return ()

    def revealed(self, env: Mapping[str, str]) -> Mapping[str, str]:
        return env

    def random(self, count: int) -> bytes:
        return self._rng.randbytes(count)

    def untrusted(self) -> Mapping[str, str]:
        return {}

    def show_records(self) -> None:
        """Nobody looks with git."""

    def daemon_running(self) -> bool:
        return True

    def nudge(self) -> bool:
        return True


@dataclass
class Held:
    """What the model knows of one task."""

    status: Status
    blockers: list[str]
    parent: str | None
    epoch: int = 0
    run: str | None = None
    attempts: int = 0


@dataclass
class Model:
    """The board as it should be."""

    tasks: dict[str, Held] = field(default_factory=dict)

    def children(self, task: str) -> list[Held]:
        return [found for found in self.tasks.values() if found.parent == task]

    def waits(self, task: str, target: str) -> bool:
        """Whether a task waits, over blockers and children, for another, or is it."""
        seen, todo = {task}, [task]
        for one in todo:
            found = self.tasks.get(one)
            below = [kid for kid, held in self.tasks.items() if held.parent == one]
            fresh = {*(found.blockers if found else ()), *below} - seen
            seen |= fresh
            todo.extend(fresh)
        return target in seen

    def blocked(self, held: Held) -> bool:
        return any(blocker not in self.tasks or self.tasks[blocker].status is not DN for blocker in held.blockers)

    def may(self, task: str, to: Status, *, claiming: bool = False) -> bool:
        """Whether a person, the daemon or a file may move a task so, in the words of the contract."""
        held = self.tasks[task]
        children = self.children(task)
        all_done = all(child.status is DN for child in children)
        if to not in LEGAL[held.status]:
            return False
        if to is W:
            return claiming and not self.blocked(held)
        if to is D:
            return bool(children) and not (held.status in {RG, RD, DN} and all_done)
        if held.status is D:
            return bool(children) and all_done if to in {DN, RG, RD} else not (to is P and children)
        return not (to is DN and held.status is RG)  # done from reviewing takes an approval

    def move(self, task: str, to: Status) -> None:
        held = self.tasks[task]
        if held.status in {S, DN, C} and to in {P, B}:
            held.attempts = 0
        held.status = to
        if to is not W:
            held.run = None

    def claim(self, task: str, left: int, *, person: bool = False) -> None:
        held = self.tasks[task]
        self.move(task, W)
        held.epoch = max(held.epoch, left) + 1
        held.run = f"{'person-' * person}{task}-{held.epoch}"

    def may_claim(self, task: str) -> bool:
        held = self.tasks[task]
        if held.run is not None:
            return False
        if held.status is B:
            return not self.blocked(held)
        return self.may(task, W, claiming=True)


@contextlib.contextmanager
def template() -> Iterator[Path]:
    """Make a project once, to be copied for every example."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="o-", dir=memory) as folder:
        repos.sample(f"{folder}/template")
        wiring.init_project(f"{folder}/template", None)
        yield Path(folder)


CHOICES = st.lists(INDEX, min_size=1, max_size=4)
OUTCOMES = st.sampled_from([DN, RG, RD, P])


def lead_on(board: Board, choices: list[int], to: Status) -> None:
    """Do some of the things that bring work forward: chance alone seldom gets a task to its end."""
    for choice in choices:
        steps = list(board.steps(to))
        if steps:
            steps[choice % len(steps)]()


class Board(RuleBasedStateMachine):
    """One project from its beginning."""

    #: Where the template lies; set by the test.
    ground: Path
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        Board.examples += 1
        self.root = self.ground / f"repo-{Board.examples}"
        self._copy()
        self.layout = Layout(str(self.root), str(self.root / ".git"))
        self.clock, self.rng, self.workspaces = HandClock(), random.Random(1), FakeWorkspaces()
        self.model = Model()
        self.epochs: dict[str, int] = {}
        #: Traces of runs that the files know nothing of, as after a file was put back: task -> epoch.
        self.left: dict[str, int] = {}
        self.runs: list[str] = []
        self.number = 0
        self.restart(lose_index=False)

    @initialize()
    def begin(self) -> None:
        """Begin with a small family: many lives never draw the rule that makes tasks."""
        for blockers, parent in (([], None), ([0], None), ([], 0), ([], 0), ([3], None)):
            self.create(blockers, parent, backlog=False)

    def _copy(self) -> None:
        """Copy the template; what git notes of its place is put right by hand, which is quicker than by git."""
        shutil.copytree(self.ground / "template", self.root, symlinks=True)
        (linked,) = (self.root / ".git" / "worktrees").iterdir()
        (self.root / ".orange" / ".git").write_text(f"gitdir: {linked}\n")
        (linked / "gitdir").write_text(f"{self.root}/.orange/.git\n")

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    # -- asking

    def expect(self, allowed: bool, ask: Callable[[], object]) -> bool:
        """Ask for something; it must be granted exactly when the model allows it. Returns whether it was."""
        self.clock.seconds += 1
        try:
            ask()
        except OrangeError as refused:
            if allowed:
                raise AssertionError(f"refused, though legal: {refused.message}") from refused
            return False
        assert allowed, "granted, though illegal"
        return True

    def pick(self, index: int) -> str:
        return list(self.model.tasks)[index % len(self.model.tasks)]

    def moves(self, task: str, to: Status, ask: Callable[[], object], *, also: bool = True) -> None:
        if self.expect(also and self.model.may(task, to), ask):
            self.model.move(task, to)

    # -- the rules

    @rule(blockers=st.lists(INDEX, max_size=2), parent=st.none() | INDEX, backlog=st.booleans())
    def create(self, blockers: list[int], parent: int | None, backlog: bool) -> None:
        tasks = self.model.tasks
        wanted = list(dict.fromkeys(self.pick(index) for index in blockers)) if tasks else []
        above = self.pick(parent) if parent is not None and tasks else None
        allowed = not (above and any(self.model.waits(blocker, above) for blocker in wanted))
        self.number += 1
        new = NewTask(
            name=f"t{self.number}", blocked_by=tuple(wanted), parent=above, status=B if backlog else None, body="x\n"
        )
        made: list[Any] = []
        if self.expect(allowed, lambda: made.append(self.project.create(new))):
            tasks[made[0].id] = Held(B if backlog else P, wanted, above)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, title=st.text("ab: #é", min_size=1, max_size=9).filter(str.strip), label=st.sampled_from("xyz"))
    def edit(self, index: int, title: str, label: str) -> None:
        task = self.pick(index)
        self.expect(True, lambda: self.project.edit(task, Edit(title=title, add_labels=(label,))))
        assert self.project.find(task).title == " ".join(title.split())

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, other=INDEX)
    def block(self, index: int, other: int) -> None:
        task, blocker = self.pick(index), self.pick(other)
        allowed = not self.model.waits(blocker, task)
        if self.expect(allowed, lambda: self.project.edit(task, Edit(block=(blocker,)))):
            held = self.model.tasks[task]
            held.blockers = list(dict.fromkeys((*held.blockers, blocker)))

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, other=INDEX)
    def unblock(self, index: int, other: int) -> None:
        task, blocker = self.pick(index), self.pick(other)
        held = self.model.tasks[task]
        # What is left may still be a cycle of nobody's making only if it was one before, which is never accepted.
        gone = held.blockers[other % len(held.blockers)] if held.blockers else blocker
        self.expect(True, lambda: self.project.edit(task, Edit(unblock=(gone,))))
        held.blockers = [one for one in held.blockers if one != gone]

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, by=st.sampled_from(["daemon", "stale", "run", "take"]))
    def claim(self, index: int, by: str) -> None:
        task = self.pick(index)
        epoch = self.model.tasks[task].epoch - (by == "stale")
        allowed = self.model.may_claim(task) and by != "stale"
        asks: dict[str, Callable[[], object]] = {
            "run": lambda: claim_run(self.parts, ADA, task, request=RequestKind.RUN),
            "take": lambda: self.project.take(task),
        }
        if self.expect(allowed, asks.get(by, lambda: claim_run(self.parts, DAEMON, task, epoch=epoch))):
            self.model.claim(task, self.left.get(task, 0), person=by == "take")
            run = str(self.model.tasks[task].run)
            assert run not in self.runs
            self.runs.append(run)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, ahead=st.integers(-2, 2))
    def find_a_trace(self, index: int, ahead: int) -> None:
        """A run of an earlier or later claim than the file knows turns out to have been here."""
        task = self.pick(index)
        self.left[task] = max(0, self.model.tasks[task].epoch + ahead)

    @precondition(lambda self: self.runs)
    @rule(index=INDEX, to=st.sampled_from([RG, RD, DN, P, S]), failed=st.booleans())
    def end_run(self, index: int, to: Status, failed: bool) -> None:
        """A run has ended: its result counts while it holds its task, and never afterwards."""
        run = self.runs[index % len(self.runs)]
        task = run.removeprefix("person-").rpartition("-")[0]
        holds = task in self.model.tasks and self.model.tasks[task].run == run
        action = SettleRun(task, run, to, "it ended", failed=failed)
        attempts = self.model.tasks[task].attempts if holds else 0
        if self.expect(holds and self.model.may(task, to), lambda: settle(self.parts, DAEMON, action, None)):
            self.model.move(task, to)
            self.model.tasks[task].attempts = attempts + failed

    @precondition(lambda self: self.runs)
    @rule(index=INDEX)
    def launch_fails(self, index: int) -> None:
        run = self.runs[index % len(self.runs)]
        task = run.removeprefix("person-").rpartition("-")[0]
        holds = task in self.model.tasks and self.model.tasks[task].run == run
        if self.expect(holds, lambda: launch_failed(self.parts, DAEMON, task, run, "no room")):
            attempts = self.model.tasks[task].attempts + 1
            self.model.move(task, S if attempts >= Settings().limits.attempts else P)
            self.model.tasks[task].attempts = attempts

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def approve(self, index: int) -> None:
        task = self.pick(index)
        if self.expect(self.model.tasks[task].status in {RG, S}, lambda: self.project.approve(task)):
            self.model.move(task, RD)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def merge(self, index: int) -> None:
        task = self.pick(index)
        if self.expect(self.model.tasks[task].status is RD, lambda: self.project.merge(task)):
            self.model.move(task, DN)

    go_on = precondition(lambda self: self.model.tasks)(rule(choices=CHOICES, to=OUTCOMES)(lead_on))
    #: The same rule again: each life leaves out some rules at random, and few should leave out this one.
    go_on_too = precondition(lambda self: self.model.tasks)(rule(choices=CHOICES, to=OUTCOMES)(lead_on))
    go_on_as_well = precondition(lambda self: self.model.tasks)(rule(choices=CHOICES, to=OUTCOMES)(lead_on))

    def steps(self, to: Status) -> Iterator[Callable[[], None]]:
        """Yield what is legal now and leads on."""
        for index, (task, held) in enumerate(self.model.tasks.items()):
            if self.model.may_claim(task) and held.status is not RD:
                yield partial(self.claim, index, "daemon" if index % 3 else "take")
            if held.run in self.runs and held.run is not None:
                yield partial(self.end_run, self.runs.index(held.run), to, failed=False)
            if self.model.may(task, D):
                yield partial(self.advance if held.status is DN else self.set_status, index, D)
            if held.status is D and self.model.may(task, DN):
                yield partial(self.advance, index, DN)
            if held.status in {RG, RD}:
                yield partial(self.approve if held.status is RG else self.merge, index)
            if held.status is DN:
                yield partial(self.reopen, index)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def finish(self, index: int) -> None:
        task = self.pick(index)
        held = self.model.tasks[task]
        also = held.run is not None and held.run.startswith("person-")
        self.moves(task, DN, lambda: self.project.finish(task), also=also)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, to=st.sampled_from(list(Status)))
    def set_status(self, index: int, to: Status) -> None:
        task = self.pick(index)
        if to is W or to is self.model.tasks[task].status:
            return
        # `done` by hand is refused whatever holds: it takes the daemon's evidence.
        self.moves(task, to, lambda: self.project.edit(task, Edit(status=to)), also=to is not DN)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, to=st.sampled_from([D, DN, RG, RD, S]))
    def advance(self, index: int, to: Status) -> None:
        """The daemon moves a task that no run holds: a parent that closes, a child that was reopened."""
        task = self.pick(index)
        if self.model.tasks[task].run is None:
            self.moves(task, to, lambda: advance_task(self.parts, DAEMON, Advance(task, to, "seen")))

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def cancel(self, index: int) -> None:
        task = self.pick(index)
        self.moves(task, C, lambda: self.project.cancel(task))

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def reopen(self, index: int) -> None:
        task = self.pick(index)
        self.moves(task, P, lambda: self.project.reopen(task), also=self.model.tasks[task].status is DN)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def restore(self, index: int) -> None:
        task = self.pick(index)
        self.moves(task, B, lambda: self.project.restore(task))

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def retry(self, index: int) -> None:
        task = self.pick(index)
        held = self.model.tasks[task]
        allowed = held.status is S or (held.status is P and held.attempts > 0)
        if self.expect(allowed, lambda: self.project.retry(task)):
            self.model.move(task, P)
            held.attempts = 0

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def release(self, index: int) -> None:
        task = self.pick(index)
        self.moves(task, P, lambda: self.project.release(task), also=self.model.tasks[task].status is W)

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX)
    def remove(self, index: int) -> None:
        task = self.pick(index)
        if self.expect(self.model.tasks[task].run is None, lambda: self.project.remove(task)):
            del self.model.tasks[task]
            for held in self.model.tasks.values():
                held.parent = None if held.parent == task else held.parent

    @precondition(lambda self: self.model.tasks)
    @rule(index=INDEX, to=st.sampled_from(list(Status)), recorded=st.booleans())
    def hand_edit(self, index: int, to: Status, recorded: bool) -> None:
        """Somebody saves another status: a legal one is obeyed, every other stays as it was until it is put right."""
        task = self.pick(index)
        path = Path(self.layout.tree) / self.project.find(task).path
        before, now = path.read_bytes(), self.model.tasks[task].status
        path.write_bytes(before.replace(f"status: {now}\n".encode(), f"status: {to}\n".encode()))
        if to is not now and to not in {W, RG, RD, DN} and self.model.may(task, to):
            self.model.move(task, to)
        self.agrees()
        if recorded or to is self.model.tasks[task].status:
            self.parts.store.record()
        if to is not self.model.tasks[task].status:
            self.agrees()
            path.write_bytes(before)

    @rule()
    def record(self) -> None:
        """After recording, the tip has every task as the file has it, and nothing else."""
        self.parts.store.record()
        blobs = repos.Repo(str(self.root)).tree(RECORDS_REF)
        files = {path: data for path, data in blobs.items() if path.endswith("/TASK.md")}
        board = self.project.board()
        assert files == {task.path: Path(self.layout.tree, task.path).read_bytes() for task in board.tasks.values()}
        assert self.parts.store.record() is None

    @rule(lose_index=st.booleans())
    def restart(self, lose_index: bool) -> None:
        """The process ends and another begins, sometimes without its index."""
        if lose_index:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.layout.index)
        self.parts = ModelParts(self.layout, self.clock, self.rng, self.workspaces)
        self.parts.runs = FakeRuns(self.left)
        self.project = Project(self.parts, ADA)

    # -- what always holds

    @invariant()
    def agrees(self) -> None:
        board = self.project.board()
        seen = {
            task.id: Held(
                task.status,
                list(task.blocked_by),
                task.parent,
                task.epoch,
                task.claim.run if task.claim else None,
                task.attempts,
            )
            for task in board.tasks.values()
        }
        assert seen == self.model.tasks
        assert not board.frozen
        for task in board.tasks.values():
            assert set(task.children) == {one.id for one in board.tasks.values() if one.parent == task.id}
            assert len(task.children) == len(set(task.children))
            assert self.epochs.get(task.id, 0) <= task.epoch
            assert task.held == (task.status is W) == (task.run is not None)
            assert not any(self.model.waits(blocker, task.id) for blocker in task.blocked_by)
            self.epochs[task.id] = task.epoch
        held = [task.run for task in board.tasks.values() if task.run]
        assert len(held) == len(set(held))


def test_the_facade_and_the_model_never_disagree(times: Callable[[int], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """200 lives of 50 steps each."""
    with template() as ground:
        monkeypatch.setattr(Board, "ground", ground, raising=False)
        run_state_machine_as_test(
            Board,
            settings=settings(
                max_examples=times(EXAMPLES),
                stateful_step_count=50,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_cycle_is_named(tmp_path: Path) -> None:
    """The refusal that the model counts on is the one about cycles."""
    repos.sample(tmp_path / "repo")
    wiring.init_project(str(tmp_path / "repo"), None)
    project = wiring.open_project(str(tmp_path / "repo"), ADA)
    first = project.create(NewTask(name="first"))
    second = project.create(NewTask(name="second", blocked_by=(first.id,)))
    with pytest.raises(DependencyCycle, match=second.id):
        project.edit("first", Edit(block=("second",)))
