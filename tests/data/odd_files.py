"""Task files as people write them: every style YAML has, comments, CRLF, BOM, rules inside texts, no last newline.

A file is made of chunks, one for each key with everything that belongs to it, so that a test can say which bytes a
change of that key may touch without asking the code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

Maker: TypeAlias = "Callable[[str, OddFile, Random], str]"
ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
TITLES = (
    "OAuth endpoints",
    'Fix: the parser\'s "odd" case',
    "C# bindings, step #2",
    "Größe ändern – 漢字",
    "no",
    "1e5",
    "- dash first",
    "2026-11-20",
    "ends with colon:",
    "{braces} and [brackets]",
    "it's 100 % done",
)
SPACES = (" ", " ", "   ")
NOTES = ("", "", "", "  # why", " # a: b, [c]", "\t# tab before")


@dataclass
class OddFile:
    """One file, in chunks."""

    eol: str
    head: str
    #: Key, or None for a comment or empty line; and its lines.
    chunks: list[tuple[str | None, str]]
    tail: str
    #: What the keys hold, as typed values of the task.
    values: dict[str, object] = field(default_factory=dict)
    #: Trailing comments that must survive a change of their key.
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self.text(self.chunks)

    def text(self, chunks: list[tuple[str | None, str]]) -> bytes:
        """The file's bytes with other chunks."""
        return (self.head + "".join(chunk for _, chunk in chunks) + self.tail).encode()

    def around(self, key: str) -> tuple[bytes, bytes]:
        """What stands before and behind a key's chunk; for a missing key, before and behind where it would be added."""
        at = next((i for i, (name, _) in enumerate(self.chunks) if name == key), len(self.chunks))
        before = self.head + "".join(chunk for _, chunk in self.chunks[:at])
        return before.encode(), ("".join(chunk for _, chunk in self.chunks[at + 1 :]) + self.tail).encode()


def odd_file(random: Random) -> OddFile:
    """Make one odd but sound file."""
    eol = random.choice(["\n", "\n", "\r\n"])
    bom = random.choice(["", "", "", "\ufeff"])
    made = OddFile(eol, f"{bom}---{random.choice(['', '', ' ', '  '])}\n", [], "")
    keys = ["id", "title", "status", "name", "priority", "labels", "blocked_by", "acceptance_criteria", "created_at"]
    keys += random.sample(["parent", "attempts", "claim", "estimate", "acceptance", "stuck", "ref", "assignee"], 5)
    random.shuffle(keys)
    for key in keys:
        _add_noise(made, random)
        made.chunks.append((key, _CHUNKS[key](key, made, random)))
    _add_unknown(made, random)
    made.tail = f"---{random.choice(['', ' '])}\n{random.choice(_BODIES)}"
    if eol == "\r\n":
        made.head, made.tail = made.head.replace("\n", eol), made.tail.replace("\n", eol)
        made.chunks = [(key, chunk.replace("\n", eol)) for key, chunk in made.chunks]
    if random.random() < 0.3:
        made.tail = made.tail.rstrip("\r\n")
    return made


_BODIES = (
    "",
    "\n",
    "\n## Context\nx\n\n---\n\ntitle: not a key\n---\n",
    "\n## Plan\n```\n## not a heading\n---\n```\n\n## Review\nVerdict: PASS\n",
    "no heading at all, trailing space \n\n\n",
    "\n\x1b[31mred\x1b[0m\tTab, ä, 漢, \U0001f34a\n",
)


def quoted(text: str, random: Random) -> str:
    """Write a text in one of the ways that are right for it."""
    ways = ["'" + text.replace("'", "''") + "'", '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']
    if text.replace(" ", "").isalpha() and text.isascii() and text != "no":
        ways += [text, text]
    return random.choice(ways)


def _add_noise(made: OddFile, random: Random) -> None:
    noise = random.choice(["", "", "", "\n", "# a comment: with colon\n", "  # indented: comment\n\n", "#\n"])
    last = made.chunks[-1][0] if made.chunks else None
    if noise and not (noise.startswith(" ") and last in {"acceptance", "title"}):  # it would belong to the text above
        made.chunks.append((None, noise))


def _note(key: str, made: OddFile, random: Random) -> str:
    note = random.choice(NOTES)
    if note:
        made.notes[key] = note
    return note


def _gap(random: Random) -> str:
    return random.choice([" ", " ", " ", "   ", " \t"])


def _one_of(*choices: str) -> Maker:
    def make(key: str, made: OddFile, random: Random) -> str:
        value = random.choice(choices)
        made.values[key] = value
        shown = random.choice([value, value, f'"{value}"', f"'{value}'"])
        return f"{key}:{_gap(random)}{shown}{_note(key, made, random)}\n"

    return make


