"""Reading TASK.md: every key's type, and every fault as a problem with its line."""

from __future__ import annotations

import sys
from dataclasses import fields
from subprocess import run

import pytest

from orange.core import document, schema
from orange.core.document import Document
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import (
    ORANGE_ONLY,
    PROTECTED,
    Approval,
    Claim,
    Merged,
    Priority,
    Publish,
    Request,
    RequestKind,
    Stuck,
    Task,
)
from orange.core.problems import Problem

_TIMEOUT = StuckReason.TIMEOUT
NOON = "2026-11-20T12:00:00Z"
EXAMPLE = b"""---
id: k3f9x2ab
title: OAuth endpoints
name: oauth-api
status: pending
type: feature
priority: high
blocked_by: [h7d2m4qe]
parent: p9w3c6tz
created_at: 2026-11-20T09:00:00Z
---

## Context
What is wanted and why.
"""


def read(lines: str) -> Document | Problem:
    """Read a file with these lines besides id and title."""
    return document.parse(f"---\nid: k3f9x2ab\ntitle: T\n{lines}\n---\nbody".encode(), "x/TASK.md")


def task(lines: str) -> Task:
    """Read a file that is sound."""
    found = read(lines)
    assert isinstance(found, Document), found
    return found.task


def test_the_documented_example_is_read() -> None:
    """The file of the documentation gives the task it says."""
    found = document.parse(EXAMPLE, "tasks/oauth-api-k3f9x2ab/TASK.md")
    assert found == Document(
        Task(
            "k3f9x2ab", "OAuth endpoints", "oauth-api", path="tasks/oauth-api-k3f9x2ab/TASK.md", type="feature",
            priority=Priority.HIGH, blocked_by=("h7d2m4qe",), parent="p9w3c6tz", created_at="2026-11-20T09:00:00Z",
        ),
        "\n## Context\nWhat is wanted and why.\n",
    )  # fmt: skip


def test_the_schema_has_every_key_of_the_task() -> None:
    """Each field of a task is a key of the file, in the same order; path and unknown keys are not."""
    keys = [part.name for part in fields(Task) if part.name not in {"path", "extra"}]
    assert list(schema.READERS) == keys
    assert set(ORANGE_ONLY) | set(PROTECTED) <= set(keys)


def test_tasks_are_made_as_their_constructor_makes_them() -> None:
    """The quick way to make a task sets every field and skips nothing the constructor does."""
    made = schema.task_of(schema.values_of({"id": "k3f9x2ab", "title": "T", "labels": ["a"]}), "p")
    assert made == Task("k3f9x2ab", "T", "t", path="p", labels=("a",))
    assert not hasattr(Task, "__post_init__")
    assert repr(made) == repr(Task("k3f9x2ab", "T", "t", path="p", labels=("a",)))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("status: done", Status.DONE),
        ("status: 'backlog'", Status.BACKLOG),
        ("status:", Status.PENDING),
        ("name: 1e5", "1e5"),
        ("name: no", "no"),
        ("ref: 2026-11-20", "2026-11-20"),
        ("ref: 012", "012"),
        ("ref: 12:30:45", "12:30:45"),
        ("ref: null", None),
        ("ref: 'null'", "null"),
        ("ref: ''", None),
        ("ref: ~", None),
        ("type: plan_only", "plan_only"),
        ("type: null", "task"),
        ("pipeline: release", "release"),
        ("priority: critical", Priority.CRITICAL),
        ("priority: ~", Priority.MEDIUM),
        ("blocked_by: [h7d2m4qe, k3f9x2ab]", ("h7d2m4qe", "k3f9x2ab")),
        ("blocked_by: null", ()),
        ("blocked_by: ''", ()),
        ("parent: h7d2m4qe", "h7d2m4qe"),
        ("children:\n- h7d2m4qe", ("h7d2m4qe",)),
        ("labels: [yes, 1e5, 'a b']", ("yes", "1e5", "a b")),
        ("category: on", "on"),
        ("assignee: human", "human"),
        ("session: 7", "7"),
        ("estimate: XL", "XL"),
        ("estimate: 90s", "90s"),
        ("acceptance_criteria:\n  - one\n  - 'two: with colon'", ("one", "two: with colon")),
        ("context_files: [docs/a.md]", ("docs/a.md",)),
        ("agent: claude", "claude"),
        ("model: 4.5", "4.5"),
        ("effort: high", "high"),
        ("skill: null", "auto"),
        ("base: release/2.0", "release/2.0"),
        ("branch: orange/x", "orange/x"),
        ("publish: none", Publish.NONE),
        ("requires: [docker, gpu]", ("docker", "gpu")),
        ("acceptance: |\n  make\n  ---\n  test", "make\n---\ntest\n"),
        ("budget: {minutes: 30, tokens: 100000, usd: 2.50}", {"minutes": 30, "tokens": 100000, "usd": 2.5}),
        ("budget:\n  usd: 5\n  minutes: null", {"usd": 5}),
        ("job: {steps: [1, 1.5, true, 'true', null, x, 1e400]}", {"steps": [1, 1.5, True, "true", None, "x", "1e400"]}),
        ("job: {1: {true: no, -0.5e3: 007}}", {"1": {"true": "no", "-0.5e3": "007"}}),
        ("source: {kind: imported, reference: 12, gone: null}", {"kind": "imported", "reference": "12"}),
        ("workspace: /a b/c", "/a b/c"),
        ("tmux_session: x-1", "x-1"),
        ("run: k3f9x2ab-1", "k3f9x2ab-1"),
        ("ports: [7000, '7001']", (7000, 7001)),
        ("claim: {epoch: 3}", Claim(None, 3, None, None, None)),
        ("claim: {}", None),
        (f"claim:\n  run: r\n  epoch: 1\n  nonce: 1e5\n  host: h\n  at: {NOON}", Claim("r", 1, "1e5", "h", NOON)),
        ("attempts: 2", 2),
        ("review_round: '2'", 2),
        ("stuck: {reason: manual}", Stuck(StuckReason.MANUAL, "", None, "")),
        (f"stuck: {{reason: timeout, message: m, evidence: e, since: {NOON}}}", Stuck(_TIMEOUT, "m", "e", NOON)),
        (f"request: {{kind: answer, message: yes, since: {NOON}}}", Request(RequestKind.ANSWER, "yes", NOON)),
        (f"approved: {{commit: 123, by: ada, at: {NOON}}}", Approval("123", "ada", NOON)),
        (f"merged: {{commit: 1e5, base: main, at: {NOON}}}", Merged("1e5", "main", NOON)),
        ("reopened: unpublished", "unpublished"),
        ("created_at: 2026-11-20T13:00:00+01:00", NOON),
        ("updated_at:", ""),
    ],
)  # fmt: skip
def test_every_key_has_its_type(line: str, value: object) -> None:
    """Scalars are the strings they are, whatever YAML takes them for; null and nothing mean the default."""
    assert getattr(task(line), line.partition(":")[0]) == value


