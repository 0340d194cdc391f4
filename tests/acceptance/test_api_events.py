"""The event stream of a real daemon: live, resumed, bounded, and only for who may read."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from tests.acceptance.api import Client, client
from tests.acceptance.place import Place

EVENTS = "/api/v2/events"


class Event(NamedTuple):
    """One event as it came."""

    id: str
    type: str
    data: dict[str, Any]


@contextmanager
def following(api: Client, last: str | None = None, path: str = EVENTS) -> Iterator[Iterator[Event]]:
    """Follow the stream, one event after the other."""
    headers = {"Authorization": f"Bearer {api.token}"} | ({"Last-Event-ID": last} if last else {})
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)) as link:
        link.request("GET", path, headers=headers)
        answer = link.getresponse()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
        yield _events(answer)


def _events(answer: http.client.HTTPResponse) -> Iterator[Event]:
    parts: dict[str, str] = {}
    for line in answer:
        name, _, text = line.decode().rstrip("\n").partition(": ")
        if name and text:
            parts[name] = text
        elif not name and "event" in parts:
            yield Event(parts["id"], parts["event"], json.loads(parts["data"]))
            parts = {}


def until(events: Iterator[Event], type_: str, task: str) -> list[Event]:
    """Return the events up to the first of a type about a task."""
    seen = []
    for event in events:
        seen.append(event)
        if (event.type, event.data.get("task")) == (type_, task):
            return seen
    raise AssertionError(f"the stream ended: {seen}")


def test_a_follower_sees_what_happens_and_goes_on_where_it_left(place: Place) -> None:
    """A task's whole life as events in order, with whose view changed; a second stream misses nothing of it."""
    place.start()
    api = client(place, ".read")
    with following(api) as events:
        assert next(events).type == "reset"
        begun = next(event for event in events if event.type == "reset" and event.data == {"project": "repo"})
        task = place.create("db", "write a.txt a\ncommit Add a", "--blocked-by", place.create("first", "write b b"))
        seen = until(events, "task.created", task)
        assert all(event.data["project"] == "repo" for event in seen)
        last = seen[-1]
        done = until(events, "task.completed", task)
        types = [event.type for event in done if event.data.get("task") == task]
        assert types[:2] == ["task.updated", "task.claimed"]
        assert {"task.prepare", "task.execute"} <= set(types)
        assert any(event.type == "tasks.changed" and task in event.data["tasks"] for event in done)
    with following(api, last.id) as again:
        assert until(again, "task.completed", task)[: len(done)] == done
    with following(api, "another-1") as anew:
        assert next(anew).type == "reset"
    with following(api, begun.id, f"{EVENTS}?project=repo") as own:
        assert until(own, "task.completed", task)
    assert api.call("GET", f"{EVENTS}?project=nobody").status == 422
    assert Client(api.port, None).call("GET", EVENTS).status == 401


def test_followers_who_do_not_read_delay_nobody_and_do_not_hold_the_daemon(place: Place) -> None:
    """Many stalled streams: another follower gets its events, and the daemon stops when told."""
    daemon = place.start()
    api = client(place)
    stalled = []
    for _ in range(50):
        link = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
        link.request("GET", EVENTS, headers={"Authorization": f"Bearer {api.token}"})
        stalled.append(link)
    with following(api) as events:
        next(events)
        task = api.post("/api/v2/tasks", {"title": "hello"}, 201)["task"]["id"]
        until(events, "task.created", task)
    place.orange("daemon", "stop")
    assert daemon.wait(30) == 0
    for link in stalled:
        link.close()
