"""`orange task approve|reject|comment|merge|rollback`: what a reviewer says and decides."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, task
from orange.cli.render import one_line
from orange.cli.task_move import moved
from orange.core.comments import Comment


@click.command(cls=Command, epilog="Example: orange task approve oauth-api --commit 3f2a91c")
@task()
@click.option("--commit", metavar="SHA", help="Only if the branch is still at this commit.")
@common
def approve(call: Call, /, task: str | None, commit: str | None) -> None:
    """Approve a task's work at its present commit; new commits void it."""
    moved(call, call.project.approve(call.address(task), commit))


@click.command(cls=Command, epilog='Example: orange task reject oauth-api --feedback "Handle expired tokens"')
@task()
@click.option("--feedback", metavar="T", default="", help="What to change; `-` reads standard input.")
@common
def reject(call: Call, /, task: str | None, feedback: str) -> None:
    """Ask for changes: the same conversation takes the work up again.

    Pending comments on lines (`orange task comment`) go with the feedback, which may be left out then.
    """
    moved(call, call.project.reject(call.address(task), call.read_text(feedback) if feedback else ""))


@click.command(cls=Command, epilog='Example: orange task comment oauth-api --file api.py --line 12 --text "Check it"')
@task()
@click.option("--file", metavar="F", required=True, help="A file that the branch changes.")
@click.option("--line", metavar="N", required=True, type=int, help="A line of it, as the branch has it.")
@click.option("--text", metavar="T", required=True, help="What to say of it; `-` reads standard input.")
@common
def comment(call: Call, /, task: str | None, file: str, line: int, text: str) -> None:
    """Comment on a line of a task under review; sent to the agent with `orange task reject`."""
    done = call.project.comment(call.address(task), Comment(file, line, call.read_text(text)))
    count = len(call.project.evidence(done.id)["comments"])
    said = f"{count} comment{' waits' if count == 1 else 's wait'}: `orange task reject {done.id}` sends them"
    view = call.project.view(done.id) if call.out.json else {}
    call.out.give({"task": view}, lambda: [said])


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