def test_unknown_keys_are_kept_as_read() -> None:
    """Keys orange does not know are on the task, as strings, lists and maps."""
    found = task("points: 5\nnested: {a: [1, null], 'b c': yes}\nempty:\nÜber: x")
    assert found.extra == {"points": "5", "nested": {"a": ["1", None], "b c": "yes"}, "empty": None, "Über": "x"}


def test_a_missing_name_follows_from_the_title() -> None:
    """A file written by hand needs no name."""
    assert task("").name == "t"


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"---\nid: k3f9x2ab\ntitle: T\n---", ""),
        (b"---\nid: k3f9x2ab\ntitle: T\n---\n", ""),
        (b"---\nid: k3f9x2ab\ntitle: T\n---\nlast", "last"),
        (b"\xef\xbb\xbf--- \t\r\nid: k3f9x2ab\r\ntitle: T\r\n---  \r\n\r\n---\r\n\x1b", "\r\n---\r\n\x1b"),
        (b"---\nid: k3f9x2ab\ntitle: |-\n  T\nx: |\n  ---\n---\n---\n---\n", "---\n---\n"),
    ],
)
def test_the_body_is_what_stands_behind_the_second_rule(data: bytes, body: str) -> None:
    """BOM, CRLF, a missing last newline and rules inside texts are fine; the body is not touched."""
    found = document.parse(data, "x")
    assert isinstance(found, Document)
    assert (found.task.title, found.body) == ("T", body)


