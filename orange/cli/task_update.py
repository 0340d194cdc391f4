"""`orange task update`: change fields or the status of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from orange.cli.call import Call, words
from orange.cli.parsing import Command, TaskAddress, common, many, task
from orange.cli.render import one_line
from orange.core.lifecycle import Status, StuckReason, legal_targets
from orange.core.model import Priority, Task
from orange.core.problems import IllegalTransition, InvalidInput, OrangeError
from orange.project.requests import Edit

#: The board's words, as targets.
_BOARD_WORDS = {
    "ready": Status.PENDING,
    "in_progress": Status.WORKING,
    "in_review": Status.REVIEWING,
    "blocked": Status.STUCK,
}
_TARGETS = click.Choice([*(status.value for status in Status), *_BOARD_WORDS])


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  orange task update oauth-api --priority high --add-label api
  orange task update --status delegated          (inside a workspace)
  orange task update --tasks a2b3c4d5,e6f7g8h9 --status backlog
""",
)
@task()
@click.option("--status", metavar="S", type=_TARGETS, help="A status, or ready, in_progress, in_review, blocked.")
@click.option("--title", metavar="T", help="Its new title.")
@click.option("--priority", type=click.Choice([word.value for word in Priority]))
@many("--add-label", "add_labels", metavar="L", help="May be repeated.")
@many("--remove-label", "remove_labels", metavar="L", help="May be repeated.")
@many("--blocked-by", "block", metavar="ID", type=TaskAddress(), help="Add a blocker; may be repeated.")
@many("--unblock", metavar="ID", type=TaskAddress(), help="Drop a blocker; may be repeated.")
@click.option("--reason", metavar="R", help="With --status stuck: the structured reason.")
@click.option("--message", metavar="M", help="Why, in one sentence.")
@click.option("--tasks", metavar="ID,ID,...", help="Change all of these alike.")
@common
def update(call: Call, /, task: str | None, tasks: str | None, **given: Any) -> None:
    """Change fields or the status of one task or several."""
    change = _change(given)
    if tasks is None:
        done = _apply(call, call.address(task), given["status"], change)
        view = call.project.view(done.id) if call.out.json else {}
        call.out.give({"task": view}, lambda: [changed_line(done)])
        return
    if task is not None:
        raise click.UsageError("give TASK or --tasks, not both")
    _update_many(call, words(tasks.split(",")), lambda one: _apply(call, one, given["status"], change))


def changed_line(done: Task) -> str:
    """Say how a task stands after a change."""
    return f"{done.id} {one_line(done.name)} is {done.status}"


def _change(given: dict[str, Any]) -> Edit:
    lists: dict[str, Any] = {key: words(given[key]) for key in ("add_labels", "remove_labels", "block", "unblock")}
    texts = {key: given[key] for key in ("title", "reason", "message")}
    if not (given["status"] or given["priority"] or given["title"] is not None or any(lists.values())):
        raise click.UsageError("say what to change: --status, --title, --priority, a label or a blocker")
    return Edit(
        **lists,
        **_stuck_texts(given["status"], texts),
        priority=Priority(given["priority"]) if given["priority"] else None,
        status=_target(given["status"]),
    )


def _stuck_texts(target: str | None, texts: dict[str, str | None]) -> dict[str, Any]:
    if target == "blocked" or (target == "stuck" and texts["reason"] is None):
        return {**texts, "reason": StuckReason.MANUAL.value}
    if texts["reason"] is not None and target == "stuck" and texts["reason"] not in set(StuckReason):
        raise InvalidInput("reason", f"{texts['reason']!r} is none of {', '.join(StuckReason)}")
    return texts


def _target(word: str | None) -> Status | None:
    return None if word is None else _BOARD_WORDS.get(word) or Status(word)


def _apply(call: Call, address: str, word: str | None, change: Edit) -> Task:
    if word == "ready":
        _check_unblocked(call, address)
    return call.project.edit(address, change)


def _check_unblocked(call: Call, address: str) -> None:
    """Refuse the target `ready` while a blocker is open."""
    from orange.core import graph

    board = call.project.board()
    found = call.project.find(address)
    blockers = tuple(graph.open_blockers(found, board.tasks, call.project.settings))
    if blockers:
        reason = f"it is blocked by {', '.join(blockers)}"
        raise IllegalTransition(found.id, found.status, "ready", legal_targets(found.status), reason, blockers)


class PartlyDone(OrangeError):
    """A change of several tasks of which some were refused."""

    code = "partly_done"

    def __init__(self, done: Sequence[str], refused: Sequence[str]) -> None:
        changed = f"changed {', '.join(done)}; " if done else "nothing was changed; "
        super().__init__(changed + "; ".join(refused))


def _update_many(call: Call, addresses: Sequence[str], apply: Callable[[str], Task]) -> None:
    found = [call.project.find(address).id for address in addresses]  # a misspelt one changes nothing
    done: list[Task] = []
    refused: list[str] = []
    for one in dict.fromkeys(found):
        try:
            done.append(apply(one))
        except OrangeError as error:
            refused.append(error.message)
    if refused:
        raise PartlyDone([one.id for one in done], refused)
    views = [call.project.view(one.id) for one in done] if call.out.json else []
    call.out.give({"tasks": views}, lambda: [changed_line(one) for one in done])
