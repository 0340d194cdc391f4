"""Webhooks: who is told of what, how it is signed, and what is tried again when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orange.core.service.webhooks import (
    BACKOFF,
    KEPT,
    Hook,
    Message,
    Progress,
    Wait,
    headers,
    hooks_of,
    message,
    progress,
    signature,
)
from orange.core.storeports import Event


@pytest.mark.parametrize(
    ("events", "event", "wanted"),
    [
        ((), "task.created", True),
        (("task.created",), "task.created", True),
        (("task.created",), "task.updated", False),
        (("task.*",), "task.updated", True),
        (("quick_run.*", "task.claimed"), "task.updated", False),
        (("*",), "anything", True),
    ],
)
def test_a_receiver_is_told_of_what_it_asks_for(events: tuple[str, ...], event: str, wanted: bool) -> None:
    """By name, or by how names begin."""
    assert Hook("http://a", events).wants(event) is wanted


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    """The secret is Base64 behind its prefix; the id, the time and the body are signed."""
    sent = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", "test", b'{"test": 2432232314}')
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert signature(sent, secret, "1614265330") == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    told = headers(sent, secret, 1614265330.9)
    assert (told["webhook-id"], told["webhook-timestamp"]) == (sent.id, "1614265330")
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_any_secret_can_sign() -> None:
    """One without the prefix, or with what is no Base64 behind it, is taken as it is."""
    sent = Message("m", "test", b"{}")
    found = {signature(sent, secret, "1") for secret in ("plain", "whsec_!!", "whsec_MfKQ", "")}
    assert len(found) == 4


def test_a_message_says_what_the_trail_says() -> None:
    """Its id is the same every time and no other line's."""
    event = Event("2026-11-20T09:00:00Z", "task.claimed", "daemon", {"run": "k-1"})
    sent = message("h0st", "shop", "k3f9x2ab", 4, event)
    assert json.loads(sent.body) == {
        "type": "task.claimed",
        "timestamp": event.at,
        "data": {"project": "shop", "task": "k3f9x2ab", "at": event.at, "by": "daemon", "data": {"run": "k-1"}},
    }
    others = [message("0ther", "shop", "k3f9x2ab", 4, event), message("h0st", "shop", "k3f9x2ab", 5, event)]
    assert len({sent.id, message("h0st", "shop", "k3f9x2ab", 4, event).id, *(one.id for one in others)}) == 3


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    """Users, passwords and queries are for the receiver alone."""
    assert Hook("https://ada:pw@example.org:8443/in/box?token=x#y").shown == "https://example.org:8443/in/box"
    assert Hook("http://example.org").shown == "http://example.org"


def test_the_setting_is_read() -> None:
    """One address is one receiver."""
    said: list[dict[str, Any]] = [
        {"url": "http://a", "events": ["task.created"], "secret_ref": "env:A"},
        {"url": "http://b", "events": None, "secret_ref": None},
        {"url": "http://a"},
    ]
    assert hooks_of(said) == (Hook("http://a", ("task.created",), "env:A"), Hook("http://b"))


def test_attempts_wait_longer_and_longer_and_end() -> None:
    """A refused message is given up in the end; a receiver that is away is asked again soon enough."""
    wait, seconds = Wait(), []
    while not wait.over:
        wait.failed(1000.0)
        seconds.append(wait.until - 1000)
    assert seconds == [*BACKOFF, BACKOFF[-1]]
    wait.failed(1000.0, 300)
    assert wait.until == 1300


def test_what_is_due_begins_where_it_ended() -> None:
    """Old lines and those nobody asks for are passed over for good."""
    trail = [Event(f"2026-11-20T09:00:0{n}Z", kind, "daemon", {}) for n, kind in enumerate(("a", "b", "c", "b", "c"))]
    found = Progress(trail[2].at)
    assert found.due(Hook("http://a", ("b",)), "k", trail) == (3, trail[3])
    assert found.lines == {"k": 3}
    found.lines["k"] = 4
    assert found.due(Hook("http://a"), "k", trail) == (4, trail[4])
    assert found.due(Hook("http://a", ("b",)), "k", trail) is None
    assert found.lines == {"k": 5}


def test_progress_is_kept_whole() -> None:
    """What was written is read again; what cannot be understood begins anew, and tells nothing old."""
    found = Progress("2026-11-20T09:00:00Z", {"k": 3}, {"k": Wait(1, 5.0)}, Wait(2, 6.0))
    for number in range(KEPT + 5):
        found.note({"id": str(number)})
    assert [found.log[0]["id"], len(found.log)] == ["5", KEPT]
    assert progress(json.loads(json.dumps(found.told())), 0.0) == found
    odd: tuple[object, ...] = (
        None,
        [],
        {},
        {**found.told(), "waits": {"k": 1}},
        {**found.told(), "down": []},
        {"since": 1},
    )
    for broken in odd:
        assert progress(broken, 0.0) == Progress("1970-01-01T00:00:00Z")
