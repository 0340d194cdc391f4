"""The executor port: the same promises from the one on tmux and from the fake that tests use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orange.core.model import Presence
from orange.core.ports import Executor
from orange.core.problems import SessionFailed
from orange.testing import tmux
from orange.testing.fakeexecutor import FakeExecutor
from orange.testing.repos import until

RUN, SESSION = "k3f9x2ab-1", "demo-k3f9x2ab-1"

#: None of these may reach tmux as a name: formats, prefixes, patterns, separators, paths, flags.
HOSTILE = [
    "", "-t", "a b", "a.b", "a:b", "a;b", "a*", "=a", "$1", "%1", "@1", "A", "#(touch f)", "#{pid}", "../x", "a/b",
    "a\nb", "a\0b", "é", "a" * 129,
]  # fmt: skip


@dataclass
class Bench:
    """An executor, and what it needs to be tried."""

    executor: Executor
    #: Prepare a run that lives until it is told to end.
    prepare: Callable[[str], None]
    #: How often a run's agent was started.
    starts: Callable[[str], int]

    def start(self, run: str = RUN) -> str:
        """Prepare and start a run; returns its session once its agent runs."""
        self.prepare(run)
        self.executor.start(run, f"demo-{run}")
        until(lambda: self.starts(run))
        return f"demo-{run}"

    @property
    def names(self) -> set[str]:
        """The sessions there are."""
        found = self.executor.observe()
        assert found is not None
        return set(found)


@pytest.fixture(params=["tmux", "fake"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each executor in turn."""
    if request.param == "fake":
        prepared: set[str] = set()
        fake = FakeExecutor(prepared=prepared.__contains__)
        yield Bench(fake, prepared.add, fake.started.count)
        return
    with tmux.place(tmp_path, os.environ) as place:
        ledger = tmp_path / "ledger"
        ledger.touch()
        yield Bench(
            place.executor,
            lambda run: _discard(place.prepare(run, f"echo {run} >> {ledger}; exec cat")),
            lambda run: ledger.read_text().split().count(run),
        )


def _discard(_folder: str) -> None:
    """Take no note of where it lies."""


def test_a_started_run_is_seen_under_its_exact_name(bench: Bench) -> None:
    """Before the first start there is nothing; then the session, with an address."""
    assert bench.executor.observe() == {}
    session = bench.start()
    found = bench.executor.observe()
    assert found
    assert set(found) == {session}
    assert all(found.values())


def test_starting_again_is_no_second_start(bench: Bench) -> None:
    """A session of that name is enough: the agent runs once."""
    session = bench.start()
    for _ in range(3):
        bench.executor.start(RUN, session)
    assert bench.names == {session}
    assert bench.starts(RUN) == 1


def test_an_ended_run_never_starts_again(bench: Bench) -> None:
    """A run that was told to end is refused; one that is started in another session too does nothing there."""
    session = bench.start()
    bench.executor.start(RUN, "demo-other")
    until(lambda: bench.names == {session})
    assert bench.executor.stop(RUN, session, 5.0) is Presence.GONE
    with pytest.raises(SessionFailed, match="told to end"):
        bench.executor.start(RUN, session)
    assert bench.starts(RUN) == 1


def test_a_run_stopped_before_its_start_never_starts(bench: Bench) -> None:
    """A start that comes late, after the run was given up, is refused."""
    bench.prepare(RUN)
    assert bench.executor.stop(RUN, SESSION, 1.0) is Presence.GONE
    with pytest.raises(SessionFailed, match="told to end"):
        bench.executor.start(RUN, SESSION)
    assert bench.names == set()
    assert bench.starts(RUN) == 0


def test_a_run_that_was_never_prepared_is_refused(bench: Bench) -> None:
    """No session is made for it."""
    with pytest.raises(SessionFailed, match="not prepared"):
        bench.executor.start(RUN, SESSION)
    assert bench.executor.observe() == {}


def test_stopping_is_proven(bench: Bench) -> None:
    """A stopped run is gone and so is its session; stopping it again says the same."""
    session = bench.start()
    assert bench.executor.stop(RUN, session, 5.0) is Presence.GONE
    assert bench.names == set()
    assert bench.executor.stop(RUN, session, 5.0) is Presence.GONE


def test_ending_a_session_leaves_those_whose_names_begin_alike(bench: Bench) -> None:
    """A name is never a prefix: ending `...-1` while only `...-12` lives touches nothing."""
    longer = bench.start("k3f9x2ab-12")
    assert bench.executor.stop(RUN, SESSION, 1.0) is Presence.GONE
    assert bench.names == {longer}
    with pytest.raises(SessionFailed):
        bench.executor.attach(SESSION)
    assert bench.executor.tail(SESSION, 5) is None
    assert not bench.executor.say(SESSION, "hello")


def test_several_runs_live_side_by_side(bench: Bench) -> None:
    """Each has its own session; ending one leaves the others."""
    sessions = {epoch: bench.start(f"k3f9x2ab-{epoch}") for epoch in (1, 2, 3)}
    assert bench.names == set(sessions.values())
    assert bench.executor.stop("k3f9x2ab-2", sessions[2], 5.0) is Presence.GONE
    assert bench.names == {sessions[1], sessions[3]}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_everywhere(bench: Bench, name: str) -> None:
    """What is no name of orange's own is refused before anybody sees it."""
    bench.prepare(RUN)
    with pytest.raises(SessionFailed):
        bench.executor.start(RUN, name)
    with pytest.raises(SessionFailed):
        bench.executor.start(name, SESSION)
    with pytest.raises(SessionFailed):
        bench.executor.stop(RUN, name, 1.0)
    with pytest.raises(SessionFailed):
        bench.executor.tail(name, 5)
    with pytest.raises(SessionFailed):
        bench.executor.say(name, "hello")
    with pytest.raises(SessionFailed):
        bench.executor.attach(name)
    assert bench.executor.observe() == {}


def test_a_live_session_can_be_joined_and_spoken_to(bench: Bench) -> None:
    """Attaching gives a command line; saying nothing is refused, saying something arrives."""
    session = bench.start()
    assert session in " ".join(bench.executor.attach(session))
    assert bench.executor.tail(session, 5) is not None
    assert not bench.executor.say(session, " \n ")
    assert bench.executor.say(session, "hello there")


def test_shutting_down_leaves_sessions_alone(bench: Bench) -> None:
    """The server ends when it has none, and a later start works again."""
    session = bench.start()
    bench.executor.shut_down()
    assert bench.names == {session}
    bench.executor.stop(RUN, session, 5.0)
    bench.executor.shut_down()
    until(lambda: bench.executor.observe() == {})
    assert bench.start("k3f9x2ab-2") in bench.names
