"""`orange task approve|reject|merge|rollback`: what a reviewer decides."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, task
from orange.cli.render import one_line
from orange.cli.task_move import moved


@click.command(cls=Command, epilog="Example: orange task approve oauth-api --commit 3f2a91c")
@task()
@click.option("--commit", metavar="SHA", help="Only if the branch is still at this commit.")
@common
def approve(call: Call, /, task: str | None, commit: str | None) -> None:
    """Approve a task's work at its present commit; new commits void it."""
    moved(call, call.project.approve(call.address(task), commit))


@click.command(cls=Command, epilog='Example: orange task reject oauth-api --feedback "Handle expired tokens"')
@task()
@click.option("--feedback", metavar="T", required=True, help="What to change; `-` reads standard input.")
@common
def reject(call: Call, /, task: str | None, feedback: str) -> None:
    """Ask for changes: the same conversation takes the work up again."""
    moved(call, call.project.reject(call.address(task), call.read_text(feedback)))


@click.command(cls=Command)
@task()
@common
def merge(call: Call, /, task: str | None) -> None:
    """Integrate a reviewed task now."""
    moved(call, call.project.merge(call.address(task)))


@click.command(cls=Command)
@task()
@common
def rollback(call: Call, /, task: str | None) -> None:
    """Take a done task's work out of its base again, by a commit that reverts its merge.

    The task is then stuck, its branch is kept, and tasks that need it wait again. `orange task retry` begins by
    bringing the work back on the task's branch.
    """
    done = call.project.rollback(call.address(task))
    moved(call, done, *([one_line(done.stuck.message)] if done.stuck else []))
