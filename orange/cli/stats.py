"""`orange stats`: what runs took, used and came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.chart import bars
from orange.cli.parsing import Command, TaskAddress, common, seconds
from orange.cli.render import one_line
from orange.cli.table import Cell, Column, layout
from orange.core import times
from orange.core.allowance import UNITS, Bill
from orange.core.usage import PLANS

#: So many days, and so many tasks, are shown; with --json all are.
_DAYS, _TASKS = 31, 10
_DAY = 86400.0

_Row = Mapping[str, Any]


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  orange stats --since 7d
  orange stats --task oauth-api --json
""",
)
@click.option("--since", metavar="TIME", help="Only runs that began within this time, such as 7d or 12h.")
@click.option("--task", "of", metavar="TASK", type=TaskAddress(), help="Only this task and everything below it.")
@common
def stats(call: Call, /, since: str | None, of: str | None) -> None:
    """Show what runs took and cost, by day, agent, model and type.

    Days are those of UTC. Tokens and money are as far as the agents told.
    """
    found = call.project.stats(of, seconds(since) if since else None)
    call.out.give(found, lambda: _lines(found, call, runs=of is not None))


def _lines(found: _Row, call: Call, *, runs: bool) -> Iterator[str]:
    total = found["total"]
    if not total["runs"]:
        yield "no run began in that time" if found["since"] else "no run has begun yet"
        return
    ended = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in found["outcomes"].items())
    since = f" since {found['since']}" if found["since"] else ""
    yield call.out.shade(f"{_count(total['runs'], 'run')} of {_count(total['tasks'], 'task')}{since}", "bold")
    yield f"{_bill(total)} ({ended})"
    yield from ("", *_chart(found["days"], call))
    for name in ("agent", "model", "type"):
        yield from ("", *_table([Column(name.upper(), flexible=True), *_SUMS], [
            [Cell(one_line(row[name] or "not told")), *_sums(row)] for row in found[f"{name}s"]
        ], call))  # fmt: skip
    if found["estimates"]:
        yield from ("", *_estimates(found["estimates"], call))
    yield from ("", *(_runs(found["runs"], call) if runs else _tasks(found["tasks"], call)))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _bill(row: _Row) -> str:
    return str(Bill(row["minutes"], row["tokens"], row["usd"])) or "nothing used"


def _chart(days: Sequence[_Row], call: Call) -> Iterator[str]:
    """Draw what was used each day: money where any agent told of it, else tokens, else minutes."""
    unit = next((name for name in ("usd", "tokens") if any(row[name] for row in days)), "minutes")
    known = {row["day"]: row[unit] for row in days}
    names = list(_days(min(known), max(known)))
    cut = f", the last {_DAYS} days" if len(names) > _DAYS else ""
    yield call.out.shade(f"{unit.replace('usd', 'USD')} by day{cut}", "dim")
    values = [
        (name, float(known.get(name, 0)), UNITS[unit].format(known[name]) if name in known else "") for name in names
    ]
    yield from bars(values[-_DAYS:], call.out.width, fine=call.out.terminal and call.out.unicode)


def _days(first: str, last: str) -> Iterator[str]:
    """Yield every day from the first to the last, so that idle ones are seen too."""
    begun, end = (times.seconds(f"{day}T00:00:00Z") for day in (first, last))
    yield from (times.stamp(begun + i * _DAY)[:10] for i in range(round((end - begun) / _DAY) + 1))


_SUMS = (Column("RUNS"), Column("FAILED"), Column("MINUTES"), Column("TOKENS"), Column("USD"))


def _sums(row: _Row) -> list[Cell]:
    failed = Cell(str(row["failed"]), "red" if row["failed"] else "dim")
    return [Cell(f"{row['runs']:,}"), failed, *_used(row)]


def _used(row: _Row) -> list[Cell]:
    usd = f"{row['usd']:.2f}" if row["usd"] else ""
    tokens = "unknown" if row["tokens"] is None else f"{row['tokens']:,}" if row["tokens"] else ""
    return [Cell(f"{row['minutes']:.1f}"), Cell(tokens), Cell(usd)]


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], call: Call) -> list[str]:
    return layout(columns, rows, call.out.width, call.out.shade)


def _estimates(rows: Sequence[_Row], call: Call) -> list[str]:
    columns = [Column(name) for name in ("ESTIMATE", "TASKS DONE", "MINUTES: LEAST", "MEDIAN", "MOST", "OF ESTIMATE")]
    return _table(columns, [
        [
            Cell(row["estimate"]),
            Cell(f"{row['tasks']:,}"),
            *(Cell(f"{row[name]:.1f}") for name in ("least", "median", "most")),
            Cell(f"{row['median'] / row['minutes']:.0%}" if row["minutes"] else ""),
        ]
        for row in rows
    ], call)  # fmt: skip


def _tasks(rows: Sequence[_Row], call: Call) -> list[str]:
    dearest = sorted(rows, key=lambda row: (row["usd"], row["minutes"]), reverse=True)
    columns = [Column("TASK", flexible=True), Column("ID"), Column("STATUS"), Column("ESTIMATE"), *_SUMS]
    lines = _table(columns, [
        [
            *(Cell(one_line(row[name])) for name in ("name", "id")),
            *(Cell(row[name] or other) for name, other in (("status", _without_task(row["id"])), ("estimate", ""))),
            *_sums(row),
        ]
        for row in dearest[:_TASKS]
    ], call)  # fmt: skip
    more = len(rows) - _TASKS
    return [*lines, call.out.shade(f"and {_count(more, 'task')} that used less", "dim")] if more > 0 else lines


def _without_task(task_id: str) -> str:
    """Say what a row is about that has no task."""
    return "no task" if task_id.startswith(PLANS) else "removed"


def _runs(rows: Sequence[_Row], call: Call) -> list[str]:
    columns = [Column(name) for name in ("RUN", "BEGAN", "AGENT", "MODEL", "ATTEMPT", "OUTCOME", *_USED)]
    return _table(columns, [
        [
            Cell(row["run"]),
            Cell(row["started_at"]),
            *(Cell(one_line(row[name])) for name in ("agent", "model", "attempt")),
            Cell((row["outcome"] or "running").replace("_", " ")),
            *_used(row),
        ]
        for row in rows
    ], call)  # fmt: skip


_USED = tuple(column.title for column in _SUMS[2:])