def _title(key: str, made: OddFile, random: Random) -> str:
    title = random.choice(TITLES)
    made.values[key] = title
    form = random.randrange(5)
    if form == 0 and not title.startswith(("-", "{")):
        return f"{key}: {random.choice(['>-', '|-', '>', '|2-'])}{_note(key, made, random)}\n  {title}\n"
    if form == 1:
        return f"{key}:\n    {quoted(title, random)}{_note(key, made, random)}\n"
    return f"{key}:{_gap(random)}{quoted(title, random)}{_note(key, made, random)}\n"


def _texts(key: str, made: OddFile, random: Random) -> str:
    texts = random.sample(["one", "two words", "x: y", "a, b", "#3", "yes", "1e5", "d"], random.randrange(4))
    return _list(key, texts, made, random)


def _ids(key: str, made: OddFile, random: Random) -> str:
    ids = ["h" + "".join(random.choice(ALPHABET) for _ in range(7)) for _ in range(random.randrange(4))]
    return _list(key, ids, made, random)


def _list(key: str, texts: list[str], made: OddFile, random: Random) -> str:
    made.values[key] = tuple(texts)
    if not texts:
        return f"{key}:{random.choice([' []', ' null', '', ' ~', ' [ ]'])}{_note(key, made, random)}\n"
    items = [quoted(text, random) for text in texts]
    form = random.randrange(3)
    if form == 0:
        return f"{key}: [{', '.join(items)}{random.choice(['', ' ', ','])}]{_note(key, made, random)}\n"
    if form == 1:
        lines = "".join(f"    {item},\n" for item in items)
        return f"{key}: [ # inside\n{lines}  ]{_note(key, made, random)}\n"
    margin = random.choice(["", "  ", "    "])
    between = random.choice(["", f"{margin}# between\n", "\n"])
    lines = between.join(f"{margin}-{random.choice(SPACES)}{item}{random.choice(NOTES)}\n" for item in items)
    return f"{key}:{_note(key, made, random)}\n{lines}"


def _acceptance(key: str, made: OddFile, random: Random) -> str:
    made.values[key] = "make test\n---\nstill: here\n"
    return f"{key}: |{_note(key, made, random)}\n  make test\n  ---\n  still: here\n{random.choice(['', chr(10)])}"


def _claim(key: str, made: OddFile, random: Random) -> str:
    if random.random() < 0.5:
        return f"{key}: {{run: null, epoch: 3, nonce: null, host: ~, at: }}{_note(key, made, random)}\n"
    return f"{key}:{_note(key, made, random)}\n  # held by nobody\n  epoch: '3'\n  run:\n"


def _stuck(key: str, made: OddFile, random: Random) -> str:
    return f"{key}:\n  reason: manual\n  message: >\n    two\n    lines\n  since: 2026-11-20T09:00:00Z\n"


def _id(key: str, made: OddFile, random: Random) -> str:
    value = random.choice("abcdefgh") + "".join(random.choice(ALPHABET) for _ in range(7))
    made.values[key] = value
    return f"{key}:{_gap(random)}{random.choice([value, repr(value)])}{_note(key, made, random)}\n"


_CHUNKS: dict[str, Maker] = {
    "id": _id,
    "title": _title,
    "name": _one_of("oauth-api", "no", "1e5", "x"),
    "status": _one_of("backlog", "pending", "done", "cancelled"),
    "priority": _one_of("critical", "high", "low"),
    "estimate": _one_of("XS", "2h", "14d"),
    "ref": _one_of("T-001", "JIRA-7"),
    "assignee": _one_of("human", "ada"),
    "attempts": _one_of("0", "2"),
    "created_at": _one_of("2026-11-20T09:00:00Z"),
    "labels": _texts,
    "acceptance_criteria": _texts,
    "blocked_by": _ids,
    "parent": _one_of("h2345678"),
    "acceptance": _acceptance,
    "claim": _claim,
    "stuck": _stuck,
}


def _add_unknown(made: OddFile, random: Random) -> None:
    """Add keys orange does not know, last, so that what is added lands behind them."""
    for chunk in random.sample(
        [
            "points: 5 # as in the old tool\n",
            "'quoted key': [a, {b: c}]\n",
            "nested:\n  deep:\n    - x: 1\n      y: |\n        ---\n        text\n    - - z\n",
            "log: |+\n  first\n  ---\n\n",
            'Über: "\\u00e9\\n\\\\"\n',
        ],
        2,
    ):
        made.chunks.append((chunk.partition(":")[0], chunk))
