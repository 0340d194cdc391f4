"""Posting a webhook: what any receiver may do comes back as a status or a sentence, in bounded time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orange.adapters.webhooks import HttpDeliveries
from orange.core.layout import Layout
from tests.acceptance.receiver import Receiver


@pytest.fixture
def deliveries(tmp_path: Path) -> HttpDeliveries:
    """One with little patience."""
    (tmp_path / ".git" / "orange").mkdir(parents=True)
    return HttpDeliveries(Layout(str(tmp_path), str(tmp_path / ".git")), 0.2)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that answers with a redirect."""
    found = Receiver(b"k", lambda _body: 302)
    found.start()
    yield found
    found.stop()


SENT = {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,x"}


def test_a_redirect_is_not_followed(deliveries: HttpDeliveries, receiver: Receiver) -> None:
    """It is an answer, and the one request there was."""
    assert deliveries.post(receiver.url, SENT, b"{}") == 302
    assert len(receiver.got) == 1


def test_what_does_not_answer_is_given_up(deliveries: HttpDeliveries) -> None:
    """A port that takes the request and says nothing, and one where nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert str(deliveries.post(f"http://127.0.0.1:{port}/", SENT, b"{}")).startswith("TimeoutError")
    assert "refused" in str(deliveries.post(f"http://127.0.0.1:{port}/", SENT, b"{}"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/s3cret", "http://127.0.0.1:x/s3cret", "http://[::1/s3cret",
    "http://127.0.0.1:1/s3cret\x7f", "http://127.0.0.1:1/s3crét", "http://"])  # fmt: skip
def test_an_address_that_is_none_is_said_without_it(deliveries: HttpDeliveries, url: str) -> None:
    """An address may hold a secret."""
    found = deliveries.post(url, SENT, b"{}")
    assert isinstance(found, str)
    assert found
    assert "s3cr" not in found


def test_how_far_it_is_is_kept_for_each_receiver(deliveries: HttpDeliveries, tmp_path: Path) -> None:
    """One receiver's progress leaves the others'; a file that is broken is as good as none."""
    assert deliveries.progress("a") is None
    deliveries.keep("a", {"since": "x"})
    deliveries.keep("b", {"since": "y"})
    assert (deliveries.progress("a"), deliveries.progress("b")) == ({"since": "x"}, {"since": "y"})
    (tmp_path / ".git" / "orange" / "webhooks.json").write_text("{")
    assert deliveries.progress("a") is None
