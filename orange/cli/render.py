"""Tasks as lines for people: tables, trees, one task in full, what it waits for. Pure: values in, lines out.

Every text that comes from a file passes `visible`, so that control characters are shown and never obeyed.
Next in the flow: `output` prints the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orange.cli.table import Cell, Column, Paint, layout
from orange.core.allowance import Bill
from orange.core.present import visible

#: The JSON task object.
View = Mapping[str, Any]

#: Board word or status -> symbol, its plain stand-in, shade.
_MARKS = {
    "backlog": ("◌", ".", "dim"),
    "ready": ("○", "o", "cyan"),
    "blocked": ("⊘", "x", "yellow"),
    "working": ("●", "*", "blue"),
    "delegated": ("◎", "@", "blue"),
    "reviewing": ("◐", "?", "magenta"),
    "reviewed": ("◑", "+", "magenta"),
    "stuck": ("✗", "!", "red"),
    "done": ("✓", "v", "green"),
    "cancelled": ("–", "-", "dim"),
}
_PRIORITIES = {"critical": "red", "high": "yellow", "medium": "", "low": "dim"}
_COLUMNS = (
    Column("STATE"),
    Column("ID"),
    Column("PRIORITY"),
    Column("NAME", flexible=True),
    Column("TITLE", flexible=True),
    Column("AGENT"),
    Column("AGE"),
    Column("WAITS FOR", flexible=True),
)


@dataclass(frozen=True, slots=True)
class Style:
    """How lines may look on the screen they go to."""

    #: Columns; None when lines are not cut.
    width: int | None
    paint: Paint
    unicode: bool
    #: Wall-clock seconds, for ages.
    now: float


def one_line(text: object) -> str:
    """Make a text from a file safe and single-line; nothing for None."""
    return "" if text is None else visible(" ".join(str(text).split()))


def age(since: str | None, now: float) -> str:
    """Say how long ago an RFC 3339 time was, in one unit."""
    try:
        past = max(now - datetime.fromisoformat(since or "").timestamp(), 0)
    except ValueError:
        return ""
    return age_of(past)


def age_of(seconds: float) -> str:
    """Say a span of time in one unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(max(seconds, 0))}s"


def state(view: View) -> str:
    """Say in which state a task is: `ready`, `blocked`, `delegated (2/3)`, `stuck: question` or the status."""
    status = str(view["status"])
    if status == "pending":
        return "ready" if view.get("ready") else "blocked"
    if status == "delegated" and view.get("progress"):
        return f"delegated ({view['progress']['done']}/{view['progress']['total']})"
    if status == "stuck" and view.get("stuck"):
        return f"stuck: {one_line(view['stuck'].get('reason'))}"
    return status


def badge(view: View, style: Style) -> Cell:
    """Make the cell of a task's state, with its symbol."""
    words = state(view)
    symbol, plain, shade = _MARKS.get(words.partition(" ")[0].rstrip(":"), ("·", ".", ""))
    return Cell(f"{symbol if style.unicode else plain} {words}", shade)


def task_table(views: Sequence[View], style: Style) -> list[str]:
    """Lay tasks out one below the other, in the order given."""
    return _table([(view, "") for view in views], style)


def task_tree(views: Sequence[View], style: Style) -> list[str]:
    """Lay tasks out beneath their parents; a task whose parent is not shown stands at the top."""
    shown = {view["id"] for view in views}
    children: dict[str | None, list[View]] = {}
    for view in views:
        parent = view.get("parent")
        children.setdefault(parent if parent in shown else None, []).append(view)
    rows: list[tuple[View, str]] = []
    _grow(None, "", children, _twigs(style), rows)
    lost = shown - {view["id"] for view, _ in rows}  # parents that go round in a circle
    return _table([*rows, *((view, "") for view in views if view["id"] in lost)], style)


_Twigs = tuple[str, str, str, str]


