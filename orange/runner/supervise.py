"""The course of one run: start once, prepare, execute, save what is left, report.

Whatever happens to the agent, a result is written; whatever happens to this process before its marker exists, the run
may be started again, and after it never.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import termios
import tty
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orange import proctable
from orange.core import redact, runfiles
from orange.core.ending import CRASHED, FAILED, FINISHED, STOPPED, Ending
from orange.runner import report, watching
from orange.runner.activating import deactivate
from orange.runner.checking import run_checks
from orange.runner.enclosing import standing
from orange.runner.folder import RunFolder
from orange.runner.hooks import run_hook
from orange.runner.job import Job, load
from orange.runner.mail import answered
from orange.runner.orders import Orders
from orange.runner.prepare import Places, agent_environment, given_environment, prepare
from orange.runner.terminal import Session
from orange.runner.walk import Around, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds the hook after a run may take when the run was told to end.
HASTE = 10.0
#: Seconds tmux gets to tell its last screen.
SCREEN_TIME = 2.0


class Parts(Places, Protocol):
    """What the supervisor needs from the rest of orange, made when it is needed: mostly when the agent has ended."""

    @property
    def commit_leftovers(self) -> Callable[[str, str], str | None]:
        """(workspace, message) -> the branch's tip, after what was uncommitted is committed. Raises OrangeError."""

    @property
    def diff(self) -> Callable[[str, str], str]:
        """(branch, base) -> the patch. Raises OrangeError."""

    @property
    def nudge(self) -> Callable[[], bool]:
        """Tell the daemon that there is something to see; whether it is there."""


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Wall-clock seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class Place(NamedTuple):
    """Where a supervisor runs."""

    #: The project's runtime folder.
    runtime: str
    #: The inherited environment.
    env: Mapping[str, str]
    clock: Clock


class Saved(NamedTuple):
    """What was saved of an agent's work."""

    #: The branch's tip; None where it could not be told.
    commit: str | None = None
    #: The branch against its base; None where it could not be told.
    patch: str | None = None
    #: Tells the daemon, when everything is written.
    nudge: Callable[[], bool] | None = None


def supervise(run: str, place: Place, parts: Callable[[str], Parts]) -> bool:
    """Carry out a prepared run, unless it was started or told to end before; returns whether it was.

    `parts` is called with the runtime folder, at the latest once the agent has ended. Raises OSError, ValueError and
    KeyError when the run's folder cannot be used.
    """
    folder = RunFolder(f"{place.runtime}/runs/{run}", place.clock.now)
    orders = Orders(folder.path(runfiles.STOP))
    job = load(folder.root)
    if folder.has(runfiles.STOP) or not folder.launch():
        return False
    marks = runfiles.marks(run, place.runtime)
    session = Session(*_outer(), orders, place.clock.monotonic, marks, folder.path(runfiles.PARKED))
    ending, saved = Ending(CRASHED, f"the supervisor failed: see {folder.path(runfiles.COMPLAINTS)}"), Saved()
    try:
        keep = functools.cache(lambda: _save(job, folder, lambda: parts(place.runtime)))
        gathered = Environments(folder, place, lambda: parts(place.runtime))
        with contextlib.ExitStack() as stack:
            if job.isolation in runfiles.ENCLOSED:
                stack.enter_context(answered(job, folder, place.env))
            refused = stack.enter_context(standing(job, folder, place))
            ending = refused or _carry_out(Around(job, folder, session, gathered.of), keep)
        deactivate(job)
        if ending.outcome != CRASHED:  # a session that was lost leaves the workspace as it is
            saved = keep()
    finally:  # a fault of ours is a result too
        _last_screen(folder, place.env)
        _report(job, folder, ending, saved)
        report.write_result(folder, ending, saved.commit, place.clock.now())
    if saved.nudge:
        saved.nudge()
    return True


class Environments:
    """What the programs of a run get, gathered once for each agent; nothing secret in it is written from then on."""

    def __init__(self, folder: RunFolder, place: Place, parts: Callable[[], Parts]) -> None:
        self._folder, self._place, self._parts = folder, place, parts
        self._given: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        self._secrets: dict[str, str] = dict(place.env)
        folder.secrets = redact.of_environment(place.env)

    def of(self, job: Job) -> Mapping[str, str] | Ending:
        """Build the environment of a job's program; an Ending where a secret of it is not to be had."""
        known = (("", job.agent), *sorted(job.agent_env.items()))
        if known not in self._given:
            given = given_environment(job, self._place.env, self._parts)
            if isinstance(given, Ending):
                return given
            self._given[known] = given
        env = agent_environment(job, self._folder, self._given[known], self._place.runtime)
        names = {name for found in (self._secrets, env) for name in found.get(redact.NAMES, "").split(",") if name}
        self._secrets |= {**env, redact.NAMES: ",".join(sorted(names))}
        self._folder.secrets = redact.of_environment(self._secrets)
        return env


