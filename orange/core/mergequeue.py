"""The merge queue where the project has checks: what a base would become is checked before the base is moved to it.

One merge a base is checked at a time. It stands as long as the base, the branch and the checks are what they were when
it was made; else it is made anew. Nothing here is remembered but what is on disk: a daemon that was killed finds its
checks where they were, or begins them again.

Next in the flow: `landing` asks what is owed, `project.merging` carries it out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from orange.core.actions import Advance, CheckMerge, Integrate, SendBack
from orange.core.checks import Check
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import BranchState, Outcome, Task
from orange.core.scene import Scene, is_dead, is_over
from orange.core.sharing import Candidate


@dataclass(frozen=True, slots=True)
class BeingChecked:
    """The merge is being checked: nothing is owed until that is over."""

    task: str
    base: str


#: What a task at the head of a queue is owed; one a base at a time.
Turn: TypeAlias = Integrate | CheckMerge | SendBack | BeingChecked
#: How checking ends with something to say of the merge.
_JUDGED = frozenset({Outcome.FINISHED, Outcome.CHECKS_FAILED, Outcome.FAILED})


def owed(scene: Scene, task: Task, state: BranchState) -> Turn | Advance:
    """Say what a reviewed task with unmerged work is owed on its way into the base."""
    base = scene.base_of(task)
    if not scene.settings.checks:
        return Integrate(task.id, base)
    known = standing(scene, task, state)
    if known is None:
        return CheckMerge(task.id, base)
    run = scene.world.checking.get(known.run)
    if run is not None and run.outcome in _JUDGED:
        return Integrate(task.id, base) if run.checked else SendBack(task.id, base)
    if run is not None and not is_over(run) and not is_dead(run) and known.trouble is None:
        return BeingChecked(task.id, base)
    if known.lost + 1 >= scene.settings.limits.attempts:
        why = known.trouble or "they ended without a result"
        message = f"the checks of its merge into {base} could not be carried out {known.lost + 1} times: {why}"
        return Advance(task.id, Status.STUCK, message, StuckReason.CHECKS_FAILED, known.run)
    return CheckMerge(task.id, base)


def standing(scene: Scene, task: Task, state: BranchState | None) -> Candidate | None:
    """Return a task's candidate, if it is what merging the task now would give and the checks are still the same."""
    known, base = scene.world.candidates.get(task.id), scene.world.bases.get(scene.base_of(task))
    if known is None or base is None or state is None:
        return None
    made_of = (known.base, known.onto, known.tip, known.checks)
    same = made_of == (base.name, base.integrated, state.tip, fingerprint(scene.settings.checks))
    return known if same else None


def fingerprint(checks: Sequence[Check]) -> str:
    """Name what is to pass: equal for equal checks."""
    return hashlib.sha256(json.dumps(checks).encode("utf-8", "surrogateescape")).hexdigest()[:16]
