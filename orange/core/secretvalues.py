"""Which values are secrets, and in which forms they may show: as they are, in base64, in URLs, in JSON.

A value is never masked because it is short or an ordinary word: `AUTH_PROVIDER=local` and `MY_KEY=1` say nothing.

Next in the flow: `redact` takes the forms out of what is written.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

#: Characters a value must have to be masked; shorter ones would turn up in ordinary text.
SHORTEST = 8
#: The longest piece that is looked for at once; longer lines are looked for in pieces of half to all of this.
PIECE = 128
#: Pieces of a value that are looked for; what is longer is no password.
MOST = 256

#: Patterns as texts: compiled when first used, because a supervisor imports this with every run.
_TELLING = r"(?i)(?:^|_)(?:\w*TOKEN|\w*SECRET|\w*PASSWORD|PASSWD|\w*KEY|\w*CREDENTIALS?)(?:_\w+)?$"
#: Names that say where a secret is or how it is used, not what it is.
_ABOUT = r"(?i)_(?:FILE|PATH|DIR|NAME|ID|TYPE|LEN|LENGTH|LIMIT|URL|HOST|PORT|TTL|ALGORITHM)$"
#: What somebody would write by hand: a word, words, a number, a path.
_ORDINARY = r"[A-Za-z]{1,24}|[a-z]{1,24}(?:[-_. ][a-z]{1,24}){1,4}|[0-9.:]{1,11}|~?/[\w.@/-]*"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def declared(env: Mapping[str, str], named: Container[str] = ()) -> frozenset[str]:
    """Return the secret values of an environment: of the variables `named`, and of those whose names look secret."""
    found = set()
    for name, value in env.items():
        if len(value.strip()) >= SHORTEST and (name in named or _looks_secret(name, value)):
            found.add(value)
    return frozenset(found)


def _looks_secret(name: str, value: str) -> bool:
    told = re.search(_TELLING, name) and not re.search(_ABOUT, name)
    return bool(told) and not re.fullmatch(_ORDINARY, value)


def forms(values: Iterable[str]) -> tuple[bytes, ...]:
    """Return what to look for: every value in every form, long ones in pieces; the longest first."""
    found = {piece for value in values for form in _forms(value) for piece in _pieces(form)}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _forms(value: str) -> Iterator[bytes]:
    data = value.encode("utf-8", "surrogateescape")
    for text in {data, data.strip()}:
        yield text
        yield from _encoded(text)
        yield from _in_urls(text)
    yield from _in_json(value)


def _encoded(data: bytes) -> Iterator[bytes]:
    """Base64, whatever stands before and after it in what was encoded: only the characters that are its own."""
    for shift, foreign in ((0, 0), (1, 2), (2, 3)):
        text = binascii.b2a_base64(b"\0" * shift + data, newline=False)
        own = text[foreign : (shift + len(data)) * 8 // 6]
        yield own
        yield own.translate(bytes.maketrans(b"+/", b"-_"))


def _in_urls(data: bytes) -> Iterator[bytes]:
    for escape in (b"%%%02X", b"%%%02x"):
        text = b"".join(bytes((byte,)) if byte in _UNRESERVED else escape % byte for byte in data)
        yield text
        yield text.replace(b"%20", b"+")
        yield text.replace(b"%2F", b"/").replace(b"%2f", b"/")


def _in_json(value: str) -> Iterator[bytes]:
    import json

    for ascii_only in (False, True):
        yield json.dumps(value, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogateescape")


def _pieces(form: bytes) -> Iterator[bytes]:
    """Cut a form into lines, because a terminal ends them its own way, and long lines into pieces."""
    for line in re.split(rb"[\r\n]+", form)[:MOST]:
        if len(line) >= SHORTEST:
            count = -(-len(line) // PIECE)
            size = -(-len(line) // count)
            yield from (
                line[at : at + size] for at in range(0, len(line), size) if len(line[at : at + size]) >= SHORTEST
            )
