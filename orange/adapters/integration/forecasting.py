"""Trial merges of many branches: each into its base as that is integrated now, and each with the others it can meet.

No ref and no file moves; all trials for one base are made by two git processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orange.adapters.git import Git
from orange.adapters.integration import refs
from orange.adapters.integration.merging import Merger, Trial
from orange.adapters.integration.states import States
from orange.core.forecast import Collision, Forecast, pairs


class Forecaster:
    """Tries merges of tasks' branches."""

    def __init__(self, git: Git, merger: Merger, states: States) -> None:
        self._git, self._merger, self._states = git, merger, states

    def forecast(self, wanted: Mapping[str, tuple[str, str]]) -> Forecast:
        """Say which branches would conflict, for task id -> (branch, base). Raises GitFailed."""
        asked = {task: (branch, base, None) for task, (branch, base) in wanted.items()}
        states = self._states.branch_states(asked)
        tried = {task: state.tip for task, state in states.items() if state.tip and state.unmerged}
        bases = list(dict.fromkeys(wanted[task][1] for task in tried))
        works = refs.read(self._git, bases)
        parts = [
            self._of_base(base, works.work(base), {task: tip for task, tip in tried.items() if wanted[task][1] == base})
            for base in bases
        ]
        collisions = tuple(collision for part in parts for collision in part.collisions)
        return Forecast(tried, collisions, tuple(tasks for part in parts for tasks in part.unknown))

    def _of_base(self, base: str, work: str | None, tips: Mapping[str, str]) -> Forecast:
        if work is None:
            return Forecast(tips, (), tuple((task,) for task in tips))
        alone = dict(zip(tips, self._merger.trials(work, list(tips.values())), strict=True))
        touched = self._states.touched(base, tips.values())
        couples = list(pairs({task: touched[tip] for task, tip in tips.items()}))
        trials = self._merger.pairs(work, [(tips[one], tips[other]) for one, other in couples])
        found: dict[tuple[str, ...], tuple[str, ...] | None] = {(task,): _files(trial) for task, trial in alone.items()}
        for couple, trial in zip(couples, trials, strict=True):
            found[couple] = self._of_pair(base, [(tips[task], alone[task]) for task in couple], trial)
        collisions = tuple(Collision(tasks, base, files) for tasks, files in found.items() if files)
        return Forecast(tips, collisions, tuple(tasks for tasks, files in found.items() if files is None))

    def _of_pair(
        self, base: str, couple: Sequence[tuple[str, Trial | None]], trial: Trial | None
    ) -> tuple[str, ...] | None:
        """List the files in which two branches conflict with each other.

        Where one has taken in more of the base than the other, what the other has against the base is not counted.
        """
        files = _files(trial)
        if not files or len({self._states.fork(base, tip) for tip, _ in couple}) == 1:
            return files
        against_base = {file for _, alone in couple if alone for file in alone.conflicts}
        return tuple(file for file in files if file not in against_base)


def _files(trial: Trial | None) -> tuple[str, ...] | None:
    return None if trial is None else tuple(sorted(trial.conflicts))
