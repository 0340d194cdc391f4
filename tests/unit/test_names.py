"""Ids, slugs, branches, and finding a task by what people call it."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import names
from orange.core.model import Task
from orange.core.problems import AmbiguousTask, InvalidInput, TaskNotFound

TASKS = {
    task.id: task
    for task in (
        Task("k3f9x2ab", "OAuth", "oauth-api", ref="T-001"),
        Task("k3f9zzzz", "Login", "login", ref="h7d2m4qe"),
        Task("h7d2m4qe", "Login again", "login", ref="twice"),
        Task("p9w3c6tz", "Named like an id", "k3f9x2ab", ref="twice"),
        Task("q2222222", "Named like a ref", "t-001", ref="login"),
    )
}


@given(st.binary(min_size=16, max_size=40))
def test_every_new_id_is_an_id(random_bytes: bytes) -> None:
    """Whatever the random bytes are, an id has 8 safe characters, a letter first."""
    assert names.is_id(names.new_id(random_bytes))


def test_ids_are_spread_evenly() -> None:
    """Each character is about as frequent as any other in its place."""
    random = Random(7)
    ids = [names.new_id(random.randbytes(16)) for _ in range(6000)]
    assert len(set(ids)) == len(ids)
    firsts, seconds = Counter(i[0] for i in ids), Counter(i[1] for i in ids)
    assert len(firsts) == 22
    assert len(seconds) == 30
    assert max(firsts.values()) < 1.4 * min(firsts.values())
    assert max(seconds.values()) < 1.5 * min(seconds.values())


def test_too_few_random_bytes_are_refused() -> None:
    """An id from little randomness is not made."""
    with pytest.raises(ValueError, match="16"):
        names.new_id(b"short")


@pytest.mark.parametrize(
    ("text", "right"),
    [("k3f9x2ab", True), ("3kf9x2ab", False), ("k3f9x2a", False), ("k3f9x2abc", False), ("", False),
     ("k3f9x2al", False), ("K3F9X2AB", False), ("k3f9 2ab", False), ("k3f9x2a\n", False), ("k1f9x2ab", False)],
)  # fmt: skip
def test_is_id(text: str, right: bool) -> None:
    """Only 8 characters of the alphabet with a letter first are an id."""
    assert names.is_id(text) is right


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("OAuth endpoints", "oauth-endpoints"),
        ("  Größe & Straße: ändern!  ", "grosse-strasse-andern"),
        ("don't panic", "dont-panic"),
        ("Łódź, Æsir, œuvre", "lodz-aesir-oeuvre"),
        ("Ⅷ ﬁne ①", "viii-fine-1"),
        ("漢字", "task"),
        ("", "task"),
        ("---", "task"),
        ("../../etc/passwd", "etc-passwd"),
        ("$(rm -rf /); #(x)", "rm-rf-x"),
        ("word " * 30, "word-word-word-word-word-word-word-word-word"),
        ("x" * 100, "x" * 48),
        ("a-" + "x" * 100, "a-" + "x" * 46),
    ],
)
def test_slug(text: str, slug: str) -> None:
    """A title becomes a readable name of safe characters, cut at a word's end."""
    assert names.slug(text) == slug


@given(st.text(max_size=80), st.integers(1, 60))
def test_every_slug_is_safe(text: str, limit: int) -> None:
    """Whatever the text, its slug is not empty, safe, within the limit, and its own slug."""
    slug = names.slug(text, limit)
    assert 0 < len(slug) <= limit
    assert not slug.strip("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug == names.slug(slug, limit)
    assert names.is_slug(slug) or limit > 48


def test_what_is_no_slug() -> None:
    """A name has lower-case letters, digits and dashes between them, 48 at most."""
    texts = ["", "-a", "a-", "A", "a b", "a_b", "x" * 49, "a\n", "é"]
    assert not [text for text in texts if names.is_slug(text)]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("k3f9x2ab", "k3f9x2ab"),  # an id before a name
        ("h7d2m4qe", "h7d2m4qe"),  # an id before a ref
        ("T-001", "k3f9x2ab"),  # a ref
        ("t-001", "q2222222"),  # a name that differs from a ref by case
        ("login", "q2222222"),  # a ref before a name
        ("oauth-api", "k3f9x2ab"),
        ("k3f9x", "k3f9x2ab"),
        ("h7d2", "h7d2m4qe"),
    ],
)
def test_resolve(address: str, found: str) -> None:
    """A task answers to its id, ref, unique name and unique prefix, in that order."""
    assert names.resolve(address, TASKS) == found


@pytest.mark.parametrize(("address", "ids"), [("k3f9", ("k3f9x2ab", "k3f9zzzz")), ("twice", ("h7d2m4qe", "p9w3c6tz"))])
def test_what_several_tasks_answer_to_is_refused(address: str, ids: tuple[str, ...]) -> None:
    """An address that may be several tasks names them all."""
    with pytest.raises(AmbiguousTask) as refused:
        names.resolve(address, TASKS)
    assert refused.value.ids == ids


@pytest.mark.parametrize("address", ["k3f", "", "nothing", "K3F9X2AB", "k3f9x2ab "])
def test_what_no_task_answers_to_is_refused(address: str) -> None:
    """A prefix shorter than 4, an empty address, another case: nothing is guessed."""
    with pytest.raises(TaskNotFound):
        names.resolve(address, TASKS)


@pytest.mark.parametrize(
    ("pattern", "branch"),
    [
        ("orange/{name}-{id}", "orange/oauth-api-k3f9x2ab"),
        ("{task_slug}/{task_id}", "oauth-api/k3f9x2ab"),
        ("fixed", "fixed"),
        ("{id}{id}", "k3f9x2abk3f9x2ab"),
    ],
)
def test_branch_for(pattern: str, branch: str) -> None:
    """A pattern's placeholders are filled."""
    assert names.branch_for(pattern, TASKS["k3f9x2ab"]) == branch


@pytest.mark.parametrize(
    "pattern",
    ["{title}", "{}", "{id.__class__}", "{name!r}", "a b", "-{id}", "x..{id}", "{id}.lock", "", "/{id}", "{id"],
)
def test_patterns_without_a_safe_branch_are_refused(pattern: str) -> None:
    """An unknown placeholder, or a result that is no safe branch, is refused."""
    with pytest.raises(InvalidInput):
        names.branch_for(pattern, TASKS["k3f9x2ab"])


def test_safe_branches() -> None:
    """Ordinary branch names are safe."""
    branches = ["main", "feature/x", "v1.2", "a-b_c.d", "x/-y", "0", "release/2026.11", "a" * 200]
    assert not [name for name in branches if not names.is_safe_branch(name)]


UNSAFE = (
    ["", "-x", "a..b", "a.lock", "a.lock/b", "a//b", "/a", "a/", ".a", "a/.b", "a.", "a b", "a;b", "$(id)", "#(id)",
     "a:b", "a~b", "a^b", "a?b", "a*b", "a[b", "a\\b", "@", "a@{b", "HEAD", "a\n", "a\x1b", "ä", "\u202ea", "a'b",
     "a" * 201]
)  # fmt: skip


def test_unsafe_branches() -> None:
    """What git forbids, or a shell, tmux or terminal might misread, is no branch name."""
    assert not [name for name in UNSAFE if names.is_safe_branch(name)]
