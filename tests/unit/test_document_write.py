"""Writing values: every YAML reader reads the text that was meant; a written task is read back as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import given

from orange.core import document, emit, fastyaml, schema
from orange.core.document import Document
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Merged, Priority, Request, RequestKind, Stuck, Task
from orange.core.problems import EditFailed, InvalidInput
from tests.data import tasks as some

NOON = "2026-11-20T12:00:00Z"
RICH = Task(
    "k3f9x2ab", "OAuth: endpoints", "oauth-api", Status.STUCK, ref="007", type="feature", priority=Priority.HIGH,
    blocked_by=("h7d2m4qe", "p9w3c6tz"), labels=("api", "needs review", "no"), budget={"minutes": 30.0, "usd": 2.5},
    acceptance_criteria=("POST /login: a cookie", "it's #1"), source={"kind": "imported", "reference": "1e5"},
    ports=(7000,), claim=Claim("k3f9x2ab-1", 1, "9f", "h0st", NOON), attempts=2, reopened="abc123",
    stuck=Stuck(StuckReason.FAILED, 'it said "no"\nand stopped', None, NOON),
    request=Request(RequestKind.CHANGES, "a\tb", NOON), approved=Approval("abc", "ada", NOON),
    merged=Merged("abc", "main", NOON), created_at=NOON, updated_at=NOON,
)  # fmt: skip


def parsed(data: bytes) -> Document:
    """Read a file that is sound."""
    found = document.parse(data, "")
    assert isinstance(found, Document), found
    return found


def test_a_new_file_looks_like_this() -> None:
    """Keys that matter in the order of the format; quotes only where they are needed; times without."""
    task = Task("k3f9x2ab", "OAuth: endpoints", "oauth-api", created_at=NOON, labels=("a", "no"), ref="T-001")
    assert document.render(replace(task, acceptance_criteria=("one", "- two")), "\n## Context\n").decode() == (
        '---\nid: k3f9x2ab\ntitle: "OAuth: endpoints"\nname: oauth-api\nstatus: pending\nref: T-001\ntype: task\n'
        'priority: medium\nblocked_by: []\nparent: null\nlabels: [a, "no"]\nacceptance_criteria:\n  - one\n'
        '  - "- two"\ncreated_at: 2026-11-20T12:00:00Z\n---\n\n## Context\n'
    )  # fmt: skip


def test_a_rich_file_is_read_fast_and_by_anybody() -> None:
    """All that orange notes on a task stays within the fast grammar, and means the same to another reader."""
    data = document.render(RICH, "body")
    assert fastyaml.read(data.decode()) is not None
    assert parsed(data) == Document(RICH, "body")
    other = yaml.safe_load(data.split(b"---\n")[1])
    assert (other["ref"], other["labels"], other["attempts"]) == ("007", ["api", "needs review", "no"], 2)
    assert (other["stuck"]["message"], other["stuck"]["evidence"]) == ('it said "no"\nand stopped', None)
    assert other["source"]["reference"] == "1e5"


@given(some.texts)
def test_any_reader_reads_the_text_that_was_meant(text: str) -> None:
    """A text is a text to readers that guess types: as a value, in a list, as a key."""
    item = emit.written([text], block=False).inline
    block = f"k: {emit.scalar(text)}\nl: {item}\n{emit.scalar(text)}: v\n"
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(block, Loader=loader) == {"k": text, "l": [text], text: "v"}


MISLEADING = (
    ["null", "Null", "~", "yes", "No", "on", "OFF", "true", "y", "N", "1", "-1", "+1", "1_000", "1,000", "012", "0o17",
     "0x1F", "0b1", "1e5", "1E5", "1.5e+3", "1.", ".5", "12:30", "12:30:45.5", ".inf", "-.INF", ".nan", "2026-11-20",
     "2026-1-2", "2026-11-20T09:00:00Z", "2026-11-20 09:00:00", "<<", "=", "", " a", "a ", "a: b", "a #b", "#a", "- a",
     "-a", "? a", "a:", "[a", "{a", "'a", '"a', "&a", "*a", "!a", "%a", "@a", "`a", "|", ">"]
)  # fmt: skip
ORDINARY = [
    "T-001",
    "2h",
    "14d",
    "v1.2",
    "C# 8",
    "a:b",
    "a/b",
    "1st",
    "e5",
    "0xyz",
    "nope",
    "x-1",
    "it's",
    "Größe",
    "a, b",
]


def test_what_yaml_would_misread_is_quoted() -> None:
    """Words, numbers, dates and marks of any YAML version stand in quotes; ordinary text does not."""
    assert not [text for text in MISLEADING if emit.scalar(text) not in {f'"{text}"', f"'{text}'"}]
    assert not [text for text in ORDINARY if emit.scalar(text) != text]


def test_changes_name_the_keys_that_differ() -> None:
    """Path and unknown keys are not keys of a change."""
    new = replace(RICH, status=Status.DONE, stuck=None, path="elsewhere", extra={"a": "b"})
    assert document.task_changes(RICH, new) == {"status": Status.DONE, "stuck": None}


def test_what_orange_notes_is_made_fit_for_a_file() -> None:
    """A message from a program's output may hold escapes and be long; it is shown, and cut."""
    stuck = Stuck(StuckReason.FAILED, "\x1b[31mred\x00", "x" * 100_000, NOON)
    found = parsed(document.edit(document.render(RICH, ""), {"stuck": stuck})).task.stuck
    assert found is not None
    assert found.message == r"\x1b[31mred\x00"
    assert found.evidence is not None
    assert len(found.evidence) < 20_000
    assert found.evidence.endswith("x [...]")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": None}, EditFailed),
        ({"title": "a\nb"}, EditFailed),
        ({"title": "a\x1bb"}, EditFailed),
        ({"title": "\ud800"}, EditFailed),
        ({"id": "1e5"}, EditFailed),
        ({"created_at": "noon: now"}, EditFailed),
        ({"budget": {"usd": float("nan")}}, InvalidInput),
        ({"job": {"a": object()}}, InvalidInput),
        ({"job": {"a": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}}, InvalidInput),
        ({"acceptance": "x" * 70_000}, EditFailed),
        ({"labels": ("",)}, EditFailed),
    ],
)
def test_values_no_file_may_hold_are_refused(changes: dict[str, object], error: type[Exception]) -> None:
    """A change that would not be read back as meant raises, in `edit` and in `render`."""
    with pytest.raises(error):
        document.edit(document.render(RICH, "body"), changes)
    with pytest.raises(error):
        document.render(replace(RICH, **changes), "body")  # type: ignore[arg-type] # wrong values are the point


@pytest.mark.parametrize("body", ["\0", "\ud800"])
def test_bodies_no_file_may_hold_are_refused(body: str) -> None:
    """A zero byte or half a surrogate pair is not written."""
    with pytest.raises(InvalidInput):
        document.render(RICH, body)
    with pytest.raises(InvalidInput):
        document.with_body(document.render(RICH, ""), body)


def test_keys_keep_their_readers_and_defaults() -> None:
    """A key at its default is left out of a new file, unless every file has it."""
    block = document.render(Task("k3f9x2ab", "T", "t"), "").decode()
    keys = {line.partition(":")[0] for line in block.splitlines() if ":" in line}
    assert keys == schema.ALWAYS
