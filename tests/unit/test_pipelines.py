"""Pipeline files: what they say, and what is said of those that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

import orange
from orange.core.pipelines import commands, fingerprint, parse
from orange.core.sections import lacking
from orange.core.steps import COMMAND, COMMIT, GATE, REVIEW, SHAPES, VERIFY, Pipeline, Step

FOLDER = Path(orange.__file__).parent / "pipelines"
BUILT_IN = {path.stem: path.read_bytes() for path in FOLDER.glob("*.yaml")}

#: The founding documents' pipelines.
WANTED = {
    "task": "implement review commit",
    "feature": "plan plan_impl implement verify review commit",
    "bug": "reproduce diagnose implement verify review commit",
    "refactor": "analyze plan implement verify review commit",
    "research": "gather analyze summarize report",
    "docs": "analyze implement review commit",
    "test": "analyze implement verify review commit",
    "security": "scan_deps scan_code report generate_tasks",
    "performance": "profile plan implement benchmark review commit",
    "hotfix": "implement verify review commit",
    "spike": "gather prototype summarize report",
    "chore": "implement verify commit",
    "plan_only": "analyze plan report",
    "verify_only": "verify report",
}


def read(text: str) -> Pipeline:
    """Read a pipeline that has no problem."""
    found, problems = parse("mine", text.encode(), "pipelines/mine.yaml")
    assert not problems
    assert found is not None
    return found


def test_every_task_type_has_its_pipeline() -> None:
    """The built-in ones are those of the founding documents, and end as the daemon believes without reading them."""
    assert BUILT_IN.keys() == WANTED.keys() == SHAPES.keys()
    for name, text in BUILT_IN.items():
        found, problems = parse(name, text, name)
        assert not problems
        assert found is not None
        assert " ".join(step.name for step in found.steps) == WANTED[name]
        assert found.shape == SHAPES[name]
        assert not commands(found)


def test_a_step_is_a_name_or_a_mapping() -> None:
    """What is left out follows from the fields and from the names that have a meaning."""
    found = read(
        "steps:\n- implement\n- name: build\n  run: make\n  on_fail: implement\n- {name: planned, section: Plan}\n"
        "- verify\n- name: docs\n  condition: test -d docs\n  role: writer\n  agent: codex\n  timeout: 5m\n"
        "  required: false\n- review\n- commit\n"
    )
    assert found.steps == (
        Step("implement"),
        Step("build", COMMAND, run="make", timeout=600, retries=3, on_fail="implement"),
        Step("planned", GATE, section="Plan"),
        Step("verify", VERIFY),
        Step("docs", condition="test -d docs", role="writer", agent="codex", timeout=300, required=False),
        Step("review", REVIEW),
        Step("commit", COMMIT),
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "expected a list of steps"),
        ("steps: []\n", 1, "expected a list of steps"),
        ("steps: plan\n", 1, "expected a list of steps"),
        ("stages:\n- plan\n", 1, "unknown key stages"),
        ("steps:\n- plan\n- 7x\n", 3, "steps.name: expected a name of lower-case letters"),
        ("steps:\n- prompt: x\n", 2, "steps.name: expected a name, found nothing"),
        ("steps:\n- [plan]\n", 2, "expected a name, or a mapping with a name"),
        ("steps:\n- name: a\n  colour: red\n", 3, "unknown field colour"),
        ("steps:\n- name: a\n  timeout: soon\n", 3, "steps.timeout: expected a duration"),
        ("steps:\n- name: a\n  retries: 99\n", 3, "steps.retries: expected a whole number from 0 to 20"),
        ("steps:\n- name: a\n  kind: dance\n", 3, "steps.kind: expected one of agent, command"),
        ("steps:\n- name: a\n  kind: command\n", 2, "step a: a command needs run"),
        ("steps:\n- name: a\n  kind: gate\n", 2, "step a: a gate needs section"),
        ("steps:\n- name: a\n  section: Poem\n", 3, "steps.section: expected one of Context"),
        ("steps:\n- name: a\n  run: make\n  model: big\n", 4, "step a: model has no meaning for kind command"),
        ("steps:\n- name: a\n- name: review\n  condition: x\n", 4, "condition has no meaning for kind review"),
        ("steps:\n- a\n- a\n", 3, "step a: two are called so"),
        ("steps:\n- name: a\n  on_fail: b\n- b\n", 3, "on_fail: expected an earlier step (none: it is the first step)"),
        ("steps:\n- a\n- name: b\n  on_fail: b\n", 4, "on_fail: expected an earlier step (a), found 'b'"),
        ("steps:\n- commit\n- a\n", 3, "step a: nothing may follow commit"),
        ("steps:\n- review\n- a\n", 3, "step a: nothing may follow review but commit"),
        ("steps:\n- name: a\n  prompt: do {this}\n", 3, "names no other variables than {id}"),
        ("steps: &x\n- a\n", 1, "anchors and aliases"),
        ("steps:\n- a\n b: [\n", 3, "the YAML cannot be read"),
        ("steps:\n" + "- a\n" * 51, 1, "expected 50 at most"),
    ],
)
def test_every_mistake_is_named(text: str, line: int, words: str) -> None:
    """With the file, the line, the field and what was expected; a file with a mistake is no pipeline."""
    found, problems = parse("mine", text.encode(), "pipelines/mine.yaml")
    assert found is None
    assert [problem.path for problem in problems] == ["pipelines/mine.yaml"] * len(problems)
    assert any(words in problem.message and problem.line == line for problem in problems), problems
    assert all(problem.hint for problem in problems)


def test_commands_have_a_fingerprint() -> None:
    """What a pipeline would run is known by its hash; without commands there is none."""
    one = read("steps:\n- {name: a, run: make}\n- {name: b, condition: test -e x}\n")
    assert commands(one) == {"pipelines.mine.a.run": "make", "pipelines.mine.b.condition": "test -e x"}
    assert fingerprint(commands(one)) != fingerprint(commands(read("steps:\n- {name: a, run: make all}\n")))
    assert fingerprint(commands(read("steps:\n- a\n"))) is None


@pytest.mark.parametrize(
    ("section", "text", "words"),
    [
        ("Plan", "", "missing or empty"),
        ("Plan", "## Plan\n\n", "missing or empty"),
        ("Plan", "## Plan\nAPPROACH:\nRISKS: none\n", "none of the fields APPROACH, TOUCHING"),
        ("Plan", "## Plan\nAPPROACH: by hand\n", None),
        ("Plan", "## Plan\nAPPROACH:\n- one\n- two\nRISKS:\n", None),
        ("Plan", "## Plan\n**TOUCHING:** a.py\n", None),
        ("Handoff", "## Handoff\nSome words.\n", "none of the fields DONE"),
        ("Handoff", "## Handoff\nDONE: all\n", None),
        ("Review", "## Review\nVerdict: FAIL\n", "not `Verdict: PASS`"),
        ("Review", "## Review\nVerdict: PASS\n", None),
        ("Acceptance criteria", "## Acceptance criteria\n- [x] a\n- [ ] b\n", "1 of 2 acceptance criteria"),
        ("Acceptance criteria", "## Acceptance criteria\n- [x] a\n", None),
        ("Acceptance criteria", "## Acceptance criteria\nGood.\n", "no checklist"),
        ("Context", "## Context\nWhy.\n", None),
    ],
)
def test_what_a_section_lacks(section: str, text: str, words: str | None) -> None:
    """Each section is filled in its own way: fields, a verdict, a checklist, or any text."""
    found = lacking(text, section)
    assert found is None if words is None else words in str(found)
