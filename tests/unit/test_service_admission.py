"""Who is let in: every form of a request, alone, as a table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from orange.core.service.admission import Door, Knock, Scope, admit, digest, scope_of

FULL, READ = "f" * 43, "r" * 43
DOOR = Door(7777, {digest(FULL): Scope.FULL, digest(READ): Scope.READ})
GOOD = Knock("GET", "/api/v2/tasks", ("127.0.0.1:7777",), authorization=f"Bearer {FULL}")
PAGE = "http://localhost:7777"


def _status(knock: Knock, needs: Scope = Scope.FULL) -> int:
    refused = admit(knock, DOOR, needs)
    return refused.status if refused else 200


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (("127.0.0.1:7777",), 200),
        (("localhost:7777",), 200),
        (("LocalHost:7777",), 200),
        (("[::1]:7777",), 200),
        (("127.0.0.1",), 421),
        (("127.0.0.1:7778",), 421),
        (("127.0.0.1.evil.example:7777",), 421),
        (("evil.example:7777",), 421),
        (("localhost:7777@evil.example",), 421),
        (("localhost:7777 ",), 421),
        (("",), 421),
        ((), 421),
        (("127.0.0.1:7777", "127.0.0.1:7777"), 421),
    ],
)
def test_only_our_own_names_are_answered(hosts: tuple[str, ...], status: int) -> None:
    """A page that had its name point here sends its own name; that is refused, whatever else is right."""
    assert _status(replace(GOOD, hosts=hosts)) == status


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        ((), 200),
        ((PAGE,), 200),
        (("http://127.0.0.1:7777",), 200),
        (("null",), 403),
        (("https://localhost:7777",), 403),
        (("http://localhost:8080",), 403),
        (("http://localhost",), 403),
        (("http://localhost:7777.evil.example",), 403),
        (("http://evil.example",), 403),
        (("",), 403),
        ((PAGE, PAGE), 403),
    ],
)
def test_only_our_own_pages_may_ask(origins: tuple[str, ...], status: int) -> None:
    """A browser names the page that asks; for another one the answer is no, even with a token and for reading."""
    assert _status(replace(GOOD, origins=origins)) == status


@pytest.mark.parametrize(("origins", "status"), [((), 403), ((PAGE,), 200), (("http://evil.example",), 403)])
def test_a_websocket_is_opened_by_our_own_pages_only(origins: tuple[str, ...], status: int) -> None:
    """Browsers let every page open one, so here a missing origin is refused too."""
    assert _status(replace(GOOD, upgrade=True, origins=origins)) == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain; application/json", 415),
        ("", 415),
    ],
)
def test_only_json_is_read(content_type: str, status: int) -> None:
    """What a form of any page can send is none of the types that are read."""
    assert _status(replace(GOOD, method="POST", body=True, content_type=content_type)) == status


@pytest.mark.parametrize("target", ["http://127.0.0.1:7777/api/v2/tasks", "*", "", "api/v2/tasks"])
def test_a_target_is_a_path(target: str) -> None:
    """A target with a host of its own could say another name than the header."""
    assert _status(replace(GOOD, target=target)) == 400


@pytest.mark.parametrize(
    ("authorization", "scope"),
    [
        (f"Bearer {FULL}", Scope.FULL),
        (f"bearer {FULL}", Scope.FULL),
        (f"Bearer {READ}", Scope.READ),
        (f"Basic {FULL}", Scope.NONE),
        (FULL, Scope.NONE),
        ("Bearer", Scope.NONE),
        ("Bearer ", Scope.NONE),
        (f"Bearer {FULL[:-1]}", Scope.NONE),
        (f"Bearer {digest(FULL)}", Scope.NONE),
        ("Bearer \ud800", Scope.NONE),
        ("", Scope.NONE),
    ],
)
def test_a_token_is_good_for_its_scope(authorization: str, scope: Scope) -> None:
    """Nothing but the token itself opens; not even what the server keeps of it."""
    assert scope_of(replace(GOOD, authorization=authorization), DOOR) is scope


def test_each_scope_opens_what_needs_no_more() -> None:
    """Every scope against every need: too little is 403 for who is known, and 401 for who is not."""
    tokens = {Scope.NONE: "", Scope.READ: f"Bearer {READ}", Scope.FULL: f"Bearer {FULL}"}
    for has, needs in product(Scope, Scope):
        expected = 200 if has >= needs else 401 if has is Scope.NONE else 403
        assert _status(replace(GOOD, authorization=tokens[has]), needs) == expected, (has, needs)
