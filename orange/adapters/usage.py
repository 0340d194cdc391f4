"""What runs used, out of their records: four small files of each, read once and not kept.

A run that never began used nothing and is left out; so are the checks of merges, which no agent works on.

Next in the flow: `core.usage` adds it up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from orange import recordfile
from orange.core import reviews, runfiles
from orange.core.layout import Layout
from orange.core.model import Outcome
from orange.core.usage import PLANS, Used

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
#: Seconds of the year 10000.
_TOO_MANY = 253402300800.0


class FileUsage:
    """Satisfies `core.usage.Usage`."""

    def __init__(self, layout: Layout) -> None:
        self._root = layout.runs

    def runs(self) -> Iterator[Used]:
        """Yield what every run used that was ever started here."""
        return self._found("")

    def plans(self) -> Iterator[Used]:
        """Yield what runs used in which agents were asked about documents."""
        return self._found(PLANS)

    def _found(self, begins: str) -> Iterator[Used]:
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return
        for name in names:
            asked_for = name.startswith(begins) and name.rpartition("-")[2].isdecimal()
            found = _used(f"{self._root}/{name}", name) if asked_for else None
            if found:
                yield found

    def of(self, run: str) -> Used | None:
        """Return what one run used; None where it never began."""
        return _used(f"{self._root}/{run}", run) if runfiles.is_safe(run) else None


def _used(folder: str, run: str) -> Used | None:
    began = _number((recordfile.values(f"{folder}/{runfiles.LAUNCHED}") or {}).get("at"))
    if began is None:
        return None
    result = recordfile.values(f"{folder}/{runfiles.RESULT}") or {}
    outcome = _OUTCOMES.get(str(result.get("outcome")))
    told = _object(result.get("conversation") if outcome else recordfile.values(f"{folder}/{runfiles.AGENT}"))
    spec = _object((recordfile.values(f"{folder}/{runfiles.SPEC}") or {}).get("spec"))
    return Used(
        run=run,
        task=reviews.task_of(run),
        name=str(spec.get("name") or ""),
        title=str(spec.get("title") or ""),
        agent=str(spec.get("agent") or ""),
        model=told.get("model") or spec.get("model"),
        attempt=spec.get("attempt") or 1,
        started_at=began,
        ended_at=_number(result.get("ended_at")),
        outcome=outcome,
        tokens=_tokens(told),
        usd=_number(told.get("cost_usd")),
    )


def _tokens(told: Mapping[str, Any]) -> int | None:
    counts = _object(told.get("tokens"))
    numbers = [number for key in ("input", "output") if (number := _number(counts.get(key))) is not None]
    return int(sum(numbers)) if numbers else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    """Take what is a number; seconds beyond the calendar are none, nor would so many tokens be."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < _TOO_MANY else None
