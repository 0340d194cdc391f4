"""Who is let in: the one decision before anything of a request is believed. Pure.

A page of any site a person looks at can send requests to this machine, under a name of its own choosing (DNS
rebinding), and another user of the machine can reach the port. So the name asked for must be ours, a page that asks
must be ours, what is sent must be JSON, and everything with content needs a token, which no browser sends by itself.

Next in the flow: `orange.web.app` asks for each request and each WebSocket.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_JSON = ("application/json", "application/merge-patch+json")


class Scope(IntEnum):
    """What a token is good for; each includes those before it."""

    #: Nothing that has content: the page's own files, and whether the daemon is well.
    NONE = 0
    #: Everything that changes nothing.
    READ = 1
    #: Everything a person may do.
    FULL = 2


@dataclass(frozen=True, slots=True)
class Knock:
    """What a request says of itself, as it came over the wire."""

    method: str
    #: The request line's target.
    target: str
    #: Every `Host` header.
    hosts: tuple[str, ...]
    #: Every `Origin` header.
    origins: tuple[str, ...] = ()
    #: The `Authorization` header.
    authorization: str = ""
    #: The `Content-Type` header.
    content_type: str = ""
    #: Whether there is a body.
    body: bool = False
    #: Whether it wants to become a WebSocket.
    upgrade: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """What is let in."""

    port: int
    #: SHA-256 of a token, hexadecimal -> what it is good for.
    tokens: Mapping[str, Scope]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in."""

    status: int
    code: str
    message: str


def digest(token: str) -> str:
    """Return the form in which a token is known."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def admit(knock: Knock, door: Door, needs: Scope) -> Refusal | None:
    """Decide whether a request is let in; None: it is."""
    return _refused_form(knock, door) or _refused_content(knock) or _refused_scope(knock, door, needs)


def scope_of(knock: Knock, door: Door) -> Scope:
    """Say what the token of a request is good for."""
    kind, _, token = knock.authorization.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        return Scope.NONE
    given = digest(token.strip())
    # each is compared whole, so that the time tells nothing
    return max((scope for known, scope in door.tokens.items() if hmac.compare_digest(known, given)), default=Scope.NONE)


def _refused_form(knock: Knock, door: Door) -> Refusal | None:
    if not knock.target.startswith("/"):
        return Refusal(400, "bad_target", "the request's target must be a path")
    if len(knock.hosts) != 1 or knock.hosts[0].lower() not in _places(door.port):
        return Refusal(421, "foreign_host", f"this server is called {_NAMES[0]}:{door.port} or localhost:{door.port}")
    if len(knock.origins) > 1:
        return Refusal(403, "foreign_origin", "more than one Origin")
    ours = {f"http://{place}" for place in _places(door.port)}
    if knock.origins and knock.origins[0].lower() not in ours:
        return Refusal(403, "foreign_origin", "only this server's own pages may ask from a browser")
    if knock.upgrade and not knock.origins:
        return Refusal(403, "foreign_origin", "a WebSocket is opened by this server's own pages only")
    return None


def _places(port: int) -> frozenset[str]:
    return frozenset(f"{name}:{port}" for name in _NAMES) | (frozenset(_NAMES) if port == _HTTP else frozenset())


_HTTP = 80


def _refused_content(knock: Knock) -> Refusal | None:
    if knock.body and knock.content_type.partition(";")[0].strip().lower() not in _JSON:
        return Refusal(415, "not_json", "send JSON, with `Content-Type: application/json`")
    return None


def _refused_scope(knock: Knock, door: Door, needs: Scope) -> Refusal | None:
    found = scope_of(knock, door)
    if found >= needs:
        return None
    if found is Scope.NONE:
        return Refusal(401, "no_token", "send the daemon's token: `Authorization: Bearer TOKEN`")
    return Refusal(403, "not_allowed", "this token may only read")
