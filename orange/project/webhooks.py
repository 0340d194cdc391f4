"""Delivering a project's events to its webhooks: one pass after another, each going on where the last one ended.

Next in the flow: `reconciler.webhooks` lets passes run beside everything else; routes show how far they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orange.core import times
from orange.core.model import Task
from orange.core.problems import InvalidInput, OrangeError
from orange.core.service import webhooks
from orange.core.service.webhooks import Hook, Message, Progress, Wait
from orange.core.storeports import Event
from orange.project.claims import check_person
from orange.project.parts import Parts
from orange.project.requests import Speaker

#: Deliveries after which it is kept how far they are: so many may be repeated after a kill.
_KEPT = 20


class Unsigned(OrangeError):
    """A receiver that nothing is sent to, because nothing can be signed for it."""

    code = "webhook_unsigned"
    http_status = 409


class NoWebhook(InvalidInput):
    """No receiver has the given id."""

    code = "webhook_not_found"
    http_status = 404


class Post:
    """The deliveries to one receiver."""

    def __init__(self, parts: Parts, hook: Hook) -> None:
        self._parts, self._hook = parts, hook
        self.progress = webhooks.progress(parts.deliveries.progress(hook.key), parts.clock.now())
        self._kept = 0

    def deliver(self, tasks: Iterable[Task]) -> None:
        """Deliver what is due of these tasks. Raises Unsigned, StorageFailed and what revealing a secret does."""
        if self.progress.down.until > self._parts.clock.now():
            return
        secret = secret_of(self._parts, self._hook)
        for task in tasks:
            if not self._of(task.id, secret):
                break
        self._keep()

    def _of(self, task: str, secret: str) -> bool:
        """Deliver a task's lines in order; returns whether the receiver can be reached."""
        wait = self.progress.waits.get(task, Wait())
        if wait.until > self._parts.clock.now():
            return True
        try:
            trail = self._parts.store.events(task)
        except OrangeError:  # it is gone, and its trail with it
            return True
        while found := self.progress.due(self._hook, task, trail):
            number, event = found
            answer = self._send(task, number, event, secret)
            if isinstance(answer, str):
                self.progress.down.failed(self._parts.clock.now(), webhooks.PATIENT)
                return False
            self.progress.down = Wait()
            if not self._settled(task, number, answer):
                return True
        return True

    def _send(self, task: str, number: int, event: Event, secret: str) -> int | str:
        sent = webhooks.message(self._parts.host, self._parts.name, task, number, event)
        answer = send(self._parts, self._hook, sent, secret)
        self.progress.note(_line(self._parts, sent, task, answer))
        self._kept += 1
        if self._kept % _KEPT == 0:
            self._keep()
        return answer

    def _settled(self, task: str, number: int, status: int) -> bool:
        """Note an answer; returns whether the next line may follow."""
        if not 200 <= status < 300:
            wait = self.progress.waits.setdefault(task, Wait())
            wait.failed(self._parts.clock.now())
            if not wait.over:
                return False
        self.progress.waits.pop(task, None)
        self.progress.lines[task] = number + 1
        return True

    def _keep(self) -> None:
        told = self.progress.told()
        if told != self._parts.deliveries.progress(self._hook.key):
            self._parts.deliveries.keep(self._hook.key, told)


def secret_of(parts: Parts, hook: Hook) -> str:
    """Take the signing secret from where it is. Raises Unsigned, or why it cannot be had."""
    if hook.secret_ref is None:
        raise Unsigned(f"{hook.shown}: give `secret_ref`: what is not signed is not sent")
    return parts.revealed({"secret_ref": hook.secret_ref})["secret_ref"]


def send(parts: Parts, hook: Hook, sent: Message, secret: str) -> int | str:
    """Post a message; returns the status of the answer, or why there was none."""
    return parts.deliveries.post(hook.url, webhooks.headers(sent, secret, parts.clock.now()), sent.body)


def _line(parts: Parts, sent: Message, task: str | None, answer: int | str) -> dict[str, Any]:
    status, error = (answer, None) if isinstance(answer, int) else (None, answer)
    return {
        "at": times.stamp(parts.clock.now()),
        "id": sent.id,
        "type": sent.type,
        "task": task,
        "status": status,
        "error": error,
    }


class Webhooks:
    """A project's receivers, for whoever looks after them."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self._parts, self._speaker = parts, speaker

    def list(self) -> list[dict[str, Any]]:
        """Tell each receiver and how far its deliveries are; no address shows a password."""
        return [self._view(hook) for hook in self._hooks()]

    def test(self, key: str) -> dict[str, Any]:
        """Send a receiver a test event now, once; returns what came of it. Raises NoWebhook, Unsigned."""
        check_person(self._speaker, "send webhooks")
        hook = next((hook for hook in self._hooks() if hook.key == key), None)
        if hook is None:
            raise NoWebhook("webhook", f"there is no {key!r}: `GET /api/v2/webhooks` lists them")
        parts, now = self._parts, self._parts.clock.now()
        event = Event(times.stamp(now), webhooks.TEST, self._speaker.label, {})
        number = int.from_bytes(parts.random(6), "big")
        sent = webhooks.message(parts.host, parts.name, "", number, event)
        return _line(parts, sent, None, send(parts, hook, sent, secret_of(parts, hook)))

    def _hooks(self) -> tuple[Hook, ...]:
        return webhooks.hooks_of(self._parts.settings().webhooks)

    def _view(self, hook: Hook) -> dict[str, Any]:
        now = self._parts.clock.now()
        found: Progress = webhooks.progress(self._parts.deliveries.progress(hook.key), now)
        waiting = [found.down, *found.waits.values()]
        until = max((wait.until for wait in waiting), default=0.0)
        return {
            "id": hook.key,
            "url": hook.shown,
            "events": list(hook.events),
            "signed": hook.secret_ref is not None,
            "waiting_tasks": len(found.waits),
            "next_attempt_at": times.stamp(until) if until > now else None,
            "deliveries": list(reversed(found.log)),
        }