def _twigs(style: Style) -> _Twigs:
    return ("├─ ", "└─ ", "│  ", "   ") if style.unicode else ("|- ", "`- ", "|  ", "   ")


def _grow(
    parent: str | None,
    indent: str,
    children: Mapping[str | None, Sequence[View]],
    twigs: _Twigs,
    rows: list[tuple[View, str]],
) -> None:
    # A stack of its own: nesting is unlimited for people, Python's is not.
    pending = [(view, "", indent) for view in reversed(children.get(parent, ()))]
    while pending:
        view, twig, below = pending.pop()
        rows.append((view, twig))
        brood = children.get(view["id"], ())
        last = len(brood) - 1
        pending.extend(
            (brood[i], below + twigs[1 if i == last else 0], below + twigs[3 if i == last else 2])
            for i in range(last, -1, -1)
        )


def _table(rows: Sequence[tuple[View, str]], style: Style) -> list[str]:
    if not rows:
        return []
    return layout(_COLUMNS, [_row(view, twig, style) for view, twig in rows], style.width, style.paint)


def _row(view: View, twig: str, style: Style) -> list[Cell]:
    priority = str(view.get("priority") or "")
    waits = view.get("waiting") or ()
    return [
        badge(view, style),
        Cell(view["id"]),
        Cell(priority, _PRIORITIES.get(priority, "")),
        Cell(twig + one_line(view.get("name"))),
        Cell(one_line(view.get("title"))),
        Cell(one_line(view.get("agent"))),
        Cell(age(view.get("created_at"), style.now), "dim"),
        Cell(one_line(waits[0]["message"]) if waits else "", "dim"),
    ]


_FIELDS = (
    "priority", "type", "pipeline", "parent", "children", "blocked_by", "labels", "category", "session", "ref",
    "assignee", "agent", "model", "effort", "skill", "estimate", "requires", "publish", "base", "branch", "workspace",
    "tmux_session", "run", "ports", "attempts", "review_round", "context_files", "acceptance_criteria", "approved",
    "merged", "path",
)  # fmt: skip


def task_page(view: View, style: Style) -> list[str]:
    """Show one task in full: its state, its fields, what it waits for, its text."""
    head = badge(view, style)
    lines = [
        style.paint(one_line(view.get("title")), "bold"),
        f"{style.paint(head.text, head.shade)}  {view['id']}  {one_line(view.get('name'))}",
        "",
    ]
    for name in _FIELDS:
        value = _field(view.get(name))
        if value and not (name == "skill" and value == "auto"):
            lines.append(f"{style.paint(f'{name:<20}', 'dim')} {value}")
    steps = [f"{step['name']} {step['state']}" for step in view.get("steps") or ()]
    if steps:
        lines.append(f"{style.paint('steps'.ljust(20), 'dim')} {one_line(', '.join(steps))}")
    times = (f"{name} {view[key]} ({age(view[key], style.now)})" for name, key in _TIMES if view.get(key))
    lines += [
        *spent_lines(view.get("spent") or {}, style),
        *evidence_lines(view, style),
        ", ".join(times),
        *reasons(view.get("waiting") or (), style),
    ]
    body = str(view.get("body") or "").strip("\n")
    return [*lines, "", *text_lines(body)] if body else lines


def spent_lines(spent: Mapping[str, Any], style: Style) -> list[str]:
    """Show what a task's runs used; nothing where they used nothing."""
    told = str(Bill(**spent))
    return [f"{style.paint('spent'.ljust(20), 'dim')} {told}"] if told else []


_ROUNDS = {"work": "its work", "merge": "its merge"}
_VERDICTS = {"passed": "green"}


def evidence_lines(view: View, style: Style) -> list[str]:
    """Show what was said of a task's work: by checks, by agents, and by people who have not decided yet."""
    return [
        *check_lines(view.get("checks") or (), style),
        *review_lines(view.get("reviews") or (), style),
        *comment_lines(view.get("comments") or (), style),
    ]


