"""The skills of a run: copied once into its folder, and linked from there to where each agent looks for them.

Next in the flow: the agent reads them; when the run has ended, `supervise` takes the links out again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orange import skillfiles
from orange.core import activeskills, runfiles
from orange.core.ending import FAILED, Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job


def activate(job: Job, folder: RunFolder, home: str | None) -> Ending | None:
    """Lay the run's skills into its workspace; an Ending where one it needs is not to be had. Raises OSError."""
    skillfiles.take_out(job.workspace, activeskills.LINKED)  # of a run that was killed
    wanted = activeskills.named(job.skill, (step.skill for step in job.steps))
    workspace = job.workspace
    project = _of(workspace, activeskills.PROJECT, within=workspace)
    user = _of(home, activeskills.USER) if home else {}
    active = activeskills.choose(wanted, _valid(skillfiles.found(skillfiles.own(), activeskills.FILE)), project, user)
    if lacking := activeskills.missing(wanted, active, user):
        return Ending(FAILED, lacking, stage="prepare")
    copies = folder.path(runfiles.SKILLS)
    os.makedirs(copies, mode=0o700, exist_ok=True)
    for name, source in active.items():
        try:
            skillfiles.copy(source, f"{copies}/{name}")
        except skillfiles.TooLarge as error:
            return Ending(FAILED, f"the skill {name} cannot be given to a run: {error}", stage="prepare")
    folder.note("prepare", f"skills: {', '.join(active)}")
    for line in skillfiles.lay(workspace, activeskills.LINKED, copies):
        folder.note("prepare", line)
    return None


def deactivate(job: Job) -> None:
    """Take the links out of the workspace; what the disk refuses is done by the next run, or when it is returned."""
    with contextlib.suppress(OSError):
        skillfiles.take_out(job.workspace, activeskills.LINKED)


def _of(base: str, places: Iterable[str], *, within: str | None = None) -> dict[str, str]:
    """Find the skills below a folder; the first place that has a name counts."""
    active: dict[str, str] = {}
    for place in places:
        active = _valid(skillfiles.found(f"{base}/{place}", activeskills.FILE, within=within)) | active
    return active


def _valid(skills: Mapping[str, str]) -> dict[str, str]:
    return {name: folder for name, folder in skills.items() if activeskills.is_name(name)}
