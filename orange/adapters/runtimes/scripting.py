"""The scripted agent's line language: reads a script out of a task's text. Computes only.

One instruction a line; `#` begins a comment line. A text that needs several lines stands indented below its
instruction, or between `<<` at its end and `>>` on a line of its own. `attempt N:` before an instruction restricts it
to that attempt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import dedent

#: Instruction -> what stands behind it; in brackets where it may be left out. TEXT may stand below instead.
VERBS = {
    "append": "PATH TEXT",
    "ask": "TEXT [--wait]",
    "commit": "MESSAGE",
    "crash": "",
    "create": 'NAME "TITLE" [FLAGS...]',
    "delegate": "",
    "fail": "[CODE] [TEXT]",
    "fail-once": "[CODE] [TEXT]",
    "hang": "",
    "leave": "PATH TEXT",
    "ledger": "FILE",
    "require": "PATH",
    "run": "COMMAND",
    "say": "TEXT",
    "section": "NAME TEXT",
    "sleep": "SECONDS",
    "spam": "LINES",
    "stubborn": "",
    "work": "SECONDS",
    "write": "PATH TEXT",
}

_FENCE = re.compile(r"^```script(?:[ \t]+([a-z][a-z0-9_-]*))?[ \t]*\r?\n(.*?)^```[ \t]*\r?$", re.MULTILINE | re.DOTALL)
_ATTEMPT = re.compile(r"attempt[ \t]+([0-9]+):[ \t]*")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a script."""

    #: In the script, from 1.
    line: int
    verb: str
    #: What stands behind the verb.
    rest: str
    #: What stands below it; None where nothing does.
    block: str | None = None
    #: The only attempt it counts in; None for every one.
    attempt: int | None = None


class BadScript(Exception):
    """A script that makes no sense; names the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line} of the script: {reason}")


def script_in(text: str, step: str | None = None, *, main: bool = True) -> str | None:
    """Return the ```script block of a text for a step, or None where the text has none at all.

    That is the first one with the step's name behind it; without such a one, for the step that does the work, the
    first without a name; else there is nothing to do. Indented fences inside belong to a block.
    """
    found = [(name, script.replace("\r\n", "\n")) for name, script in _FENCE.findall(text)]
    if not found:
        return None
    wanted = [script for name, script in found if name and name == step]
    if main:
        wanted += [script for name, script in found if not name]
    return wanted[0] if wanted else ""


def parse(script: str) -> list[Instruction]:
    """Read a script. Raises BadScript."""
    lines = script.split("\n")
    found: list[Instruction] = []
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at].strip()
        block: str | None
        at += 1
        if not line or line.startswith("#"):
            continue
        if line.endswith("<<"):
            line, (block, at) = line[:-2].rstrip(), _closed(lines, at)
        else:
            block, at = _indented(lines, at)
        found.append(_instruction(number, line, block))
    return found


def _instruction(number: int, line: str, block: str | None) -> Instruction:
    restricted = _ATTEMPT.match(line)
    attempt = int(restricted[1]) if restricted else None
    verb, _, rest = line[restricted.end() if restricted else 0 :].partition(" ")
    if verb not in VERBS:
        raise BadScript(number, f"{verb!r} is no instruction (known: {', '.join(VERBS)})")
    rest = rest.strip()
    if VERBS[verb] and not VERBS[verb].startswith("[") and not rest:
        raise BadScript(number, f"{verb} needs {VERBS[verb]}")
    if verb == "fail-once":
        verb, attempt = "fail", 1
    return Instruction(number, verb, rest, block, attempt)


def _closed(lines: list[str], at: int) -> tuple[str, int]:
    """Take the lines up to a `>>` that is not indented."""
    for end in range(at, len(lines)):
        if lines[end].rstrip() == ">>":
            return _text(lines[at:end]), end + 1
    raise BadScript(at, "the text that begins with << has no >> at its end")


def _indented(lines: list[str], at: int) -> tuple[str | None, int]:
    end = at
    while end < len(lines) and (lines[end][:1] in {" ", "\t"} or not lines[end].strip()):
        end += 1
    text = _text(lines[at:end])
    return (text, end) if text.strip() else (None, end)


def _text(lines: list[str]) -> str:
    return dedent("\n".join(lines)).strip("\n") + "\n"