def _carry_out(around: Around, keep: Callable[[], Saved]) -> Ending:
    """Go through the stages; `keep` saves what the agent left, once. Checks see what was saved, and add nothing."""
    job, folder, session, environment = around
    try:
        folder.identify()
        env = environment(job)
        if isinstance(env, Ending):
            return env
        ending = prepare(job, folder, session, env)
        ending = ending or _told_already(session.orders)
        if ending:
            return ending
        seen = watching.look(folder, job)
        with folder.stage("execute") as stage:
            ending = walk(around) if job.agent else Ending(FINISHED, "no agent was to run", 0)
            watching.record(folder, job, seen)
            if job.checks and ending.outcome == FINISHED:
                ending = run_checks(job, folder, session, env, keep().commit)
            stage.failed = ending.message if ending.failed else None
        if job.after_run and ending.outcome != CRASHED:
            session.orders.settle()
            haste = HASTE if ending.outcome == STOPPED else job.hook_timeout
            run_hook("after_run", job.after_run, job._replace(hook_timeout=haste), folder, session, env)
    except OSError as error:
        return Ending(FAILED, f"the run's records could not be written: {error}", stage="prepare")
    return ending


def _told_already(orders: Orders) -> Ending | None:
    """Return the end of a run that was told to end before its agent was started."""
    orders.take()
    orders.look()
    return Ending(orders.verdict, orders.reason or "the run ended before its agent started") if orders.verdict else None


def _save(job: Job, folder: RunFolder, parts: Callable[[], Parts]) -> Saved:
    """Commit what the agent left and keep the difference."""
    from orange.core.problems import OrangeError

    with folder.stage("execute", "save") as step:
        try:
            made = parts()
            commit = made.commit_leftovers(job.workspace, _message(job)) if job.auto_commit else job.reviewed
            patch = made.diff(job.branch, job.base) if job.branch else None
            folder.write_text(runfiles.PATCH, patch or "")
        except (OrangeError, OSError) as error:
            step.failed = f"what the agent left could not be saved: {error}"
            folder.note("execute", step.failed)
            return Saved()
    return Saved(commit, patch, made.nudge)


def _message(job: Job) -> str:
    return f"{job.title}\n\nWhat the agent left uncommitted in run {job.run}.\n"


def _report(job: Job, folder: RunFolder, ending: Ending, saved: Saved) -> None:
    """Write what is for people; the disk may refuse it, and the result still counts."""
    try:
        if ending.failed:
            report.write_error(folder, job, ending)
        report.write_summary(folder, job, ending, saved)
    except OSError as error:
        folder.note("execute", f"the report could not be written: {error}")


def _outer() -> tuple[int | None, int | None]:
    """Return where keys come from and output goes; the session's terminal passes every key on as it is."""
    keys, screen = (0 if os.isatty(0) else None), (1 if os.isatty(1) else None)
    if keys is not None:
        tty.setraw(keys, termios.TCSANOW)
    for fd in (keys, screen):
        if fd is not None:
            os.set_blocking(fd, False)
    return keys, screen


def _last_screen(folder: RunFolder, env: Mapping[str, str]) -> None:
    """Keep what the session shows; it is gone with this process."""
    socket, pane = env.get("TMUX", "").rsplit(",", 2)[0], env.get("TMUX_PANE")
    if not socket or not pane:
        return
    argv = ["tmux", "-S", socket, "capture-pane", "-p", "-t", pane]
    shown, theirs = os.pipe()  # holds a screen of any usual size
    with contextlib.suppress(OSError), os.fdopen(shown, "rb") as screen:
        try:
            pid = os.posix_spawnp("tmux", argv, dict(env), file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1)])
        finally:
            os.close(theirs)
        if not proctable.wait_gone(proctable.identify(pid), SCREEN_TIME):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        folder.write(runfiles.SCREEN, folder.secrets.mask_bytes(screen.read()))
