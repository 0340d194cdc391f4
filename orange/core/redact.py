"""Takes secrets out of what is written: known values in all their forms, and whatever has the shape of a token.

`Masker` does it for a stream that comes in pieces: what may go on in the next piece waits for it, so that no secret
passes in halves. Everything is linear in the length of the text: each shape begins with a literal that is looked for
first, and each repetition has an upper bound.

Next in the flow: the supervisor's logs, the events, the artifacts are written without secrets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orange.core import secretvalues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What stands for a secret.
MASK = b"[redacted]"
#: Bytes at the end without a space that wait for more; every shape is recognised by fewer.
_WORD = 1024
_SPACES = (b" ", b"\n", b"\r", b"\t")
_KEY_BEGINS = b"-----BEGIN "

_Span = tuple[int, int]


#: What a shape begins with or contains -> the shape. Compiled when the first such mark is seen.
_SHAPES: tuple[tuple[tuple[bytes, ...], bytes], ...] = (
    ((b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{20,512}"),
    ((b"github_pat_",), rb"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,512}"),
    # OpenAI's, Anthropic's and their kin.
    (
        (b"sk-",),
        rb"(?<![A-Za-z0-9])sk-(?:[A-Za-z0-9]{20,512}|(?:proj|ant|svcacct|admin|or|lf|None)-[A-Za-z0-9_-]{20,512})",
    ),
    ((b"AIza",), rb"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35,64}"),
    ((b"AKIA", b"ASIA"), rb"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ((b"xox",), rb"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,512}"),
    ((b"glpat-",), rb"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,512}"),
    ((b"npm_",), rb"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36,64}"),
    ((b"pypi-",), rb"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{50,1024}"),
    ((b"hf_",), rb"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}"),
    # JSON web tokens: two encoded objects and a signature.
    ((b".eyJ",), rb"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,512}\.eyJ[A-Za-z0-9_-]{10,8192}(?:\.[A-Za-z0-9_-]{0,1024})?"),
    # The user and password of a remote's address.
    ((b"://",), rb"(?<=://)[^\s/:@\"'<>\\]{0,256}:[^\s/@\"'<>\\]{3,512}(?=@)"),
    (
        (b"PRIVATE KEY-----",),
        (
            rb"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----(?:[A-Za-z0-9+/=\\\s:,-]{0,16384}?"
            rb"-----END [A-Z ]{0,24}PRIVATE KEY-----|[A-Za-z0-9+/=\\\s:,-]{0,16384})"
        ),
    ),
)  # fmt: skip


#: Finds any of the marks: nearly all that is looked through has none.
_MARKS = b"|".join(re.escape(mark) for marks, _ in _SHAPES for mark in marks)


class Secrets:
    """What is to be masked: the values given, and every known shape of a token."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.forms = secretvalues.forms(values)
        self.longest = max(map(len, self.forms), default=0)
        self._beginnings = frozenset(form[:end] for form in self.forms for end in range(1, len(form)))

    def mask(self, text: str) -> str:
        """Return a text without secrets."""
        return self.mask_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes without secrets."""
        spans = [*self.values_in(data), *shapes_in(data)]
        return _without(data, spans) if spans else data

    def line_of_first(self, data: bytes) -> int | None:
        """Return the line of the first secret in a text, from 1; None where there is none."""
        spans = [*self.values_in(data), *shapes_in(data)]
        return data.count(b"\n", 0, min(spans)[0]) + 1 if spans else None

    def mask_value(self, value: object) -> object:
        """Return plain data (mappings, lists, texts) without secrets in its texts; keys stay."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {key: self.mask_value(child) for key, child in value.items()}
        return [self.mask_value(child) for child in value] if isinstance(value, (list, tuple)) else value

    def values_in(self, data: bytes) -> Iterator[_Span]:
        """Find the known values."""
        for form in self.forms:
            at = data.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = data.find(form, at + len(form))

    def unfinished(self, data: bytes) -> int:
        """Return where a known value begins that may go on after the end."""
        for at in range(max(0, len(data) - self.longest + 1), len(data)):
            if data[at:] in self._beginnings:
                return at
        return len(data)


#: Knows no values, only the shapes.
SHAPES = Secrets()


#: The variable that lists, with commas, which others of an environment hold secrets whatever their names.
NAMES = "ORANGE_SECRETS"


def of_environment(env: Mapping[str, str]) -> Secrets:
    """Return the secrets of an environment: the values of variables it lists, and of those whose names look secret."""
    return Secrets(secretvalues.declared(env, env.get(NAMES, "").split(",")))


def shapes_in(data: bytes) -> Iterator[_Span]:
    """Find what has the shape of a token."""
    if not re.search(_MARKS, data):
        return
    for marks, shape in _SHAPES:
        if any(mark in data for mark in marks):
            yield from (match.span() for match in re.finditer(shape, data))


class Masker:
    """Masks one stream. What comes out lags behind by the word that may not be finished yet."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._held = b""
        #: Bytes at the beginning of what is held that belong to a secret whose mask was written.
        self._masked = 0

    def feed(self, data: bytes) -> bytes:
        """Take more of the stream; returns what can be written by now."""
        whole = self._held + data
        values, shapes = list(self._secrets.values_in(whole)), list(shapes_in(whole))
        cut = min(self._secrets.unfinished(whole), _last_word(whole), _open_key(whole))
        for start, end in shapes:  # one that reaches the end may go on; each is bounded
            if start < cut < end or end == len(whole):
                cut = min(cut, start)
        return self._give(whole, cut, [*values, *shapes])

    def finish(self) -> bytes:
        """Return the rest: the stream has ended."""
        whole = self._held
        return self._give(whole, len(whole), [*self._secrets.values_in(whole), *shapes_in(whole)])

    def _give(self, whole: bytes, cut: int, spans: list[_Span]) -> bytes:
        begun = self._masked
        if begun:
            spans.append((0, begun))
        said = _without(whole[:cut], [(start, min(end, cut)) for start, end in spans if start < cut])
        self._held = whole[cut:]
        self._masked = max((end - cut for start, end in spans if start < cut < end), default=0)
        return said.removeprefix(MASK) if begun else said


def _last_word(data: bytes) -> int:
    """Return where the last word begins; not further back than a shape needs to be recognised."""
    least = max(0, len(data) - _WORD)
    return max(least, *(data.rfind(space, least) + 1 for space in _SPACES))


def _open_key(data: bytes) -> int:
    """Return where the first line of a private key may begin that is not complete."""
    at = data.rfind(_KEY_BEGINS, max(0, len(data) - 64))
    return at if at >= 0 else len(data)


def _without(data: bytes, spans: list[_Span]) -> bytes:
    """Put one mask in the place of each stretch of secrets."""
    parts: list[bytes] = []
    done = 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        if start > done or (start == 0 and not parts):
            parts += [data[done:start], MASK]
        done = end
    return b"".join([*parts, data[done:]])
