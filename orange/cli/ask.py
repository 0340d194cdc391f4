"""`orange ask|answer|attach|takeover`: agents and people talk."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, seconds, task, text
from orange.cli.render import text_lines
from orange.cli.task_move import moved
from orange.cli.task_record import become


@click.command(cls=Command, epilog='Example: orange ask "Which of the two schemas is current?" --wait')
@text("question")
@click.option("--wait", is_flag=True, help="Wait for the answer and print it.")
@click.option("--timeout", metavar="D", help="With --wait: at most this long, such as 30m.")
@common
def ask(call: Call, /, question: str, wait: bool, timeout: str | None) -> None:
    """Ask people a question (for agents): the task waits until somebody answers."""
    limit = seconds(timeout) if timeout else None
    asked = call.project.ask(call.read_text(question))
    if not wait:
        moved(call, asked, "end your turn now: the answer starts you again, and stands in `## Answers`")
        return
    reply = call.project.wait_answer(asked.id, limit)
    if not reply:
        raise click.ClickException("nobody has answered yet: the question stands, and the answer starts you again")
    answer = {"task": call.project.view(asked.id), "answer": reply} if call.out.json else {}
    call.out.give(answer, lambda: text_lines(reply))


@click.command(cls=Command, epilog='Example: orange answer oauth-api "The one in db/schema.sql"')
@task(required=True)
@text("text")
@common
def answer(call: Call, /, task: str, text: str) -> None:
    """Answer a task's question; TEXT `-` reads standard input."""
    moved(call, call.project.answer(task, call.read_text(text)))


@click.command(cls=Command)
@task()
@common
def attach(call: Call, /, task: str | None) -> None:
    """Join the live session of a task (leave it with C-b d)."""
    found = call.project.find(call.address(task))
    become(call, found.id, call.project.attach(found.id))


@click.command(cls=Command)
@task()
@common
def takeover(call: Call, /, task: str | None) -> None:
    """Continue an agent's conversation yourself: its run is ended, and the task is yours.

    Afterwards hand it in with `orange task finish`, or give it back to its agent with `orange task release`.
    """
    given = call.project.take_over(call.address(task))
    become(call, given.task.id, given.argv, env=given.env, folder=given.folder)
