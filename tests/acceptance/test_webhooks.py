"""Webhooks over a real daemon and a real receiver: signed, in order for each task, each at least once."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.api import client
from tests.acceptance.conftest import configure
from tests.acceptance.place import PATIENCE, Place
from tests.acceptance.receiver import Got, Receiver

KEY = b"k" * 24
TASKS = "/api/v2/tasks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    found = Receiver(KEY)
    found.start()
    yield found
    found.stop()


def told_of(place: Place, receiver: Receiver, events: str = "") -> None:
    """Let a project tell the receiver."""
    place.extra["HOOK_SECRET"] = f"whsec_{base64.b64encode(KEY).decode()}"
    hook = f'{{url: "{receiver.url}", {events}secret_ref: "env:HOOK_SECRET"}}'
    configure(place, f"agent: script\nreview: {{by: none}}\nwebhooks: [{hook}]\n")


def trail(place: Place, task: str) -> list[tuple[str, Any]]:
    """Return what a task's trail says."""
    events = place.orange("task", "events", task, "--json").json["events"]
    return [(event["type"], event["data"]) for event in events]


def told(messages: list[Got], task: str) -> list[tuple[str, Any]]:
    """Return what was told of a task, each message once."""
    first = {one.id: one for one in reversed(messages) if one.task == task}
    return [(one.body["type"], one.body["data"]["data"]) for one in messages if first.get(one.id) is one]


def test_every_event_arrives_signed_and_in_order_whatever_the_receiver_does(place: Place, receiver: Receiver) -> None:
    """It hangs, refuses, redirects, hangs up, it and the daemon are restarted: each trail arrives whole in the end."""
    answers, released = iter((1, 500, 302, 0)), threading.Event()

    def answer(body: dict[str, Any]) -> int:
        status = next(answers, 204) if body["type"] == "task.claimed" else 204
        if status == 1:
            released.wait(PATIENCE)
            return 204
        return status

    receiver.answer = answer
    told_of(place, receiver)
    place.start()
    names = ("one", "two", "three")
    tasks = [place.create(name, f"write {name}.txt {name}\ncommit Add {name}") for name in names]
    place.settled(dict.fromkeys(names, "done"))  # while the receiver hangs
    released.set()
    place.until(lambda: {one.status for one in receiver.got} >= {500, 302, 0}, "the receiver to refuse", 120)
    receiver.stop()
    tasks.append(place.create("four", "say hello"))
    place.settled({"four": "done"})
    place.orange("daemon", "stop")
    receiver.start()
    place.start()

    def arrived() -> bool:
        return all(told(receiver.taken, task) == trail(place, task) for task in tasks)

    place.until(arrived, "every trail to arrive whole", 120, pace=0.5)
    assert all(one.signed for one in receiver.got)
    assert not any(b"planted" in path.read_bytes() for path in (place.repo / ".git" / "orange").glob("webhooks*"))
    log = (place.home / "daemon.out").read_text()
    assert not [word for word in ("planted", "whsec_", "Traceback") if word in log]


def test_receivers_are_shown_tested_and_told_only_what_they_ask_for(place: Place, receiver: Receiver) -> None:
    """No answer shows what is for the receiver alone; a test is sent at once; without a secret nothing is sent."""
    told_of(place, receiver, "events: [task.created], ")
    place.orange("daemon", "pause")
    place.start()
    api = client(place)
    task = place.create("told")
    place.orange("task", "cancel", task)
    place.until(lambda: [one.task for one in receiver.got] == [task], "the one event to arrive")
    assert [one.body["type"] for one in receiver.got] == ["task.created"]
    place.until(lambda: api.get("/api/v2/webhooks")["webhooks"][0]["deliveries"], "the delivery to be noted")
    (hook,) = api.get("/api/v2/webhooks")["webhooks"]
    assert (hook["url"], hook["signed"]) == (f"http://127.0.0.1:{receiver.port}/in", True)
    assert [line["status"] for line in hook["deliveries"]] == [204]
    sent = api.post(f"/api/v2/webhooks/{hook['id']}/test")["delivery"]
    assert (sent["status"], receiver.got[-1].id, receiver.got[-1].signed) == (204, sent["id"], True)
    assert receiver.got[-1].body["type"] == "webhook.test"
    assert b"planted" not in api.call("GET", "/api/v2/webhooks").body
    assert api.call("POST", "/api/v2/webhooks/none/test").status == 404
    configure(place, f'agent: script\nwebhooks: [{{url: "{receiver.url}"}}]\n')
    refused = api.call("POST", f"/api/v2/webhooks/{hook['id']}/test")
    assert (refused.status, refused.json["code"]) == (409, "webhook_unsigned")
