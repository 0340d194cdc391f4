"""`orange task create`: from words, from a text, from a whole task file or from your editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from orange.cli.call import Call, words
from orange.cli.parsing import Command, TaskAddress, common, many, text
from orange.cli.render import one_line, state
from orange.core.lifecycle import Status
from orange.core.model import Priority, Publish, Task
from orange.core.problems import InvalidInput
from orange.project.requests import NewTask

_EPILOG = """\b
Examples:
  orange task create "Add a login page" --priority high
  orange task create oauth-api "OAuth endpoints" --blocked-by db-schema --body -
  orange task create --from-file plan/TASK.md
"""


@click.command(cls=Command, epilog=_EPILOG)
@text("name", required=False)
@text("title", required=False)
@many("--blocked-by", metavar="ID", type=TaskAddress(), help="A task that must be done first; may be repeated.")
@click.option("--parent", metavar="ID", type=TaskAddress(), help="The task this is a part of.")
@click.option("--no-parent", is_flag=True, help="Inside a workspace: not a part of its task.")
@click.option("--type", "type_", metavar="T", default="task", show_default=True, help="Selects the pipeline.")
@click.option("--priority", type=click.Choice([word.value for word in Priority]), default="medium", show_default=True)
@many("--label", "labels", metavar="L", help="A label; may be repeated.")
@click.option("--agent", metavar="A", help="The agent that does it.")
@click.option("--model", metavar="M", help="The agent's model.")
@click.option("--effort", metavar="E", help="The model's effort.")
@click.option("--base", metavar="B", help="The branch it is cut from and merged into.")
@click.option("--branch", metavar="B", help="Its own branch.")
@click.option("--worktree-path", metavar="P", type=click.Path(), help="Where its workspace lies.")
@click.option("--publish", type=click.Choice([word.value for word in Publish]), help="How its work leaves its branch.")
@many("--requires", metavar="C", help="A capability the machine must have; may be repeated.")
@many("--criterion", "acceptance_criteria", metavar="TEXT", help="An acceptance criterion; may be repeated.")
@many("--context-file", "context_files", metavar="F", help="A file given to the agent; may be repeated.")
@click.option("--assignee", metavar="A", help="`human` keeps agents off it.")
@click.option("--skill", metavar="S", default="auto", show_default=True, help="A named skill to execute.")
@click.option("--estimate", metavar="E", help="XS, S, M, L, XL or a duration.")
@click.option("--category", metavar="C", help="Free.")
@click.option("--session", metavar="S", help="Groups work.")
@click.option("--ref", metavar="R", help="A foreign key such as T-001.")
@click.option("--backlog", is_flag=True, help="Only capture it: it is not started by itself.")
@click.option("--body", metavar="TEXT", help="Its text; `-` reads standard input.")
@click.option("--body-file", metavar="F", type=click.Path(), help="Read its text from a file; `-` is standard input.")
@click.option("--from-file", metavar="TASKFILE", type=click.Path(), help="Take a whole TASK.md as it stands.")
@click.option("--edit", is_flag=True, help="Write it in your editor first.")
@common
def create(call: Call, /, **given: Any) -> None:
    """Create a task."""
    _check_sources(given)
    if given["from_file"]:
        made = call.project.adopt(read_file(call, given["from_file"]))
    else:
        made = call.project.create(_request(call, given))
    view = call.project.view(made.id) if call.out.json else {}
    call.out.give({"task": view}, lambda: [created_line(made)])


def created_line(made: Task) -> str:
    """Say what was created."""
    status = state({"status": made.status, "ready": True}) if made.status is not Status.PENDING else "pending"
    return f"created {made.id} {one_line(made.name)} ({status}): {one_line(made.title)}"


def _check_sources(given: Mapping[str, Any]) -> None:
    sources = [f"--{key.replace('_', '-')}" for key in ("body", "body_file", "from_file") if given[key] is not None]
    if len(sources) > 1:
        raise click.UsageError(f"{' and '.join(sources)} exclude each other")
    if given["from_file"] and (given["name"] or given["title"] or given["edit"]):
        raise click.UsageError("--from-file takes everything from the file: give neither NAME, TITLE nor --edit")
    if given["parent"] and given["no_parent"]:
        raise click.UsageError("--parent and --no-parent exclude each other")
    if not (given["name"] or given["from_file"] or given["edit"]):
        raise click.UsageError('give the task a NAME or a "TITLE"')
    if given["worktree_path"]:
        raise InvalidInput("--worktree-path", "not available yet: `workspaces.root` moves all workspaces")


_PLAIN = (
    "name", "title", "parent", "no_parent", "agent", "model", "effort", "base", "branch", "assignee", "skill",
    "estimate", "category", "session", "ref",
)  # fmt: skip
_LISTS = ("blocked_by", "labels", "requires", "acceptance_criteria", "context_files")


def _request(call: Call, given: dict[str, Any]) -> NewTask:
    body = _body(call, given)
    if given["edit"]:
        given["title"], body = _in_editor(given, body)
    lists: dict[str, Any] = {key: words(given[key]) for key in _LISTS}
    return NewTask(
        **{key: given[key] for key in _PLAIN},
        **lists,
        body=body,
        type=given["type_"],
        priority=Priority(given["priority"]),
        publish=Publish(given["publish"]) if given["publish"] else None,
        status=Status.BACKLOG if given["backlog"] else None,
    )


def _body(call: Call, given: Mapping[str, Any]) -> str:
    if given["body_file"] is not None:
        return read_file(call, given["body_file"])
    return call.read_text(given["body"]) if given["body"] is not None else ""


def read_file(call: Call, path: str) -> str:
    """Read a text file; `-` is standard input. Raises InvalidInput."""
    if path == "-":
        return call.stdin.read()
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(path, getattr(error, "strerror", None) or "it is not UTF-8 text") from error


def _in_editor(given: Mapping[str, Any], body: str) -> tuple[str, str]:
    """Let a person write the title (first line) and the body (the rest)."""
    title = given["title"] or given["name"] or ""
    written = click.edit(f"{title}\n\n{body}", extension=".md", require_save=False) or ""
    first, _, rest = written.lstrip().partition("\n")
    if not first.strip():
        raise InvalidInput("title", "its first line is empty: nothing was created")
    return first.strip().removeprefix("# "), rest.lstrip("\n")