def check_lines(rounds: Iterable[Mapping[str, Any]], style: Style) -> list[str]:
    """Show what the project's checks came to: a line for each round, and one for each check with its evidence."""
    lines: list[str] = []
    for found in rounds:
        where = f"of {_ROUNDS[found['on']]} at {one_line(found.get('commit') or 'no commit')[:12]}"
        when = age(found.get("at"), style.now)
        head = style.paint("checks".ljust(20), "dim")
        lines.append(f"{head} {where}" + (f" ({when} ago)" if when else ""))
        for result in found["results"]:
            verdict = style.paint(one_line(result["verdict"]), _VERDICTS.get(result["verdict"], "red"))
            lines.append(f"    {one_line(result['name'])}: {verdict} ({one_line(result['message'])})")
            if result["verdict"] != "passed":
                lines += [f"        {line}" for line in text_lines(result["evidence"])]
    return lines


def review_lines(reviews: Sequence[Mapping[str, Any]], style: Style) -> list[str]:
    """Show what agents said of the work: the latest with its findings, of those before it the verdict."""
    lines: list[str] = []
    for number, told in enumerate(reviews):
        verdict = style.paint(one_line(told["verdict"]), "green" if told["passed"] else "red")
        when, head = age(told.get("at"), style.now), style.paint("review".ljust(20), "dim")
        lines.append(f"{head} {verdict} by {one_line(told['agent'])} at {one_line(told['commit'])[:12]} ({when} ago)")
        if number == 0:
            lines += [f"    {line}" for line in text_lines(told["summary"]) if line]
            lines += [f"    {_finding(found)}" for found in told["findings"]]
    return lines


def _finding(found: Mapping[str, Any]) -> str:
    place = ":".join(one_line(part) for part in (found.get("file"), found.get("line")) if part)
    return ": ".join(part for part in (one_line(found["severity"]), place, one_line(found["message"])) if part)


def comment_lines(comments: Iterable[Mapping[str, Any]], style: Style) -> list[str]:
    """Show the comments on lines that wait for the reviewer's decision."""
    found = [f"    {one_line(said['file'])}:{said['line']}: {one_line(said['text'])}" for said in comments]
    return [style.paint("comments, not sent", "dim"), *found] if found else []


_TIMES = (("created", "created_at"), ("updated", "updated_at"))


def _field(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one_line(part)}" for key, part in value.items() if part is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(one_line(part) for part in value)
    return "" if value is None or value == 0 else one_line(value)


def text_lines(text: str) -> Iterable[str]:
    """Split a text from a file into safe lines."""
    return (visible(line.removesuffix("\r")) for line in text.removesuffix("\n").split("\n"))


def reasons(waiting: Iterable[Mapping[str, Any]], style: Style, label: Callable[[Any], str] | None = None) -> list[str]:
    """Say for each reason what is waited for, since when, on what evidence, and what would end it."""
    lines: list[str] = []
    for reason in waiting:
        since = age(reason.get("since"), style.now)
        head = one_line(reason.get("message")) + (f" (for {since})" if since else "")
        lines.append(f"{label(reason) if label else style.paint('waits:', 'yellow')} {head}")
        more = [(name, one_line(reason.get(name))) for name in ("evidence", "remedy")]
        lines += [f"    {style.paint(f'{name}:', 'dim')} {text}" for name, text in more if text]
    return lines


def problem_lines(problems: Iterable[Mapping[str, Any]], style: Style) -> list[str]:
    """Show problems as `path:line: message`, each with its hint."""
    lines: list[str] = []
    for found in problems:
        where = f"{one_line(found['path'])}:{found['line']}" if found.get("line") else one_line(found["path"])
        lines.append(f"{style.paint(where, 'red')}: {one_line(found['message'])}")
        if found.get("hint"):
            lines.append(f"    {style.paint('hint:', 'dim')} {one_line(found['hint'])}")
    return lines
