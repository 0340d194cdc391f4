"""The feed: each follower at their own pace, and nobody misses anything without being told."""

from __future__ import annotations

import pytest

from orange.web.feed import KEPT, Feed, Told


def _events(first: int, last: int) -> list[Told]:
    return [Told("task.updated", {"task": str(number)}) for number in range(first, last + 1)]


def test_followers_read_the_same_events_from_their_own_places() -> None:
    """One ring, many places: a place is where to go on, and the numbers of events never change."""
    feed = Feed("a1")
    feed.add(_events(1, 3))
    assert [(number, event.data["task"]) for number, event in feed.after(0) or ()] == [(1, "1"), (2, "2"), (3, "3")]
    assert [number for number, _ in feed.after(2) or ()] == [3]
    assert feed.after(3) == []


def test_who_falls_behind_the_ring_is_told() -> None:
    """What is gone is not passed over in silence; memory stays bounded."""
    feed = Feed("a1")
    feed.add(_events(1, KEPT + 10))
    assert feed.after(9) is None
    assert [number for number, _ in feed.after(10) or ()] == list(range(11, KEPT + 11))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a1-0", None),
        ("a1-10", 10),
        (f"a1-{KEPT + 10}", KEPT + 10),
        (f"a1-{KEPT + 11}", None),
        ("b2-10", None),
        ("a1-", None),
        ("a1--1", None),
        ("a1-١", None),
        (f"a1-{'9' * 5000}", None),
        ("10", None),
        ("", None),
        (None, None),
    ],
)
def test_a_place_is_known_only_in_the_same_life(name: str | None, place: int | None) -> None:
    """Ids of another daemon, of the future, of events that are gone or of nobody lead nowhere."""
    feed = Feed("a1")
    feed.add(_events(1, KEPT + 10))
    assert feed.place(name) == place


def test_followers_are_woken_and_leave() -> None:
    """A follower is woken once for many events, not for none, and not after it left."""
    feed, woken = Feed("a1"), list[bool]()
    key = feed.follow(lambda: woken.append(True))
    feed.add(_events(1, 5))
    feed.add([])
    assert len(woken) == 1
    feed.leave(key)
    feed.add(_events(6, 6))
    assert len(woken) == 1


def test_it_is_wanted_while_followed_and_a_moment_longer() -> None:
    """Who comes back soon misses nothing; then nothing is kept up for nobody."""
    now = [100.0]
    feed = Feed("a1", lambda: now[0])
    seen = [feed.wanted]
    key = feed.follow(lambda: None)
    for later, leaves in ((1000, False), (0, True), (59, False), (2, False)):
        now[0] += later
        seen.append(feed.wanted)
        if leaves:
            feed.leave(key)
    assert seen == [False, True, True, True, False]
