"""`Project`: one method a request. Addresses are resolved once; the work is done by the modules beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orange.core.comments import Comment
from orange.core.graph import Graph
from orange.core.imports.item import Source
from orange.core.imports.resolve import Resolved
from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.project import (
    claims,
    cleanup,
    comments,
    creation,
    dispatching,
    editing,
    importing,
    inplace,
    launch,
    merging,
    moves,
    rolling_back,
    settling,
    takeover,
)
from orange.project.asked import Asked, Rows
from orange.project.quick import QuickActions
from orange.project.refusing import on_record
from orange.project.requests import Edit, NewTask
from orange.project.takeover import Handover
from orange.project.world import live_runs

if TYPE_CHECKING:
    from orange.project.job_import import Imported
    from orange.project.plans import Plans
    from orange.project.queue import Queue
    from orange.project.runviews import RunViews
    from orange.project.webhooks import Webhooks


class Project(Asked):
    """One repository, on behalf of one speaker: what can be asked of it, and all that changes it."""

    # -- writing

    def create(self, new: NewTask) -> Task:
        """Create a task."""
        return self._done(creation.create(self.parts, self.speaker, new))

    def batch(self, new: Sequence[NewTask], edits: Sequence[tuple[str, Edit]]) -> list[Task]:
        """Create tasks and change others, all or nothing."""
        made = editing.batch(self.parts, self.speaker, new, edits)
        self.parts.nudge()
        return made

    def import_jobs(self, text: str, *, dry_run: bool = False) -> tuple[Imported, ...]:
        """Create the tasks of jobs, all or none; with `dry_run`, only say what would be created."""
        from orange.project import job_import  # jobs take modules that nothing else needs

        found = job_import.import_jobs(self.parts, self.speaker, text, dry_run=dry_run)
        if not dry_run:
            self.parts.nudge()
        return found

    def import_items(self, source: Source, format_: str, *, dry_run: bool = False) -> Resolved:
        """Create the tasks of another tool that are not here yet; with `dry_run`, only say what would be created."""
        found = importing.import_items(self.parts, self.speaker, source, format_, dry_run=dry_run)
        if found.tasks and not dry_run:
            self.parts.nudge()
        return found

    @property
    def plans(self) -> Plans:
        """The plans, and what may be done with them."""
        from orange.project.plans import Plans  # reading documents takes modules that nothing else needs

        return Plans(self.parts, self.speaker)

    def adopt(self, text: str) -> Task:
        """Create a task from a whole file's text."""
        return self._done(creation.adopt(self.parts, self.speaker, text))

    @on_record
    def edit(self, address: str, change: Edit) -> Task:
        """Change free keys, edges and, last, the status."""
        task = self.find(address)
        edited = editing.edit(self.parts, self.speaker, task.id, change)
        if change.status is Status.WORKING:
            return self.run(task.id)
        if change.status is not None and change.status is not edited.status:
            edited = moves.set_status(self.parts, self.speaker, task.id, change.status, change)
        return self._done(edited)

    @on_record
    def write_section(self, address: str, section: str, text: str) -> Task:
        """Write one section of a task's body."""
        return self._done(editing.write_section(self.parts, self.speaker, self.find(address).id, section, text))

    @on_record
    def remove(self, address: str) -> None:
        """Delete a task's file; history keeps it."""
        editing.remove(self.parts, self.speaker, self.find(address).id)
        self.parts.nudge()

    def run(self, address: str, *, dirty: bool = False, cleanup_on_fail: bool = False) -> Task:
        """Start a task now, ahead of order; when no slot is free, as soon as one is.

        With `cleanup_on_fail` the daemon saves and returns its workspace once the task has failed. With `dirty` what a
        killed run left of its container is removed; its workspace is always used as it was left.
        """
        task = self.find(address)
        if dirty:
            cleanup.leave_no_container(self.parts, [task])
        live = live_runs(self.parts, Graph(self.board()))
        limits = self.settings.limits
        full = inplace.is_taken(self.parts, task) or live >= (limits.per_project or limits.max_agents)
        claimed = (claims.request_run if full else claims.claim_run)(self.parts, self.speaker, task.id)
        self.parts.cleanups.put(task.id, wanted=cleanup_on_fail)
        if full:
            return self._done(claimed)
        if not self.parts.nudge():
            launch.launch(self.parts, claimed, str(claimed.run))
        return claimed

    @on_record
    def take(self, address: str) -> Task:
        """Claim a task for a person and give them its workspace."""
        claims.check_person(self.speaker, "take a task")
        inplace.check(self.parts, self.find(address))
        claimed = claims.take(self.parts, self.speaker, self.find(address).id)
        return self._done(launch.prepare_workspace(self.parts, claimed))

    @on_record
    def finish(self, address: str) -> Task:
        """End a task that a person took."""
        return self._done(moves.finish(self.parts, self.speaker, self.find(address).id))

    @on_record
    def retry(self, address: str) -> Task:
        """Give a stuck or failed task fresh attempts."""
        return self._done(moves.retry(self.parts, self.speaker, self.find(address).id))

    @on_record
    def cancel(self, address: str) -> Task:
        """Drop a task."""
        before = self.find(address)
        task = moves.cancel(self.parts, self.speaker, before.id)
        if not self.parts.nudge() and before.run and before.tmux_session:
            self.parts.executor.stop(before.run, before.tmux_session, 5.0)
        return task

    @on_record
    def reopen(self, address: str) -> Task:
        """Make a done task pending again."""
        return self._done(moves.reopen(self.parts, self.speaker, self.find(address).id))

    @on_record
    def restore(self, address: str) -> Task:
        """Bring a cancelled task back to the backlog."""
        return self._done(moves.restore(self.parts, self.speaker, self.find(address).id))

    @on_record
    def release(self, address: str, *, force: bool = False) -> Task:
        """Give a claimed task back."""
        return self._done(moves.release(self.parts, self.speaker, self.find(address).id, force=force))

    @on_record
    def approve(self, address: str, commit: str | None = None) -> Task:
        """Approve a task at its branch's commit."""
        return self._done(moves.approve(self.parts, self.speaker, self.find(address).id, commit))

    @on_record
    def comment(self, address: str, said: Comment) -> Task:
        """Comment on a line; sent with the reviewer's decision."""
        return comments.comment(self.parts, self.speaker, self.find(address), said)

    @on_record
    def reject(self, address: str, feedback: str) -> Task:
        """Request changes; the comments that wait go with them."""
        return self._done(moves.reject(self.parts, self.speaker, self.find(address).id, feedback))

    @on_record
    def merge(self, address: str) -> Task:
        """Integrate a reviewed task now; where the project has checks, as soon as its merge has passed them."""
        claims.check_person(self.speaker, "merge")
        if self.settings.checks:
            return self._done(merging.enqueue(self.parts, self.speaker, self.find(address).id))
        task = settling.integrate(self.parts, self.speaker, self.find(address).id)
        self.parts.integration.follow(launch.base_of(self.parts, task))
        return self._done(task)

    @on_record
    def rollback(self, address: str) -> Task:
        """Take a done task's work out of its base again."""
        task = rolling_back.rollback(self.parts, self.speaker, self.find(address).id)
        self.parts.integration.follow(task.merged.base if task.merged else launch.base_of(self.parts, task))
        return self._done(task)

    def ask(self, question: str) -> Task:
        """Ask a person, on behalf of the task the speaker works on."""
        return self._done(moves.ask(self.parts, self.speaker, question))

    @on_record
    def answer(self, address: str, text: str) -> Task:
        """Answer a task's question."""
        return self._done(moves.answer(self.parts, self.speaker, self.find(address).id, text))

    def take_over(self, address: str) -> Handover:
        """Give the person a task and its agent's conversation, to be continued in the terminal."""
        return takeover.take_over(self.parts, self.speaker, self.find(address))

    @property
    def quick(self) -> QuickActions:
        """The quick actions."""
        return QuickActions(self.parts, self.speaker)

    @property
    def runs(self) -> RunViews:
        """The runs of its tasks."""
        from orange.project.runviews import RunViews  # asked for over HTTP only, as what follows

        return RunViews(self.parts)

    @property
    def queue(self) -> Queue:
        """The jobs that were sent to the queue."""
        from orange.project.queue import Queue

        return Queue(self.parts, self.speaker)

    @property
    def webhooks(self) -> Webhooks:
        """Whom its events are delivered to."""
        from orange.project.webhooks import Webhooks

        return Webhooks(self.parts, self.speaker)

    # -- operating

    def gc(self) -> Sequence[str]:
        """Mend half-made workspaces and prepare a spare; returns a sentence for each thing done."""
        done = list(self.parts.workspaces.repair())
        return [*done, "prepared a spare workspace"] if self.parts.workspaces.refill() else done

    def cleanup(self, address: str | None, options: cleanup.Options) -> Rows:
        """Return workspaces that are provably safe to return; name what is kept and why."""
        task = self.find(address) if address else None
        return cleanup.clean(self.parts, self.board(), task, options)

    def pause(self, reason: str | None) -> None:
        """Start nothing new; what runs goes on."""
        dispatching.write(self.layout.dispatch, dispatching.paused(self.parts.clock.now(), reason, draining=False))
        self.parts.nudge()

    def drain(self, reason: str | None) -> bool:
        """Pause, and let the daemon stop when idle; returns whether there is one to stop."""
        running = self.parts.daemon_running()
        dispatching.write(self.layout.dispatch, dispatching.paused(self.parts.clock.now(), reason, draining=running))
        self.parts.nudge()
        return running

    def resume(self) -> None:
        """Start new work again."""
        dispatching.write(self.layout.dispatch, {"resumed_at": self.parts.clock.now()})
        self.parts.nudge()

    def config_set(self, key: str, value: str, *, user: bool = False) -> None:
        """Set one key in the project's or the user's file. Agents may not."""
        claims.check_person(self.speaker, "change settings")
        self.parts.configuration.assign(key, value, user=user)
        self.parts.store.record()
        self.parts.nudge()

    def _done(self, task: Task) -> Task:
        self.parts.nudge()
        return task
