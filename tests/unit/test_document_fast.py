"""The fast reader and YAML agree on every file the fast one accepts, and it accepts what orange writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orange.core import document, fasthead, fastyaml, guardedyaml, schema
from orange.core.document import Document
from orange.core.entries import NULLS
from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.problems import Problem
from tests.data.hostile_files import HOSTILE

_FLOWED = st.sampled_from(
    ["a", "a b", "a:b", "a: b", "a:", ":a", "a -b", "a-b c-", "a #b", "null", "~", "1e5", '"a"', '"a: b"', '"a, b"',
     '""', "[]", "{}", "2026-11-20T09:00:00Z", "a.b/c-d", "-a", "", "a  b", "a ", "a,b", "a::b", "a/:b", "a./b", "ä"],
)  # fmt: skip
_FLOW_PARTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["a", "b", "c_d", "null", '"a"', "A"]),
    st.sampled_from([": ", ":", ":  "]),
    _FLOWED,
)
_FLOW_MAPS = st.lists(_FLOW_PARTS, max_size=3).map(lambda parts: f"{{{', '.join(parts)}}}")
_VALUES = st.one_of(
    _FLOW_MAPS,
    st.sampled_from(
        ["", "a", "a b", "null", "~", "''", '""', "'it'", '"a\\n\\"b"', "[]", "{}", "[a, b]", '[a, "b c"]', "[null]",
         "a: b", "a:b", "a #b", "a#b", "a# b", "a#", "a:#b", "#", "- a", "-", "...", "---", "'a''b'", '"a" b', "a: ",
         " a", "a ", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "? a", "a,b", "[a,b]", "{a: b}", "ä", "a\u00a0b",
         "a\u3000", "\ufeff", "a\tb", "a\x85b", "1e5", "2026-11-20T09:00:00Z", "a\\b", "'a\\b'", '"a\\b"', "a::b", ":a",
         "a:", "é:ü", "\U0001f34a", "a  b", "]", "a]", ","],
    ),
    st.text(max_size=6),
)  # fmt: skip
_LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "", "  ", "  - ", "- ", "    ", " "]),
    st.sampled_from(["a", "b", "c_d", "job", "null", "", "A", "a b"]),
    st.sampled_from([": ", ":", ": ", "", " : ", ":  "]),
    _VALUES,
)


def _agree(block: str) -> None:
    text = f"---\n{block}\n---\nbody"
    quick = fastyaml.locate(text)
    if quick is None:
        return
    careful = guardedyaml.read(text)
    assert quick == careful
    assert list(quick.raw) == list(careful.raw)
    for loader in (yaml.BaseLoader, getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
        assert _nulled(yaml.load(text[4 : quick.end], Loader=loader)) == _nulled(quick.raw)


def _nulled(value: object) -> object:
    """Take for equal what the base loader cannot tell apart."""
    if isinstance(value, dict):
        return {key: _nulled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_nulled(part) for part in value]
    return None if value in NULLS else value


@given(st.lists(_LINES, min_size=1, max_size=5))
def test_what_the_fast_reader_accepts_yaml_reads_equal(lines: list[str]) -> None:
    """Same values, same order, same places, on anything near the grammar."""
    _agree("\n".join(lines))


@given(st.text(st.sampled_from("ab: -#'\"[],{}\\n~|>&*!\n\t"), max_size=24))
def test_they_agree_on_character_soup(block: str) -> None:
    """The same for short texts of the characters that have a meaning."""
    _agree(f"a: b\n{block}")


STAMP = "2026-11-20T09:00:00Z"
#: Each usual line with values that fit it and values that do not quite.
_HEAD = {
    "id": ["k3f9x2ab", "k3f9x2ab", "k3f9x2a", "33f9x2ab", "K3f9x2ab", "null"],
    "title": ["T", "it's a b", "null", "Null", "~", "nullable", "a: b", '"a: b"', "a #b", "a ", "", "ä", "a\u00a0b"],
    "name": ["t", "a--b", "-a", "a-", "null", "A", "a" * 48, "a" * 49, "a_b"],
    "status": ["pending", "done", "reviewed", "reviewin", "Done", "null"],
    "type": ["task", "null", "nullx", "-a", "_a", "A-1", "a.b", "t" * 64, "t" * 65],
    "priority": ["high", "medium", "hig", "null"],
    "blocked_by": ["[]", "[h7d2m4qe]", "[h7d2m4qe, p9w3c6tz]", "[h7d2m4qe,p9w3c6tz]", "[a]", "h7d2m4qe", "null"],
    "parent": ["null", "p9w3c6tz", "p9w3c6t", "~", ""],
    "assignee": ["human", "null", "Ada L", "a: b", '"a"', "", "nullable"],
    "created_at": [STAMP, "2026-02-29T09:00:00Z", "2024-02-29T09:00:00Z", "2026-11-20T09:00:00+01:00", "", "null"],
    "updated_at": [STAMP, "0000-11-20T09:00:00Z", "2026-11-20T09:00:60Z", "2026-11-20T9:00:00Z", "null"],
}
_BEHIND = [
    "",
    "assignee: x",
    "x: y",
    "labels: [a]",
    "a:\n  x: y",
    "title: other",
    "parent: p9w3c6tz",
    "  x: y",
    "  - x",
    "\nx: y",
    "job: {}",
]


def _nearly_usual() -> Iterator[str]:
    """Make files that begin with the usual lines, with one of them odd, or something behind them."""
    plain = {key: usual for key, (usual, *_) in _HEAD.items()}
    files = [plain | {key: value} for key, values in _HEAD.items() for value in values]
    files += [{key: plain[key] for key in plain if key != gone} for gone in plain]
    files += [plain | {"behind": behind} for behind in _BEHIND]
    for held in files:
        lines = [said if key == "behind" else f"{key}: {said}" for key, said in held.items()]
        yield "\n".join(["---", *lines, "---", "body"])


def _read_with_care(text: str) -> Document | Problem:
    found = document._careful(text.encode(), "")
    return found if isinstance(found, Problem) else Document(schema.task_of(found[0], ""), "body")


def test_usual_lines_mean_what_they_mean_by_themselves() -> None:
    """What is read at one stroke is what the careful reader reads; what is behind it may still be a problem."""
    usual = [text for text in _nearly_usual() if fasthead.read(text)]
    for text in usual:
        assert document.parse(text.encode(), "") == _read_with_care(text)
    assert len(usual) > 40


def test_the_usual_lines_are_those_orange_writes() -> None:
    """A new task's file begins with them, whatever else is in it."""
    task = Task(
        "k3f9x2ab", "T", "t", Status.DONE, blocked_by=("h7d2m4qe",), labels=("a",), created_at="2026-11-20T09:00:00Z"
    )
    text = document.render(task, "body").decode()
    found = fasthead.read(text)
    assert found is not None
    assert text[found[1] :].startswith("\nlabels: ")


