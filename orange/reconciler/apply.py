"""Carries out what `decide` asked for: one function an action, each looking again under the lock.

A refused action is not an error: the world moved on between looking and acting, and the next look decides anew.
Slow work (workspaces, sessions) runs in threads of a pool, at most once at a time for each task.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from orange.core import actions as do
from orange.core.model import Presence, World
from orange.core.problems import (
    AlreadyClaimed,
    IllegalTransition,
    NotAllowed,
    OrangeError,
    PipelineUnusable,
    StaleWrite,
    TaskNotFound,
    WorkspaceFailed,
)
from orange.core.reviews import is_review
from orange.project import claims, dispatching, launch, merging, publishing, reviewing, settling
from orange.project.parts import Parts
from orange.project.requests import Speaker

log = logging.getLogger("orange.reconciler")

#: Refusals that only say: the world has moved on.
MOVED_ON = (StaleWrite, IllegalTransition, TaskNotFound, AlreadyClaimed, NotAllowed)

#: What the key of a launch under way begins with; no task's id holds a space.
_LAUNCH = "launch "

#: Seconds the user's branch waits for sessions that are just being started.
COURTESY = 0.2

#: Seconds after which the return of a workspace that had to be kept is tried again.
RETURN_AGAIN = 15.0

#: Seconds a session may take to end by itself before it is killed.
GRACE = 3.0


class Applier:
    """Applies actions of one project. Holds no state but what is under way, and what it began."""

    def __init__(self, parts: Parts, speaker: Speaker, again: Callable[[], None], pool: ThreadPoolExecutor) -> None:
        self.parts, self.speaker, self.again, self.pool = parts, speaker, again, pool
        self._busy: dict[str, Future[None]] = {}
        #: Every run that was begun here -> its task, in order.
        self.begun: dict[str, str] = {}
        #: Workspaces whose return failed -> when it was last tried.
        self._kept: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether slow work is under way."""
        with self._lock:
            return bool(self._busy)

    def apply(self, plan: do.Plan, world: World) -> int:
        """Carry out a plan; returns how many actions were really carried out or begun."""
        return sum(self._one(action, world) for action in plan.actions)

    def _one(self, action: do.Action, world: World) -> bool:
        if self._is_busy(getattr(action, "task", None)):
            return False  # slow work on this very task is under way: what was seen is about to change
        try:
            return self._carry_out(action, world)
        except MOVED_ON as moved:
            log.info("%s: %s", type(action).__name__, moved.message)
        except OrangeError as failed:
            log.warning("%s: %s", type(action).__name__, failed.message)
        return False

    def _carry_out(self, action: do.Action, world: World) -> bool:  # noqa: C901, PLR0911, PLR0912 - one line an action
        match action:
            case do.StartRun():
                return self._start(action)
            case do.LaunchRun():
                return self._begin_launch(action.task, action.run, action.agent)
            case do.StopRun():
                return self.begin((action.task,), lambda: self._stop(action, world))
            case do.CloseRun():
                return self.begin((action.task,), lambda: self._close(action, world))
            case do.SettleRun():
                settling.settle(self.parts, self.speaker, action, world.runs.get(action.run))
            case do.SettleReview():
                return self.begin((action.task,), lambda: self._settle_review(action))
            case do.Advance():
                settling.advance_task(self.parts, self.speaker, action)
            case do.Integrate():
                return self.begin((action.task, f"base {action.base}"), lambda: self._integrate(action.task))
            case do.CheckMerge():
                return self.begin((action.task, f"base {action.base}"), lambda: self._check_merge(action.task))
            case do.SendBack():
                return self.begin((action.task,), lambda: self._send_back(action.task))
            case do.DropCandidate():
                return self.begin((action.task,), lambda: merging.drop(self.parts, action.task))
            case do.Publish():
                return self.begin((action.task,), lambda: publishing.publish(self.parts, self.speaker, action.task))
            case do.PushBase():
                return self.begin((f"base {action.base}",), lambda: publishing.push_base(self.parts, action.base))
            case do.FollowBase():
                return self.begin((f"base {action.base}",), lambda: self._follow(action.base))
            case do.ReturnWorkspace():
                return not self._is_kept(action.path) and self.begin((action.task,), lambda: self._return(action))
            case do.MendChildren():
                settling.mend_children(self.parts, self.speaker, action)
            case do.AcceptEdits():
                self.parts.store.record("Accept hand edits")
            case do.ArchiveTask():
                settling.archive(self.parts, self.speaker, action.task)
            case do.PauseDispatch():
                self._pause(action.reason)
        return True

    def _is_busy(self, key: str | None) -> bool:
        with self._lock:
            return key in self._busy

    def _start(self, action: do.StartRun) -> bool:
        if action.review:
            review = reviewing.claim(self.parts, self.speaker, action.task, action.epoch)
            return self._begin_launch(action.task, str(review.run))
        claimed = claims.claim_run(self.parts, self.speaker, action.task, epoch=action.epoch, request=action.request)
        return self._begin_launch(action.task, str(claimed.run), action.agent)

    def _begin_launch(self, task: str, run: str, agent: str | None = None) -> bool:
        begun = self.begin((task, f"{_LAUNCH}{run}"), lambda: self._launch(task, run, agent))
        if begun:
            self.begun[run] = task
        return begun

    def begin(self, keys: tuple[str, ...], work: Callable[[], None]) -> bool:
        """Run slow work in the pool unless work on one of the same things is under way."""
        with self._lock:
            if any(key in self._busy for key in keys):
                return False
            future = self.pool.submit(self._guarded, keys[0], work)
            self._busy |= dict.fromkeys(keys, future)
        future.add_done_callback(lambda _: self._finished(keys))
        return True

    def _finished(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            for key in keys:
                self._busy.pop(key, None)
        self.again()

    def _guarded(self, key: str, work: Callable[[], None]) -> None:
        try:
            work()
        except MOVED_ON as moved:
            log.info("%s: %s", key, moved.message)
        except OrangeError as failed:
            log.warning("%s: %s", key, failed.message)

    def _launch(self, task_id: str, run: str, agent: str | None) -> None:
        task = settling.look(self.parts, task_id)
        begin, failing = (
            (reviewing.launch, reviewing.launch_failed) if is_review(run) else (launch.launch, settling.launch_failed)
        )
        try:
            if agent:
                claims.assign(self.parts, self.speaker, task_id, run, agent)
                begin = partial(launch.launch, agent=agent)
            begin(self.parts, task, run)
        except StaleWrite:
            raise
        except PipelineUnusable as refused:
            settling.launch_refused(self.parts, self.speaker, task_id, run, refused.message)
        except OrangeError as failed:
            log.warning("launch of %s: %s", run, failed.message)
            failing(self.parts, self.speaker, task_id, run, failed.message)
        self.begin(("spares",), self._refill)

    def _refill(self) -> None:
        """Prepare the next spares, now that one may have been used up."""
        while self.parts.workspaces.refill():
            pass

    def _close(self, action: do.CloseRun, world: World) -> None:
        """Write a vanished run's end, once it is proven that nothing of it works on unseen."""
        name = world.board.tasks[action.task].name
        if self.parts.executor.stop(action.run, f"{name}-{action.run}", GRACE) is Presence.GONE:
            settling.close(self.parts, action)

    def _settle_review(self, action: do.SettleReview) -> None:
        reviewing.settle(self.parts, self.speaker, action)

    def _stop(self, action: do.StopRun, world: World) -> None:
        task = world.board.tasks.get(action.task)
        record = self.parts.runs.record(action.run)
        name = task.name if task else record.spec.name if record else None
        if name is None:
            return
        self.parts.executor.stop(action.run, f"{name}-{action.run}", GRACE)

    def _integrate(self, task_id: str) -> None:
        """Merge; the user's branch follows with the next look, so that whoever waited for the merge starts first."""
        merge = merging.adopt if self.parts.settings().checks else settling.integrate
        merge(self.parts, self.speaker, task_id)

    def _check_merge(self, task_id: str) -> None:
        merging.check(self.parts, self.speaker, task_id)

    def _send_back(self, task_id: str) -> None:
        merging.send_back(self.parts, self.speaker, task_id)

    def _follow(self, base: str) -> None:
        """Let the user's branch follow, after the sessions that are just being started."""
        with self._lock:
            starting = [future for key, future in self._busy.items() if key.startswith(_LAUNCH)]
        wait(starting, COURTESY)
        self.parts.integration.follow(base)

    def _return(self, action: do.ReturnWorkspace) -> None:
        """Return a workspace; one that has to be kept is not tried again at once."""
        try:
            said = settling.return_workspace(self.parts, action.path, action.task)
        except WorkspaceFailed:
            self._kept[action.path] = self.parts.clock.monotonic()
            raise
        for sentence in said:
            log.info("%s: %s", action.path, sentence)

    def _is_kept(self, path: str) -> bool:
        tried = self._kept.get(path)
        return tried is not None and self.parts.clock.monotonic() < tried + RETURN_AGAIN

    def _pause(self, reason: str) -> None:
        state = dispatching.paused(self.parts.clock.now(), reason, draining=False)
        dispatching.write(self.parts.layout.dispatch, state)

    def wait(self, timeout: float) -> None:
        """Wait for slow work to end, at most `timeout` seconds in all."""
        with self._lock:
            pending: Iterable[Future[Any]] = tuple(self._busy.values())
        wait(pending, timeout)
