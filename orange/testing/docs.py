"""Writes the generated parts of `docs/` anew: the state diagram, the settings, the command reference, the JSON Schema.

    python -m orange.testing.docs [FOLDER]

A page marks what is generated with `<!-- generated: NAME -->` and `<!-- end -->`; the rest is written by hand. A test
runs this and finds nothing to change.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping

import click

import orange
from orange.adapters.runtimes.scripted_agent import ACTIONS
from orange.adapters.runtimes.scripting import VERBS
from orange.cli.app import root
from orange.core import artifacts, config, lifecycle, publish_result
from orange.core.config_schema import KEYS, json_schema
from orange.core.config_values import Key, Kind
from orange.core.config_view import shown
from orange.core.lifecycle import TRANSITIONS, Status, StuckReason
from orange.core.pipelines import FIELDS, parse
from orange.core.plans import answerschema
from orange.core.prompt import VARIABLES
from orange.core.steps import MODES, SHAPES
from orange.web import openapi
from orange.web.routes import OPERATIONS

_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MEMBER = re.compile(r"((?:    #: .*\n)+)    [A-Z_]+ = \"(\w+)\"")
#: Columns of the help texts, wherever they are generated.
_WIDTH = 100


def pages(folder: str) -> Mapping[str, str]:
    """Return every page below the docs folder that has generated parts, with its text as it should be."""
    schemas = {
        "config": json_schema(),
        "publish_result": publish_result.schema(),
        "task_context": artifacts.task_context(),
        "steps": artifacts.steps(),
        "run_summary": artifacts.run_summary(),
        "review": artifacts.review(),
        "review_answer": artifacts.review_answer(),
        "plan_answer": answerschema.schema(),
    }
    found = {
        f"reference/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
    found["reference/openapi.json"] = json.dumps(openapi.document(OPERATIONS), indent=1, ensure_ascii=False) + "\n"
    for path in _markdown(folder):
        with open(f"{folder}/{path}", encoding="utf-8") as file:
            text = file.read()
        if _PART.search(text):
            found[path] = _PART.sub(_filled, text)
    return found


def _markdown(folder: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (os.path.relpath(f"{where}/{name}", folder) for name in sorted(names) if name.endswith(".md"))


def _filled(part: re.Match[str]) -> str:
    return f"{part[1]}\n{_PARTS[part[2]]().strip()}\n\n{part[3]}"


def state_diagram() -> str:
    """Draw the table of transitions for mermaid."""
    moves = [
        f"    {source} --> {target}: {what.replace(': ', ', ')}"
        for source, targets in TRANSITIONS.items()
        for target, what in targets.items()
    ]
    start = [f"    [*] --> {status}" for status in (Status.BACKLOG, Status.PENDING)]
    return "\n".join(["```mermaid", "stateDiagram-v2", *start, *moves, "```"])


def transition_table() -> str:
    """List the table of transitions, a row a status."""
    rows = [
        f"| `{source}` | {', '.join(f'`{target}` ({what})' for target, what in targets.items())} |"
        for source, targets in TRANSITIONS.items()
    ]
    return "\n".join(["| from | to |", "|---|---|", *rows])


def _words(words: type[Status | StuckReason], heading: str) -> str:
    """List an enumeration with the comments of its declaration."""
    rows = [
        f"| `{word}` | {' '.join(line.strip(' #:') for line in comment.splitlines())} |"
        for comment, word in _MEMBER.findall(inspect.getsource(words))
    ]
    return "\n".join([f"| {heading} | meaning |", "|---|---|", *rows])


def settings_table() -> str:
    """List every setting with its default, what it takes and what it is for."""
    defaults = _defaults()
    rows = [
        f"| `{key.name}`{' (U)' if key.user_only else ''} | {defaults.get(key.name, '')} | {_cell(key.wants)} | "
        f"{_cell(key.about)} |"
        for key in KEYS
    ]
    items = [
        f"| `{key.name}[].{item.name}` | | {_cell(item.wants)} | {_cell(item.about)} |"
        for key in KEYS
        for item in key.items
    ]
    return "\n".join(["| setting | default | takes | what for |", "|---|---|---|---|", *rows, *items])


def _defaults() -> Mapping[str, str]:
    settings = config.layer({}, {}, {}, {})[0]
    return {name: f"`{_yaml(key, value)}`" for key in KEYS for name, value in shown(key, settings)}


def _yaml(key: Key, value: object) -> str:
    if isinstance(value, str) and key.kind is not Kind.TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def command_reference() -> str:
    """Write down what `--help` says of every command."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps(root, "orange"))


