"""Reads pipeline files: strict, every mistake named with file, line, field and what was expected.

A file is a list of steps under `steps:`; a step is a name alone, or a mapping with the fields below. Next in the flow:
`adapters.pipelines` hands the files in, `steps` says which step comes next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orange.core import config_file
from orange.core.config_file import Item
from orange.core.config_values import Key, Kind, Refused, typed
from orange.core.problems import Problem
from orange.core.prompt import VARIABLES, is_prompt
from orange.core.steps import (
    AGENT,
    APPROVAL,
    BY_AGENT,
    COMMAND,
    COMMIT,
    GATE,
    LAST,
    REVIEW,
    VERIFY,
    Pipeline,
    Step,
)

#: Names of pipelines and of steps.
SLUG = r"[a-z][a-z0-9_-]{0,47}"
#: Seconds a command may take that says nothing else.
TIMEOUT = 600
#: How often a step with `on_fail` goes back that says nothing else.
RETRIES = 3
#: The most steps of a pipeline.
MOST = 50
#: Sections of a task's text that a gate may require.
SECTIONS = ("Context", "Acceptance criteria", "Questions", "Answers", "Plan", "Handoff", "Review")

#: Every field of a step, in the order of the documentation.
FIELDS = (
    Key("name", Kind.TEXT, "What the step is called; unique in its pipeline.", pattern=SLUG, needed=True,
        expected="a name of lower-case letters, digits, - and _"),
    Key("kind", Kind.WORD, "What it is. Told by its other fields, or by the names `verify`, `review` and `commit`, "
        "where it is left out; else `agent`.", words=(AGENT, COMMAND, GATE, APPROVAL, VERIFY, REVIEW, COMMIT)),
    Key("prompt", Kind.TEXT, "For an agent: the name of a prompt template, or the text itself. Left out: the template "
        "named like the step.", fits=is_prompt,
        expected="a text that names no other variables than " + ", ".join(f"{{{name}}}" for name in VARIABLES)),
    Key("run", Kind.TEXT, "For a command: run by `sh -c` in the workspace; exit 0 means done.", command=True),
    Key("section", Kind.WORD, "For a gate: the section of the task's text that must be filled.", words=SECTIONS),
    Key("condition", Kind.TEXT, "A command run first: exit 0 does the step, 1 skips it, anything else fails it.",
        command=True),
    Key("timeout", Kind.DURATION, "How long it may take. Left out: 10m for a command, as long as the run for an agent.",
        least=1),
    Key("retries", Kind.WHOLE, "How often the run goes back after it failed: to `on_fail`, else to the step itself. "
        "Left out: 3 with `on_fail`, else 0.", least=0, most=20),
    Key("on_fail", Kind.TEXT, "The earlier step to go back to, with the evidence.", pattern=SLUG,
        expected="the name of an earlier step"),
    Key("agent", Kind.TEXT, "The agent of this step, before the task's and the project's; of a review, who reviews.",
        pattern=SLUG, expected="an agent's name such as claude"),
    Key("model", Kind.TEXT, "The model of this step."),
    Key("effort", Kind.TEXT, "The effort of this step."),
    Key("skill", Kind.TEXT, "The skill to carry it out with."),
    Key("role", Kind.TEXT, "As whom the agent is to work, such as `reviewer`."),
    Key("required", Kind.FLAG, "Whether the run fails with it. With `false` the next step follows all the same."),
)  # fmt: skip
_BY_NAME = {key.name: key for key in FIELDS}
#: Kind -> the field it cannot do without.
_NEEDS = {COMMAND: "run", GATE: "section"}
#: Field -> the kinds it has a meaning for; all others are for every kind but those that end the run.
_ONLY = {
    "run": {COMMAND},
    "section": {GATE},
    **dict.fromkeys(("prompt", "skill", "role"), BY_AGENT),
    **dict.fromkeys(("agent", "model", "effort"), BY_AGENT | {REVIEW}),
    "timeout": {COMMAND, REVIEW, *BY_AGENT},
    "on_fail": {AGENT, COMMAND, GATE, APPROVAL, VERIFY, REVIEW, COMMIT},
}
_UNCONDITIONAL = frozenset({"condition", "retries", "required"})
_NEVER = dict.fromkeys((APPROVAL, *LAST), _UNCONDITIONAL)


def parse(name: str, text: bytes, path: str) -> tuple[Pipeline | None, tuple[Problem, ...]]:
    """Read a pipeline file: the pipeline, or None, and what is wrong with it."""
    top, problems = config_file.parse(text, path)
    reader = _Reader(path, list(problems))
    steps = reader.steps(top)
    if reader.problems or not steps:
        return None, tuple(reader.problems)
    return Pipeline(name, tuple(steps)), ()


def commands(pipeline: Pipeline) -> Mapping[str, str]:
    """List what a pipeline would run, by place."""
    found: dict[str, str] = {}
    for step in pipeline.steps:
        told = {"run": step.run, "condition": step.condition}
        found |= {f"pipelines.{pipeline.name}.{step.name}.{field}": text for field, text in told.items() if text}
    return found


def fingerprint(found: Mapping[str, str]) -> str | None:
    """Hash what `commands` listed; None when there is nothing."""
    import hashlib

    text = "\0".join(f"{name}\0{found[name]}" for name in sorted(found))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() if found else None


class _Reader:
    """Reads the items of one file, and notes what does not fit."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems

    def steps(self, top: Item) -> list[Step]:
        """Read the steps."""
        assert isinstance(top.value, Mapping)
        for word, item in top.value.items():
            if word != "steps":
                self._problem(item.line, f"unknown key {word}", "the only key here is steps")
        items = top.value.get("steps")
        if items is None or not isinstance(items.value, tuple) or not items.value:
            if not self.problems:
                self._problem(
                    items.line if items else 1, "steps: expected a list of steps", "write `steps:` and `- name`"
                )
            return []
        if len(items.value) > MOST:
            self._problem(items.line, f"steps: expected {MOST} at most, found {len(items.value)}", "take some out")
            return []
        found = [(item, self._fields(item)) for item in items.value]
        steps = [(item, self._step(item, fields)) for item, fields in found if fields is not None]
        self._together([(item, step) for item, step in steps if step is not None])
        return [step for _, step in steps if step is not None]

    def _fields(self, item: Item) -> dict[str, object] | None:
        """Read one step's fields; None where it is no step."""
        if isinstance(item.value, str):
            item = Item({"name": item}, item.line)
        if not isinstance(item.value, Mapping):
            self._problem(item.line, "steps: expected a name, or a mapping with a name", "write `- name: build`")
            return None
        found: dict[str, object] = {}
        for word, value in item.value.items():
            key = _BY_NAME.get(word)
            if key is None:
                self._problem(value.line, f"steps: unknown field {word}", f"the fields are {', '.join(_BY_NAME)}")
                continue
            try:
                found[word] = typed(key, value)
            except Refused as refused:
                self._problem(refused.line or value.line, f"steps.{word}: {refused}", "mend the field")
        if "name" not in item.value:
            self._problem(item.line, "steps.name: expected a name, found nothing", "add `name:` to the step")
        return found if "name" in found else None

    def _step(self, item: Item, fields: dict[str, object]) -> Step | None:
        kind = str(fields.get("kind") or _kind(fields))
        name = fields["name"]
        needed = _NEEDS.get(kind)
        if needed and needed not in fields:
            self._problem(_line(item), f"step {name}: a {kind} needs {needed}", f"add `{needed}:`")
            return None
        for field in fields.keys() - {"name", "kind"}:
            if kind not in _ONLY.get(field, {kind}) or field in _NEVER.get(kind, ()):
                self._problem(_line(item, field), f"step {name}: {field} has no meaning for kind {kind}", "take it out")
        defaults: dict[str, object] = {
            "kind": kind,
            "retries": RETRIES if "on_fail" in fields and kind not in _NEVER else 0,
            "timeout": TIMEOUT if kind == COMMAND else None,
        }
        return Step(**{**defaults, **fields})  # type: ignore[arg-type]  # each was typed by its key

    def _together(self, steps: list[tuple[Item, Step]]) -> None:
        """Check what no step alone can tell: names, where `on_fail` leads, what comes last."""
        before: list[str] = []
        ended = ""
        for item, step in steps:
            if step.name in before:
                self._problem(_line(item, "name"), f"step {step.name}: two are called so", "rename one")
            if step.on_fail is not None and step.on_fail not in before:
                expected = ", ".join(before) or "none: it is the first step"
                message = f"step {step.name}: on_fail: expected an earlier step ({expected}), found {step.on_fail!r}"
                self._problem(_line(item, "on_fail"), message, "name a step above it")
            if ended and not (ended == REVIEW and step.kind == COMMIT):
                message = f"step {step.name}: nothing may follow {ended}{' but commit' if ended == REVIEW else ''}"
                self._problem(_line(item), message, "move it up")
            ended = step.kind if step.kind in LAST else ended
            before.append(step.name)

    def _problem(self, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, line, message, hint))


def _kind(fields: Mapping[str, object]) -> str:
    """Tell a step's kind by its fields, else by its name."""
    if "run" in fields:
        return COMMAND
    if "section" in fields:
        return GATE
    name = str(fields["name"])
    return name if name in {VERIFY, REVIEW, COMMIT, APPROVAL} else AGENT


def _line(item: Item, field: str = "") -> int:
    inner: Iterator[Item] = iter(())
    if isinstance(item.value, Mapping):
        inner = (value for word, value in item.value.items() if word == field)
    return next((value.line for value in inner), item.line)