@pytest.mark.parametrize(
    ("lines", "line", "part", "hint"),
    [
        ("status: doen", 4, "status: 'doen' is not known", "did you mean 'done'?"),
        ("# x\n\nstatus: Pending", 6, "'Pending' is not known", "did you mean 'pending'?"),
        ("priority: P1", 4, "priority: 'P1' is not known", "critical, high, medium, low"),
        ("publish: mrege", 4, "publish", "did you mean 'merge'?"),
        ("name: Not A Name", 4, "name", "'not-a-name'"),
        ("type: ../x", 4, "type", "letters, digits"),
        ("blocked_by: h7d2m4qe", 4, "must be a list, not a text", "[h7d2m4qe]"),
        ("blocked_by: [T-001]", 4, "'T-001' is not a task id", "8 characters"),
        ("parent: [h7d2m4qe]", 4, "must be a text, not a list", "key: text"),
        ("labels: {a: b}", 4, "must be a list, not a map", "[one, two]"),
        ("labels: [a, [b]]", 4, "must be a text, not a list", ""),
        ("labels: [a, '']", 4, "item 2 is empty", ""),
        ("labels:\n- a\n-", 4, "must be a text, not nothing", ""),
        ('ref: "a\\nb"', 4, "must be one line", "body"),
        ("estimate: huge", 4, "estimate", "XS, S, M, L, XL"),
        ("budget: {euro: 5}", 4, "unknown key 'euro'", "minutes, tokens, usd"),
        ("budget: {usd: -5}", 4, "`usd` '-5' is not a whole number", ""),
        ("budget: {usd: 1.}", 4, "`usd` '1.' is not a number", "12.5"),
        ("budget: 5", 4, "must be a map, not a text", "indented"),
        ("job: [a]", 4, "must be a map, not a list", ""),
        ("source: {kind: [a]}", 4, "must be a text", ""),
        ("base: --upload-pack=x", 4, "base", "letters, digits"),
        ("branch: a;b", 4, "branch", ""),
        ("ports: [0]", 4, "0 is not a port", "65535"),
        ("ports: [http]", 4, "not a whole number", ""),
        ("attempts: -1", 4, "not a whole number", ""),
        ("claim: {run: x}", 4, "claim: has no `epoch`", "run, epoch"),
        ("claim: {epoch: 1, at: noon}", 4, "claim: `at` 'noon' is not a time", "2026-11-20T09:00:00Z"),
        ("stuck: {reason: bored}", 4, "stuck: `reason` 'bored' is not known", "question"),
        ("created_at: 2026-11-20", 4, "created_at: '2026-11-20' is not a time", "2026-11-20T09:00:00Z"),
        ("title: again", 4, "the key `title` appears twice", "keep one"),
        ("x: {a: 1,\n  a: 2}", 5, "the key `a` appears twice", ""),
        ("x: a: b", 4, "mapping values are not allowed", "quotes"),
        ("x: @a", 4, "cannot start any token", "quotes"),
        ("x:\n\t- a", 5, "cannot start any token", "tabs"),
        ("x: 'a", 5, "unexpected end of stream", "never closed"),
        ("just text", 5, "could not find expected ':'", "key: value"),
        ('x: "\\q"', 4, "escape", "backslash"),
        ("x: &a b", 4, "anchor &a is not allowed", "quotes"),
        ("x: *a", 4, "alias *a is not allowed", "quotes"),
        ("x: !!int 5", 4, "tags are not allowed", "quotes"),
        ("? a\n: b", 4, "not written as `key: value`", "one `key: value` a line"),
        ("[a]: b", 4, "a key is a list or a map", ""),
        ("x: " + "[" * 17 + "]" * 17, 4, "levels", "flatten"),
        ("...\nx: a", 4, "divides the frontmatter", "delete"),
        ("x: a\x1bb", 4, "U+001B", "delete"),
        ('x: "\\x1b"', 4, "U+001B", "delete"),
        ("x: a\u2028b", 4, "U+2028", "delete"),
        ("x: a\rb", 4, "carriage return", "delete"),
    ],
)
def test_each_fault_is_a_problem_with_its_line(lines: str, line: int, part: str, hint: str) -> None:
    """A bad value or broken YAML names the line in the file, what is wrong, and what to do."""
    found = read(lines)
    assert isinstance(found, Problem), found
    assert (found.path, found.line) == ("x/TASK.md", line)
    assert part in found.message
    assert hint in found.hint
    assert found.hint


@pytest.mark.parametrize(
    ("data", "line", "part"),
    [
        (b"", 1, "it is empty"),
        (b"# T\n---\nid: x\n---\n", 1, "does not begin with a `---` line"),
        (b"---\nid: k3f9x2ab\ntitle: T\n", 1, "not closed"),
        (b"---\ntitle: T\n---\n", 1, "it has no id"),
        (b"---\nid: k3f9x2ab\n---\n", 1, "it has no title"),
        (b"---\nid: 1e5\ntitle: T\n---\n", 2, "id: '1e5' is not a task id"),
        (b"---\n- a\n---\n", 2, "does not consist of keys"),
        (b"---\n{id: k3f9x2ab}\n---\n", 2, "does not consist of keys"),
        (b"---\nid: k3f9x2ab\ntitle: \xff\n---\n", 3, "not UTF-8"),
        (b"---\nid: k3f9x2ab\ntitle: T\n---\n\n\0", 6, "zero byte"),
        (b"---\nid: k3f9x2ab\ntitle: T\n---\n" + b"x" * (1 << 20), 1, "larger than 1 MiB"),
        (b"---\nid: k3f9x2ab\ntitle: " + b"x" * (64 << 10) + b"\n---\n", 1, "64 KiB"),
    ],
)
def test_a_file_that_is_none_is_a_problem(data: bytes, line: int, part: str) -> None:
    """What is no task file at all is a problem as well."""
    found = document.parse(data, "x/TASK.md")
    assert isinstance(found, Problem)
    assert found.line == line
    assert part in found.message


def test_files_orange_writes_are_read_without_yaml() -> None:
    """Reading and editing what orange itself wrote loads no YAML package: that would cost more than the work."""
    code = (
        "import sys; from orange.core import document; from orange.core.lifecycle import Status\n"
        f"data = {EXAMPLE!r}\n"
        "assert document.parse(document.edit(data, {'status': Status.DONE}), 'x').task.status == 'done'\n"
        "print('yaml' in sys.modules or 'frontmatter' in sys.modules)"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
