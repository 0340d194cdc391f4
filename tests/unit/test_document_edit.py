"""Editing TASK.md: which bytes change, and in which form the new ones come."""

from __future__ import annotations

import pytest

from orange.core import document
from orange.core.document import Document
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Priority, Stuck
from orange.core.problems import BrokenFile, EditFailed

NOON = "2026-11-20T12:00:00Z"
HEAD = "---\nid: k3f9x2ab\ntitle: T\nname: t\n"
TAIL = "---\n\n## Context\n---\nstatus: not this\n"


def edited(lines: str, changes: dict[str, object]) -> str:
    """Edit a file that has these lines and return what became of them."""
    result = document.edit(f"{HEAD}{lines}{TAIL}".encode(), changes).decode()
    assert result.startswith(HEAD)
    assert result.endswith(TAIL)
    return result[len(HEAD) : -len(TAIL)]


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        # one value on a line
        ("status: pending\n", {"status": Status.DONE}, "status: done\n"),
        ("status:   pending   # why\n", {"status": Status.DONE}, "status:   done   # why\n"),
        ("'status' : \"pending\"\n", {"status": Status.DONE}, "'status' : done\n"),
        ("status:\n", {"status": Status.DONE}, "status: done\n"),
        ("status: # why\n", {"status": Status.DONE}, "status: done # why\n"),
        ("status:\n  pending # why\n", {"status": Status.DONE}, "status:\n  done # why\n"),
        ("ref: one\n  two\nstatus: done\n", {"ref": "1e5"}, 'ref: "1e5"\nstatus: done\n'),
        ("ref: >- # why\n  one\n\n\n# c\n", {"ref": "x"}, "ref: x # why\n\n\n# c\n"),
        ("acceptance: |\n  a\n  ---\n\nref: x\n", {"acceptance": "make"}, "acceptance: make\n\nref: x\n"),
        # no change, no byte
        ("status: 'pending'\nblocked_by:\n", {"status": Status.PENDING, "blocked_by": (), "parent": None}, None),
        ("labels: [ a,b ]\nattempts: '2'\n", {"labels": ("a", "b"), "attempts": 2, "claim": None}, None),
        # lists on one line
        ("labels: [ 'a', # c\n  b ] # d\n", {"labels": ("x", "y z")}, 'labels: [x, "y z"] # d\n'),
        ("labels: [a]\n", {"labels": ()}, "labels: []\n"),
        ("labels: []\n", {"labels": ("a",)}, "labels: [a]\n"),
        ("acceptance_criteria: [a]\n", {"acceptance_criteria": ("a", "b")}, "acceptance_criteria: [a, b]\n"),
        ("acceptance_criteria: []\n", {"acceptance_criteria": ("a: b",)}, 'acceptance_criteria:\n  - "a: b"\n'),
        ("acceptance_criteria: [] # c\n", {"acceptance_criteria": ("a",)}, "acceptance_criteria: # c\n  - a\n"),
        # lists with a line for each item
        ("labels:\n- a # why\n# c\n- 'b'\n- c\n", {"labels": ("a", "c")}, "labels:\n- a # why\n# c\n- c\n"),
        ("labels: # k\n    - 'a'\n", {"labels": ("a", "1e5", "d")}, "labels: # k\n    - 'a'\n    - \"1e5\"\n    - d\n"),
        ("labels: # k\n  # c\n  - a\n  - b # d\n\n", {"labels": ("x",)}, "labels: # k\n  # c\n  - x\n\n"),
        ("labels: # k\n  - a\n  - b\n", {"labels": ()}, "labels: [] # k\n"),
        ("labels:\n  -\n    a\n  - b\n", {"labels": ("a", "c")}, "labels:\n  - a\n  - c\n"),
        ("labels:\n  - a\n  - b\n", {"labels": ("b", "a")}, "labels:\n  - b\n  - a\n"),
        # maps
        (
            "claim: {run: x, epoch: 1} # c\n",
            {"claim": Claim(None, 1, None, None, None)},
            "claim: # c\n  run: null\n  epoch: 1\n  nonce: null\n  host: null\n  at: null\n",
        ),
        (
            "approved:\n    commit: a # c\n    by: b\nref: x\n",
            {"approved": Approval("1e5", "ada", NOON)},
            f'approved:\n    commit: "1e5"\n    by: ada\n    at: {NOON}\nref: x\n',
        ),
        ("budget:\n  usd: 5\n", {"budget": {}}, "budget: {}\n"),
        ("budget: null\n", {"budget": {"usd": 2.5, "minutes": 30.0}}, "budget:\n  usd: 2.5\n  minutes: 30\n"),
        (
            "job: {}\n",
            {"job": {"steps": [{"run": "a", "count": 1}, []], "ok": True}},
            "job:\n  steps:\n    - run: a\n      count: 1\n    - []\n  ok: true\n",
        ),
        # taking out and adding
        ("stuck:\n  reason: manual\n  # c\n  message: m\n# d\nref: x\n", {"stuck": None}, "# d\nref: x\n"),
        ("attempts: 2\nref: x\n", {"attempts": 0}, "ref: x\n"),
        ("attempts: 2 # so many\nref: x\n", {"attempts": 0}, "attempts: null # so many\nref: x\n"),
        ("claim: # c\n  epoch: 1\nref: x\n", {"claim": None}, "claim: null # c\nref: x\n"),
        ("run: |- # c\n  x\n", {"run": None}, "run: null # c\n"),
        ("acceptance: |\n  x\nrun: y\n  # c\n", {"run": None}, "acceptance: |\n  x\nrun: null\n  # c\n"),
        ("ref: x # c\nestimate: 2h\n", {"ref": None, "estimate": None}, "ref: null # c\nestimate: null\n"),
        ("# last\n", {"status": Status.DONE, "attempts": 1}, "# last\nstatus: done\nattempts: 1\n"),
        ("x: |+\n  a\n\n", {"priority": Priority.LOW}, "x: |+\n  a\n\npriority: low\n"),
        (
            "ref: x\n",
            {"stuck": Stuck(StuckReason.FAILED, "one\ntwo", None, NOON)},
            f'ref: x\nstuck:\n  reason: failed\n  message: "one\\ntwo"\n  evidence: null\n  since: {NOON}\n',
        ),
        # keys orange does not know
        ("points: 5 # p\n", {"points": "8", "Ünknown key": ["a", {"b": None}]},
         'points: "8" # p\nÜnknown key:\n  - a\n  - b: null\n'),
        ("points: 5\nref: x\n", {"points": None}, "ref: x\n"),
    ],
)  # fmt: skip
def test_only_what_must_changes(before: str, changes: dict[str, object], after: str | None) -> None:
    """Comments, quotes, order and form stay; the changed value comes in the form the old one had."""
    assert edited(before, changes) == (before if after is None else after)


