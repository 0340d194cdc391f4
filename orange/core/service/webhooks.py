"""Webhooks: what is delivered to whom, how it is signed (Standard Webhooks), and when it is tried again. Pure.

Every line of a task's trail is a message. A task's messages arrive in order, each at least once: one that is refused is
tried again later and holds up those behind it of its own task, a receiver that cannot be reached all of its messages.

Next in the flow: `project.webhooks` delivers them.
"""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from orange.core import times
from orange.core.storeports import Event

#: Seconds until the next attempt, by how many there were; after the last of them it is given up.
BACKOFF = (1, 5, 30, 120, 600, 3600, 4 * 3600)
#: Seconds until the next attempt, at most, at a receiver that could not be reached at all.
PATIENT = 300
#: Lines of the delivery log that are kept, for each receiver.
KEPT = 200
#: The event of a test.
TEST = "webhook.test"
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Hook:
    """One receiver, as the settings say."""

    url: str
    #: Names of events, `task.*` for all that begin so; empty for all.
    events: tuple[str, ...] = ()
    secret_ref: str | None = None

    @property
    def key(self) -> str:
        """Its name in the records: a digest, for an address may hold a password."""
        return sha256(self.url.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def shown(self) -> str:
        """Its address as it may be shown: without a user, a password and a query."""
        scheme, _, rest = self.url.partition("://")
        place, slash, path = rest.partition("/")
        return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"

    def wants(self, event: str) -> bool:
        """Whether it is told of an event."""
        return not self.events or any(
            event == word or (word.endswith("*") and event.startswith(word[:-1])) for word in self.events
        )


def hooks_of(settings: Iterable[Mapping[str, object]]) -> tuple[Hook, ...]:
    """Read the setting `webhooks`; of one address, the first."""
    found: dict[str, Hook] = {}
    for said in settings:
        events, secret = said.get("events") or (), said.get("secret_ref")
        names = tuple(map(str, events)) if isinstance(events, (list, tuple)) else ()
        found.setdefault(str(said["url"]), Hook(str(said["url"]), names, str(secret) if secret else None))
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Message:
    """What is delivered."""

    #: The same at every attempt: a receiver that has seen it passes it over.
    id: str
    type: str
    body: bytes


def message(origin: str, project: str, task: str, number: int, event: Event) -> Message:
    """Make the message of a trail's line; `origin` names the clone, so that no two have messages of one id."""
    digest = sha256(f"{origin}\n{task}\n{number}".encode()).hexdigest()[:32]
    data = {"project": project, "task": task, "at": event.at, "by": event.by, "data": dict(event.data)}
    told = {"type": event.type, "timestamp": event.at, "data": data}
    return Message(f"msg_{digest}", event.type, json.dumps(told, separators=(",", ":")).encode())


def headers(sent: Message, secret: str, now: float) -> dict[str, str]:
    """Return what goes with a message at an attempt."""
    stamp = str(int(now))
    return {
        "Content-Type": "application/json",
        "User-Agent": "orange",
        "webhook-id": sent.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature(sent, secret, stamp)}",
    }


def signature(sent: Message, secret: str, stamp: str) -> str:
    """Sign a message: HMAC-SHA256 of its id, the time and its body."""
    signed = b".".join((sent.id.encode(), stamp.encode(), sent.body))
    return b64encode(hmac.new(_key(secret), signed, sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """Return a secret's bytes: one that begins with `whsec_` is Base64, any other is taken as it is."""
    if secret.startswith(_PREFIX):
        try:
            return b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Wait:
    """Attempts that failed, and until when the next one waits (seconds since 1970)."""

    attempts: int = 0
    until: float = 0.0

    def failed(self, now: float, most: float = BACKOFF[-1]) -> None:
        """Note one more; the next comes after `most` seconds at the latest."""
        self.until = now + min(most, BACKOFF[min(self.attempts, len(BACKOFF) - 1)])
        self.attempts += 1

    @property
    def over(self) -> bool:
        """Whether there were as many as there may be."""
        return self.attempts > len(BACKOFF)


@dataclass(slots=True)
class Progress:
    """How far the deliveries to one receiver are."""

    #: RFC 3339: what is older was there before it, and is not told.
    since: str
    #: Task -> how many lines of its trail are done with.
    lines: dict[str, int] = field(default_factory=dict)
    #: Task -> why its next line waits.
    waits: dict[str, Wait] = field(default_factory=dict)
    #: Why all of it waits: it cannot be reached.
    down: Wait = field(default_factory=Wait)
    #: The latest attempts, the oldest first.
    log: list[dict[str, Any]] = field(default_factory=list)

    def due(self, hook: Hook, task: str, trail: Sequence[Event]) -> tuple[int, Event] | None:
        """Return a task's next line that is to be delivered; those before it that are not are done with."""
        for number in range(self.lines.get(task, 0), len(trail)):
            event = trail[number]
            if event.at >= self.since and hook.wants(event.type):
                return number, event
            self.lines[task] = number + 1
        return None

    def note(self, line: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        self.log = [*self.log, dict(line)][-KEPT:]

    def told(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "since": self.since,
            "lines": self.lines,
            "waits": {task: [wait.attempts, wait.until] for task, wait in self.waits.items()},
            "down": [self.down.attempts, self.down.until],
            "log": self.log,
        }


def progress(told: object, now: float) -> Progress:
    """Read a progress; one that cannot be understood begins now."""
    try:
        assert isinstance(told, dict)
        return Progress(
            str(told["since"]),
            {str(task): int(count) for task, count in told["lines"].items()},
            {str(task): Wait(int(attempts), float(until)) for task, (attempts, until) in told["waits"].items()},
            Wait(int(told["down"][0]), float(told["down"][1])),
            [dict(line) for line in told["log"]],
        )
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Progress(times.stamp(now))


class Deliveries(Protocol):
    """Sends messages, and keeps how far they are: a small file of this machine."""

    def post(self, url: str, sent: Mapping[str, str], body: bytes) -> int | str:
        """Post a message; returns the status of the answer, or why there was none."""

    def progress(self, key: str) -> object:
        """Return what was kept of a receiver; None where nothing was."""

    def keep(self, key: str, told: Mapping[str, Any]) -> None:
        """Keep how far the deliveries to a receiver are. Raises StorageFailed."""
