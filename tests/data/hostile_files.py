"""Files that break or choke YAML readers, and random damage to sound ones."""

from __future__ import annotations

from random import Random

_HEAD = "id: k3f9x2ab\ntitle: t\n"


def _block(text: str) -> bytes:
    return f"---\n{_HEAD}{text}---\nbody\n".encode()


_LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
_MERGES = "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 8))

#: Name -> bytes; each must be a problem.
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "only a rule": b"---",
    "no frontmatter": b"# Title\n\n---\ntitle: x\n---\n",
    "unclosed": b"---\nid: k3f9x2ab\ntitle: t\n",
    "unclosed, huge": b"---\n" + b"---x\n" * 200_000,
    "rule behind the window": b"---\n" + b"#" * 70_000 + b"\n---\n",
    "a list": b"---\n- id\n- title\n---\n",
    "a text": b"---\nid\n---\n",
    "flow map": b"---\n{id: k3f9x2ab, title: t}\n---\n",
    "nothing": b"---\n---\n",
    "only comments": b"---\n# nothing\n---\n",
    "too large a file": b"---\nid: k3f9x2ab\ntitle: t\n---\n" + b"x" * (1 << 20),
    "too large a block": _block("text: " + "x" * 65_536 + "\n"),
    "not UTF-8": b"---\nid: k3f9x2ab\ntitle: \xff\xfe\n---\n",
    "UTF-16": "---\nid: k3f9x2ab\n---\n".encode("utf-16"),
    "surrogate bytes": b"---\nid: k3f9x2ab\ntitle: \xed\xa0\x80\n---\n",
    "surrogate escape": _block('x: "\\ud800"\n'),
    "zero byte": b"---\nid: k3f9x2ab\ntitle: t\n---\n\0\0\0",
    "escape character": _block("x: a\x1b[31mb\n"),
    "escaped escape character": _block('x: "\\e[31m"\n'),
    "line separator": _block("x: a\u2028b\n"),
    "lone carriage return": _block("x: a\rb: c\n"),
    "BOM inside": _block("\ufeffx: a\n"),
    "anchor": _block("x: &a 1\n"),
    "alias": _block("x: *a\n"),
    "tag": _block("x: !!python/object:os.system y\n"),
    "bare tag": _block("x: ! y\n"),
    "laughs": _block("a0: &a0 [x]\n" + _LAUGHS),
    "merges": _block("m0: &m0 {x: 1}\n" + _MERGES),
    "self": _block("x: &x [*x]\n"),
    "deep lists": _block("x: " + "[" * 20_000 + "\n"),
    "deep maps": _block("x: " + "{a: " * 10_000 + "\n"),
    "deep dashes": _block("x:\n  " + "- " * 20_000 + "\n"),
    "questions": _block("x:\n  " + "? " * 20_000 + "\n"),
    "many items": _block("x: [" + "a," * 30_000 + "]\n"),
    "many keys": _block("x:\n" + "".join(f" k{n}:\n" for n in range(7_000))),
    "duplicate key": _block("title: again\n"),
    "duplicate nested key": _block("x: {a: 1, a: 2}\n"),
    "complex key": _block("[a, b]: c\n"),
    "question key": _block("? a\n: b\n"),
    "empty key": _block(": b\n"),
    "second document": _block("x: a\n--- # b\ny: c\n"),
    "document end": _block("...\nx: a\n"),
    "directive": b"---\n%YAML 1.1\nid: k3f9x2ab\n---\n",
    "tab": _block("x:\n\t- a\n"),
    "unclosed quote": _block('x: "a\n'),
    "unclosed bracket": _block("x: [a\n"),
    "two colons": _block("x: a: b\n"),
    "bad escape": _block('x: "\\q"\n'),
    "huge escape": _block('x: "\\UFFFFFFFF"\n'),
    "at sign": _block("x: @a\n"),
    "odd indentation": _block("x: a\n   y: b\n"),
    "bad id": b"---\nid: 1e5\ntitle: t\n---\n",
    "unknown status": _block("status: finished\n"),
    "missing title": b"---\nid: k3f9x2ab\n---\n",
    "empty title": b"---\nid: k3f9x2ab\ntitle: ''\n---\n",
    "space title": b"---\nid: k3f9x2ab\ntitle: ' '\n---\n",
    "missing id": b"---\ntitle: t\n---\n",
    "digits beyond int": _block(f"attempts: {'9' * 5000}\n"),
    "other digits": _block("attempts: ٣\n"),
}

_TOKENS = (
    b"---", b"\n---\n", b"\n", b"\r\n", b"\r", b": ", b":", b"- ", b"#", b" #", b"[", b"]", b"{", b"}", b"'", b'"',
    b"\\", b"&a", b"*a", b"!!int ", b"|", b">-", b"? ", b"\t", b"\0", b"\x1b", b"\xff", b"\xef\xbb\xbf",
    b"\xe2\x80\xa8", b"null", b"~", b"<<: ", b"%", b"@", b"`", b"\xc2\x85", b"id: ", b"status: ", b"...",
    b"2026-11-20", b"  ", b",",
)  # fmt: skip


def damaged(data: bytes, random: Random) -> bytes:
    """Damage a file at a few places."""
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice([0, 0, 1, 3, 20]))
        way = random.randrange(4)
        if way == 0:
            data = data[:at] + random.choice(_TOKENS) + data[to:]
        elif way == 1:
            data = data[:at] + data[to + 1 :]
        elif way == 2:
            data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        else:
            data = data[:to] + data[at:]
    return data
