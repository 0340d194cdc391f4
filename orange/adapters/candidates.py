"""The merges that are being checked: `<runtime>/candidates.json`, small, and of no worth to any other machine.

Beside it `coverage.json`: what coverage checks named on what was merged last.

Next in the flow: `project.world` reads it at each look, `project.merging` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict

from orange.adapters.jsonfile import JsonFile
from orange.core.layout import Layout
from orange.core.sharing import Candidate


class FileCandidates:
    """Satisfies `sharing.Candidates`."""

    def __init__(self, layout: Layout) -> None:
        self._file = JsonFile(f"{layout.runtime}/candidates.json")
        self._figures = JsonFile(f"{layout.runtime}/coverage.json")

    def all(self) -> Mapping[str, Candidate]:
        """By task id."""
        found = {}
        for task, told in self._file.read().items():
            with suppress(TypeError):
                found[task] = Candidate(**told)
        return found

    def put(self, candidate: Candidate) -> None:
        """Set a task's candidate. Raises StorageFailed."""
        self._file.change(lambda told: told | {candidate.task: asdict(candidate)})

    def drop(self, task: str) -> None:
        """Forget a task's candidate. Raises StorageFailed."""
        if task in self.all():
            self._file.change(lambda told: {other: known for other, known in told.items() if other != task})

    def coverage(self) -> Mapping[str, Mapping[str, float]]:
        """The percentages that coverage checks named on what was merged last, by base and check."""
        found = {}
        for base, told in self._figures.read().items():
            with suppress(ValueError, TypeError, AttributeError):
                found[base] = {str(name): float(figure) for name, figure in told.items()}
        return found

    def note_coverage(self, base: str, figures: Mapping[str, float]) -> None:
        """Note those of a base. Raises StorageFailed."""
        self._figures.change(lambda told: told | {base: dict(figures)})
