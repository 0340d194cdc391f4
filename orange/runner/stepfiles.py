"""What an agent's step finds in the run's folder: its prompt, and what is new where a conversation goes on.

Next in the flow: `walk` lays them there, the agent's program reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orange.core import runfiles
from orange.core.steps import FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orange.core.steps import Result, Step
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job


def prompts_for(job: Job, step: Step, because: Result | None, folder: RunFolder) -> Mapping[str, str]:
    """Compose the files of one step: name -> text; what sent the run back to it is quoted in both."""
    told, evidence = job.told.get(step.name, {}), _evidence(because)
    files = {runfiles.PROMPT: told.get("prompt", job.prompt) + evidence}
    goes_on = job.of_step(step.name).headless  # a program with its own screen begins anew at every step
    followup = _followup(job, told, folder.read_json(runfiles.AGENT) if goes_on else {})
    return files if followup is None else {**files, runfiles.FOLLOWUP: followup + evidence}


def _followup(job: Job, told: Mapping[str, str], conversation: Mapping[str, object]) -> str | None:
    """Return what is new in the conversation that goes on: this run's own, else an earlier run's; None in neither."""
    if told and conversation.get("session") and conversation.get("agent") == told["agent"]:
        return told["followup"]
    if job.followup is None or (told and told["agent"] != job.agent):
        return None
    return told.get("taken_up", job.followup)


def _evidence(because: Result | None) -> str:
    """Say which step failed and how; a person's words are in the prompt already."""
    if because is None or because.outcome != FAILED:
        return ""
    said = "\n".join(f"> {line}".rstrip() for line in because.output.split("\n")) if because.output else ""
    parts = (f"## What came of the step {because.step}", f"It failed: {because.message.rstrip('. ')}.", said)
    return "\n" + "\n\n".join(part for part in parts if part) + "\n"