def test_endings_and_mark_stay() -> None:
    """BOM, CRLF, trailing space behind the rules and a missing last newline stay; added lines end as the others."""
    data = "\ufeff--- \r\nid: k3f9x2ab\r\ntitle: T\r\nname: t\r\nlabels:\r\n  - a\r\n---\t".encode()
    changes = {"labels": ("a", "b"), "status": Status.STUCK, "claim": Claim("r", 1, None, None, None)}
    result = document.edit(data, changes)
    lines = "status: stuck\r\nclaim:\r\n  run: r\r\n  epoch: 1\r\n  nonce: null\r\n  host: null\r\n  at: null\r\n"
    assert result == data.replace(b"  - a\r\n", b"  - a\r\n  - b\r\n" + lines.encode())


def test_an_indented_frontmatter_stays_indented() -> None:
    """Keys may be indented, all alike; added ones are too."""
    data = b"---\n  id: k3f9x2ab\n  title: T\n  name: t\n---\n"
    assert document.edit(data, {"attempts": 1}) == data[:-4] + b"  attempts: 1\n---\n"


def test_a_name_is_fixed_when_the_title_changes() -> None:
    """A name that followed from the title is written down before the title becomes another."""
    data = b"---\nid: k3f9x2ab\ntitle: Old title\n---\n"
    result = document.edit(data, {"title": "New"})
    assert result == b"---\nid: k3f9x2ab\ntitle: New\nname: old-title\n---\n"
    assert document.edit(data, {"name": "old-title"}) == result.replace(b"New", b"Old title")


def test_a_broken_file_is_not_edited() -> None:
    """A file that is a problem is refused with that problem."""
    with pytest.raises(BrokenFile, match=r"x/TASK\.md:3: status: 'huh' is not known"):
        document.edit(b"---\nid: k3f9x2ab\nstatus: huh\ntitle: T\n---\n", {"title": "U"}, "x/TASK.md")


def test_an_edit_that_would_do_more_is_refused() -> None:
    """A change that would make the file a problem is refused, with the reason."""
    with pytest.raises(EditFailed, match=r"cannot set parent in x: parent: 'me' is not a task id.*Nothing was written"):
        document.edit(f"{HEAD}{TAIL}".encode(), {"parent": "me"}, "x")


@pytest.mark.parametrize(
    ("data", "body", "result"),
    [
        (f"{HEAD}---", "", f"{HEAD}---"),
        (f"{HEAD}---", "x", f"{HEAD}---\nx"),
        (f"{HEAD}# c\n--- \nold\n", "\n---\nnew", f"{HEAD}# c\n--- \n\n---\nnew"),
        (
            f"{HEAD}---\nold".replace("\n", "\r\n").removesuffix("\r\nold"),
            "x",
            f"{HEAD}---\n".replace("\n", "\r\n") + "x",
        ),
    ],
)
def test_with_body(data: str, body: str, result: str) -> None:
    """The body is replaced, the frontmatter stays as it is."""
    assert document.with_body(data.encode(), body) == result.encode()
    found = document.parse(result.encode(), "")
    assert isinstance(found, Document)
    assert found.body == body