def _helps(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    width = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = click.Context(command, parent, info_name=name, **{**command.context_settings, **width})
    yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            if below is not None and not below.hidden:
                yield from _helps(below, word, context)


def script_verbs() -> str:
    """List what the scripted agent can do, with the sentence of each action."""
    rows = [f"| `{verb}` | {_cell(wants)} | {_cell(_does(verb))} |" for verb, wants in VERBS.items()]
    return "\n".join(["| instruction | behind it | what it does |", "|---|---|---|", *rows])


def _does(verb: str) -> str:
    action = ACTIONS.get(verb)
    return (inspect.getdoc(action) or "").partition("\n")[0] if action else "Fail in the first attempt only."


def step_fields() -> str:
    """List the fields of a pipeline's step."""
    rows = [f"| `{key.name}` | {_cell(key.wants)} | {_cell(key.about)} |" for key in FIELDS]
    return "\n".join(["| field | takes | what for |", "|---|---|---|", *rows])


def built_in_pipelines() -> str:
    """List the pipelines that come with orange, with the sentence of each file."""
    folder = f"{os.path.dirname(orange.__file__)}/pipelines"
    rows = [_pipeline_row(f"{folder}/{name}.yaml", name) for name in SHAPES]
    return "\n".join(["| type | steps | what for |", "|---|---|---|", *rows])


def _pipeline_row(path: str, name: str) -> str:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found, problems = parse(name, text.encode(), path)
    assert found is not None, problems
    steps, about = ", ".join(step.name for step in found.steps), text.partition("\n")[0].strip("# ")
    return f"| `{name}` | {steps} | {_cell(about)} |"


def prompt_variables() -> str:
    """List what a prompt template may name."""
    rows = [f"| `{{{name}}}` | {_cell(what)} |" for name, what in VARIABLES.items()]
    return "\n".join(["| variable | what it stands for |", "|---|---|", *rows])


def api_operations() -> str:
    """List what the HTTP API can do."""
    rows = [
        f"| `{operation.method} {operation.path}` | `{operation.id}` | {_cell(operation.about)} |"
        for operation in OPERATIONS
    ]
    return "\n".join(["| route | name | what it does |", "|---|---|---|", *rows])


def modes() -> str:
    """List the sets of human gates."""
    rows = [f"| `{mode}` | {_stops(gates.before)} | {_stops(gates.after)} |" for mode, gates in MODES.items()]
    return "\n".join(["| mode | asks before | asks after |", "|---|---|---|", *rows])


def _stops(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


_PARTS: Mapping[str, Callable[[], str]] = {
    "state-diagram": state_diagram,
    "transitions": transition_table,
    "statuses": lambda: _words(lifecycle.Status, "status"),
    "stuck-reasons": lambda: _words(lifecycle.StuckReason, "reason"),
    "settings": settings_table,
    "commands": command_reference,
    "script-verbs": script_verbs,
    "step-fields": step_fields,
    "pipelines": built_in_pipelines,
    "prompt-variables": prompt_variables,
    "modes": modes,
    "api-operations": api_operations,
}


def main(folder: str = "docs") -> int:
    """Write the pages that differ; returns the exit code."""
    for path, text in pages(folder).items():
        target = f"{folder}/{path}"
        with open(target, "a+", encoding="utf-8") as file:
            file.seek(0)
            if file.read() != text:
                file.truncate(0)
                file.write(text)
                sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
