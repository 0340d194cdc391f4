"""Puts what an agent was refused into the audit trail of the task it was about: that it tried is worth knowing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from orange.core.lifecycle import Actor
from orange.core.model import Task
from orange.core.problems import IllegalTransition, NotAllowed, OrangeError
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Requested(Protocol):
    """What takes requests on behalf of a speaker."""

    parts: Parts
    speaker: Speaker

    def find(self, address: str) -> Task:
        """Resolve an address."""


Project = TypeVar("Project", bound=Requested)


def on_record(
    request: Callable[Concatenate[Project, str, P], Answer],
) -> Callable[Concatenate[Project, str, P], Answer]:
    """Wrap a request about a task: where an agent is refused it, the task's events say so."""

    @functools.wraps(request)
    def attempt(project: Project, address: str, /, *args: P.args, **more: P.kwargs) -> Answer:
        try:
            return request(project, address, *args, **more)
        except (NotAllowed, IllegalTransition) as refused:
            if project.speaker.actor is Actor.AGENT:
                _note(project, address, request.__name__, refused.message)
            raise

    return attempt


def _note(project: Requested, address: str, what: str, reason: str) -> None:
    with contextlib.suppress(OrangeError):  # the refusal itself is what the agent has to be told
        task = project.find(address)
        with project.parts.store.transaction(f"note what was refused on {task.id}") as tx:
            Pen(project.parts, project.speaker, tx).event(task.id, "task.updated", refused=what, reason=reason)