def test_the_fast_reader_accepts_no_hostile_file() -> None:
    """What YAML refuses, the fast reader refuses or reads as a mapping that the schema refuses."""
    for data in HOSTILE.values():
        text = data.decode("utf-8", "replace")
        quick = fastyaml.read(text)
        assert quick is None or guardedyaml.read(text).raw == quick[0]


@pytest.mark.parametrize(
    "block",
    [
        "a: b",
        'a: "x: y"',
        "a: 'say \"hi\"'",
        'a: "line\\nline \\"q\\" \\\\ \\t"',
        "a: C# and a:b",
        "a: 2026-11-20T09:00:00Z",
        'a: [x, 1e5, "a b"]',
        "a: []\nb: {}\nc: null\nd: ~",
        'a:\n  - x\n  - "y: z"\nb: c',
        "a:\n  x: y\n  z: null\nb: c",
        'a: {b: c d, e_f: null, g: "h: i", j: 2026-11-20T09:00:00Z}',
        "a: Größe 漢字 🍊",
    ],
)  # fmt: skip
def test_the_fast_reader_accepts_what_orange_writes(block: str) -> None:
    """The forms orange writes are read fast."""
    assert fastyaml.read(f"---\n{block}\n---\n") is not None
    _agree(block)


@pytest.mark.parametrize(
    "block",
    [
        "a: b # c",
        "# c\na: b",
        "a: b\n\nc: d",
        "a:  b",
        "a:\nb: c",
        "a: b\n  c: d",
        "a: b\n  - c",
        "a:\n  - b\n  c: d",
        "a:\n  b: c\n  - d",
        "a:\n  b",
        "a:\n  b:\n    c: d",
        "a:\n- b",
        "a: b\na: c",
        "a:\n  b: c\n  b: d",
        "a: &b c",
        "a: |\n  b",
        "a: [b, c,]",
        "a: [null]",
        "a: {b: c, b: d}",
        "a: {b: c,}",
        "a: {b}",
        "a: {b: [c]}",
        "job: {}",
        "a: b\r\nc: d",
        "a: b\x1bc",
        "  - a",
        "",
    ],
)
def test_the_fast_reader_refuses_what_it_is_not_sure_of(block: str) -> None:
    """Anything else is left to YAML, sound or not."""
    assert fastyaml.read(f"---\n{block}\n---\n") is None
