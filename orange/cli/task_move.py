"""`orange task run|take|finish|retry|cancel|reopen|restore|release|remove`: moving a task through its life."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, task
from orange.cli.render import one_line
from orange.cli.task_update import changed_line
from orange.core.model import Task


def moved(call: Call, done: Task, *remarks: str) -> None:
    """Print how the task stands now."""
    view = call.project.view(done.id) if call.out.json else {}
    call.out.give({"task": view}, lambda: [changed_line(done), *remarks])


@click.command(cls=Command, epilog="Example: orange task run oauth-api")
@task()
@click.option("--cleanup-on-fail", is_flag=True, help="Save and return the workspace if the task fails.")
@click.option("--dirty-run", is_flag=True, help="Use the workspace as the last run left it; remove its containers.")
@common
def run(call: Call, /, task: str | None, cleanup_on_fail: bool, dirty_run: bool) -> None:
    """Start a task now, ahead of order; it is still claimed exactly once."""
    started = call.project.run(call.address(task), cleanup_on_fail=cleanup_on_fail, dirty=dirty_run)
    moved(call, started, f"`orange task log {started.id} --follow` shows its output")


@click.command(cls=Command)
@task()
@common
def take(call: Call, /, task: str | None) -> None:
    """Take a task to do it yourself; end with `orange task finish`."""
    taken = call.project.take(call.address(task))
    moved(call, taken, *([f"its workspace: {one_line(taken.workspace)}"] if taken.workspace else []))


@click.command(cls=Command)
@task()
@common
def finish(call: Call, /, task: str | None) -> None:
    """Hand in a task you took: it goes on to its review."""
    moved(call, call.project.finish(call.address(task)))


@click.command(cls=Command)
@task()
@common
def retry(call: Call, /, task: str | None) -> None:
    """Make a stuck task startable again, with fresh attempts."""
    moved(call, call.project.retry(call.address(task)))


@click.command(cls=Command)
@task()
@common
def cancel(call: Call, /, task: str | None) -> None:
    """Drop a task; its work is kept."""
    moved(call, call.project.cancel(call.address(task)))


@click.command(cls=Command)
@task()
@common
def reopen(call: Call, /, task: str | None) -> None:
    """Make a finished task startable again."""
    moved(call, call.project.reopen(call.address(task)))


@click.command(cls=Command)
@task()
@common
def restore(call: Call, /, task: str | None) -> None:
    """Bring a cancelled task back to the backlog."""
    moved(call, call.project.restore(call.address(task)))


@click.command(cls=Command)
@task()
@click.option("--force", is_flag=True, help="Also a claim of another host, which must be gone for good.")
@common
def release(call: Call, /, task: str | None, force: bool) -> None:
    """Give up a claim: the task becomes startable again."""
    moved(call, call.project.release(call.address(task), force=force))


@click.command(cls=Command)
@task(required=True)
@common
def remove(call: Call, /, task: str) -> None:
    """Delete a task's files; history keeps them (`git log orange-tasks`)."""
    found = call.project.find(task)
    view = call.project.view(found.id) if call.out.json else {}
    call.project.remove(found.id)
    call.out.give({"task": view}, lambda: [f"removed {found.id} {one_line(found.name)}"])
