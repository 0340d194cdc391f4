"""`orange plan`: from a document to tasks, with a file in between that people edit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line

if TYPE_CHECKING:
    from orange.project.plan_import import Imported
    from orange.project.planning import Drafted

_GRAINS = ("coarse", "balanced", "fine")


def _asked(function: Any) -> Any:
    """Add what decides how a document is decomposed."""
    for option in (
        click.option("--agent", metavar="A", help="Let this agent read the document; else its structure decides."),
        click.option("--max-parallelism-hint", metavar="N", type=click.IntRange(1), help="Tasks worked on at once."),
        click.option(
            "--auto-ready", is_flag=True, default=None, help="Import as pending: what is ready starts. Else as backlog."
        ),
        click.option("--granularity", type=click.Choice(_GRAINS), help="How small: balanced, unless you say."),
        click.option("--max-depth", metavar="N", type=click.IntRange(1), help="Levels of tasks within one another."),
        click.option(
            "--recursive",
            is_flag=True,
            default=None,
            help="Go down as far as the document does, or an agent can split.",
        ),
    ):
        function = option(function)
    return click.argument("file", type=click.Path())(function)


@click.command(cls=Command, epilog="Example: orange plan decompose docs/prd.md --granularity fine")
@_asked
@common
def decompose(call: Call, /, file: str, **asked: Any) -> None:
    """Make a plan of a document: a file you can edit.

    FILE is Markdown, plain text or a PDF. Its headings, lists, boxes, tables, ids and sentences such as "depends on"
    become tasks and their order; with --agent, an agent reads it and answers by a published schema. A document that was
    decomposed before brings its plan up to date; your edits in it stay, and so does what you do not ask for anew.
    """
    made = _draft(call, file, asked)
    call.out.give(_view(call, made), lambda: _drafted(call, made))


@click.command(cls=Command, epilog="Example: orange plan review shop")
@click.argument("plan", required=False)
@common
def review(call: Call, /, plan: str | None) -> None:
    """Show a plan: its tree, its waves, its warnings, and what importing it would change.

    PLAN may be left out where only one is not imported yet.
    """
    found = call.project.plans.review(plan)
    call.out.give(_told(call, found), lambda: _reviewed(call, found))


@click.command("import", cls=Command, epilog="Example: orange plan import shop --confirm")
@click.argument("plan", required=False)
@click.option("--confirm", is_flag=True, help="Do it; without this, only show what would change.")
@common
def import_plan(call: Call, /, plan: str | None, confirm: bool) -> None:
    """Make tasks of a plan, all or none.

    Importing again changes only what differs: what was started is left alone, what the plan no longer has is cancelled.
    """
    with call.out.busy("importing" if confirm else "comparing"):
        found = call.project.plans.commit(plan) if confirm else call.project.plans.review(plan)
    call.out.give({**_told(call, found), "confirmed": confirm}, lambda: _imported(found, confirm=confirm))


@click.command(cls=Command, epilog="Example: orange plan create docs/prd.md --auto-import --auto-ready")
@_asked
@click.option("--auto-import", is_flag=True, help="Import it at once.")
@common
def create(call: Call, /, file: str, auto_import: bool, **asked: Any) -> None:
    """Decompose a document and, with --auto-import, import the plan at once."""
    made = _draft(call, file, asked)
    if not auto_import:
        call.out.give(_view(call, made), lambda: _drafted(call, made))
        return
    with call.out.busy(f"importing {made.plan.id}"):
        found = call.project.plans.commit(made.plan.id)
    given = {**_told(call, found), "confirmed": True, "spent": _spent(made)}
    call.out.give(given, lambda: [*_cost(made), *_imported(found, confirm=True)])


@click.command("list", cls=Command, epilog="Example: orange plan list --json")
@common
def list_plans(call: Call, /) -> None:
    """List the plans, newest first."""
    from orange.core.plans.views import head_view

    plans = call.project.plans.list()
    rows = [
        {**(head_view(one.plan, one.path) if one.plan else {"id": one.id, "path": one.path}),
         "tasks": len(one.plan.tasks) if one.plan else None,
         "problems": [{"path": p.path, "line": p.line, "message": p.message, "hint": p.hint} for p in one.problems]}
        for one in plans
    ]  # fmt: skip
    call.out.give({"plans": rows}, lambda: _listed(rows))


def _draft(call: Call, file: str, asked: dict[str, Any]) -> Drafted:
    from orange.core.plans.model import Granularity

    given = {name: value for name, value in asked.items() if value is not None}
    if "granularity" in given:
        given["granularity"] = Granularity(given["granularity"])
    path = file if file == "-" else os.path.join(call.folder or os.getcwd(), file)
    source, data = _named(call, path), _read(call, path)
    with call.out.busy(f"reading {source}, {len(data) / 1e6:.1f} MB"):
        text = call.project.plans.read(data, source)
        wanted = call.project.plans.parameters(source, given)
        if wanted.agent is None:
            return call.project.plans.decompose(text, source, wanted, _unheard)
    tell = call.out.note if call.out.errors_terminal else _unheard
    return call.project.plans.decompose(text, source, wanted, tell)


def _unheard(_line: str) -> None:
    """Tell nobody: progress is for terminals."""


def _read(call: Call, path: str) -> bytes:
    """Read a file, or standard input, as far as it can be a document. Raises InvalidInput."""
    from orange.core.problems import InvalidInput
    from orange.project.documents import LARGEST_FILE

    if path == "-":
        stream = getattr(call.stdin, "buffer", None)
        return stream.read(LARGEST_FILE + 1) if stream else call.stdin.read().encode()
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidInput(path, error.strerror or "it cannot be read") from error


def _named(call: Call, path: str) -> str:
    """Name a document by its place in the repository, where it lies there."""
    root = os.path.realpath(call.project.layout.root)
    whole = os.path.realpath(path)
    return os.path.relpath(whole, root) if path != "-" and whole.startswith(f"{root}/") else path


def _view(call: Call, made: Drafted) -> dict[str, object]:
    if not call.out.json:
        return {}
    from orange.core.plans.views import plan_view

    changes = None if made.changes is None else [
        {"kind": change.kind, "key": change.key, "title": change.title} for change in made.changes
    ]  # fmt: skip
    return {"plan": plan_view(made.plan, made.path), "changes": changes, "spent": _spent(made)}


def _spent(made: Drafted) -> dict[str, object] | None:
    """Return what asking an agent has cost, as JSON; None where none was asked."""
    if made.spent is None:
        return None
    told = made.spent
    return {"agent": told.agent, "runs": list(told.runs), "tokens": told.tokens, "usd": told.usd}


def _cost(made: Drafted) -> Iterator[str]:
    if made.spent:
        tokens = f": {made.spent.tokens} tokens" if made.spent.tokens else ""
        usd = "" if made.spent.usd is None else f", {made.spent.usd:.2f} USD"
        count = len(made.spent.runs)
        yield f"{made.spent.agent} answered {count} question{'s' * (count != 1)}{tokens}{usd}"


def _drafted(call: Call, made: Drafted) -> Iterator[str]:
    from orange.core.plans.schedule import leaves, schedule
    from orange.core.plans.views import change_lines, doubt_lines

    tasks, waves = len(leaves(made.plan)), len(schedule(made.plan).waves)
    path = f"{call.project.layout.tree}/{made.path}"
    said = "made" if made.changes is None else "brought up to date"
    yield f"{said} {one_line(path)}: {tasks} tasks in {waves} waves"
    yield from map(one_line, change_lines(made.changes or ()))
    if made.changes == ():
        yield "  nothing differs"
    yield from (call.out.shade(one_line(line), "yellow") for line in doubt_lines(made.plan))
    yield from _cost(made)
    yield f"next: edit it, then `orange plan review {made.plan.id}` and `orange plan import {made.plan.id} --confirm`"


def _told(call: Call, found: Imported) -> dict[str, object]:
    if not call.out.json:
        return {}
    from orange.core.plans.views import plan_view

    steps = [
        {"kind": step.kind, "key": step.key, "title": step.title, "task": step.task or found.ids.get(step.key),
         "what": step.what}
        for step in found.steps
    ]  # fmt: skip
    created = [step["task"] for step in steps if step["kind"] == "add" and step["task"]]
    return {
        "plan": plan_view(found.plan, found.path),
        "steps": steps,
        "created_task_ids": created,
        "ids": dict(found.ids),
    }


def _reviewed(call: Call, found: Imported) -> Iterator[str]:
    from orange.core.plans.schedule import schedule
    from orange.core.plans.views import doubt_lines, step_lines, tree_lines, wave_lines

    plan = found.plan
    yield call.out.shade(f"{one_line(plan.title)} ({plan.status}, from {one_line(plan.source_file)})", "bold")
    yield from map(_whole_line, tree_lines(plan))
    order = schedule(plan)
    yield ""
    yield call.out.shade(f"{len(order.waves)} waves; # is the longest chain", "bold")
    yield from map(_whole_line, wave_lines(order))
    if plan.doubts:
        yield ""
        yield call.out.shade("warnings", "bold")
        yield from (call.out.shade(one_line(line), "yellow") for line in doubt_lines(plan))
    yield ""
    yield call.out.shade("importing would", "bold")
    yield from map(one_line, step_lines(found.steps))


def _whole_line(text: str) -> str:
    """Make a line safe and keep its indentation."""
    return " " * (len(text) - len(text.lstrip())) + one_line(text) if text[:1] == " " else _spaced(text)


def _spaced(text: str) -> str:
    head, gap, tail = text.partition("  ")
    return f"{one_line(head)}{gap}{' ' * (len(tail) - len(tail.lstrip()))}{one_line(tail)}"


def _imported(found: Imported, *, confirm: bool) -> Iterator[str]:
    from orange.core.plans.views import step_lines

    yield from map(one_line, step_lines(found.steps))
    count = sum(step.kind in {"add", "change", "drop"} for step in found.steps)
    if confirm:
        changes = f"{count} change{'s' * (count != 1)}"
        yield f"imported {found.plan.id}: {changes}" if count else f"{found.plan.id} is imported already"
    else:
        yield f"nothing was changed: `orange plan import {found.plan.id} --confirm` does it"


def _listed(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["problems"]:
            first = row["problems"][0]
            yield f"{one_line(row['id'])}: {one_line(first['path'])}:{first['line']}: {one_line(first['message'])}"
        else:
            facts = f"{row['status']}, {row['tasks']} tasks, {one_line(row['source_file'])}"
            yield f"{row['id']}: {one_line(row['title'])} ({facts})"
    if not rows:
        yield "there is no plan: `orange plan decompose FILE` makes one"
