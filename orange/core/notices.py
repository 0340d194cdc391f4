"""What a person is told who looks at no terminal: a question, a task that is stuck, a review that waits, all work done.

Next in the flow: `reconciler.notifying` tells each once, by the user's own command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Task
from orange.core.settings import Settings

QUESTION, STUCK, REVIEW, ALL_DONE = "question", "stuck", "review", "all_done"
#: Why a task is stuck -> what is told; anything else is `stuck`.
_EVENTS = {StuckReason.QUESTION: QUESTION, StuckReason.APPROVAL: REVIEW}


class Notice(NamedTuple):
    """One thing to tell."""

    #: One of the words above.
    event: str
    #: One sentence.
    message: str
    #: Equal for what is the same occasion.
    key: str
    #: The task's id, name and title; empty where it is about all.
    task: str = ""
    name: str = ""
    title: str = ""


def notices(graph: Graph, settings: Settings) -> tuple[Notice, ...]:
    """List what needs a person now, or that nothing is left to do."""
    return tuple(_notices(graph, settings))


def _notices(graph: Graph, settings: Settings) -> Iterator[Notice]:
    for task_id in graph.with_status(Status.STUCK, Status.REVIEWING):
        task = graph.tasks[task_id]
        if task.request is not None:
            continue  # somebody has answered
        if task.stuck is not None:
            event = _EVENTS.get(task.stuck.reason, STUCK)
            yield _of(task, event, task.stuck.message or str(task.stuck.reason), task.stuck.since)
        elif task.status is Status.REVIEWING and settings.review.by != "agent":
            yield _of(task, REVIEW, "it waits for a review", task.epoch)
    done = len(graph.with_status(Status.DONE))
    if done and len(graph.closed()) == len(graph.tasks):
        yield Notice(ALL_DONE, f"nothing is left to do; tasks done: {done}", f"{ALL_DONE} {done}")


def _of(task: Task, event: str, message: str, occasion: object) -> Notice:
    return Notice(event, message, f"{event} {task.id} {occasion}", task.id, task.name, task.title)
