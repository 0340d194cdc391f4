"""Taking over: a person continues an agent's conversation in the terminal, in the same workspace.

The claim passes to the person first, so that nothing is started meanwhile; then the agent's run is ended, and proven
so, before anybody else works in its place. `finish` hands the work in, `release` gives the task back to its agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orange.core.agents import Resume
from orange.core.model import Presence, Task
from orange.core.ports import RunRecord, RunSpec
from orange.core.problems import AlreadyClaimed, InvalidInput, SessionFailed
from orange.core.settings import AgentSettings
from orange.project import inplace
from orange.project.claims import check_person, take, take_from_agent
from orange.project.launch import conversation_of, prepare_workspace
from orange.project.parts import Parts
from orange.project.requests import Speaker

#: Seconds an agent's run gets to end by itself.
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Handover:
    """What to run in the terminal, and where."""

    task: Task
    argv: tuple[str, ...]
    #: What the program needs beside the user's environment.
    env: Mapping[str, str]
    folder: str


def take_over(parts: Parts, speaker: Speaker, task: Task) -> Handover:
    """Give a person the task and the conversation its agent had.

    Raises NotAllowed, InvalidInput (there is no conversation), AlreadyClaimed, SessionFailed, AgentUnusable.
    """
    check_person(speaker, "take a task over")
    record = conversation_of(parts, task, parts.runs.last(task.id))
    if record is None:
        raise InvalidInput("task", f"no agent has had a conversation about {task.id} here: orange task take {task.id}")
    command = parts.runs.command(_resumed(parts, record))
    env = parts.revealed(command.env)
    held = _claim(parts, speaker, task)
    return Handover(prepare_workspace(parts, held), command.argv, env, str(held.workspace))


def _resumed(parts: Parts, record: RunRecord) -> RunSpec:
    """Say how the conversation is continued by hand: in the terminal, and with no word of ours."""
    session = Resume(str(record.conversation.session), record.conversation.conversation_tokens)
    spec = record.spec
    if record.speaker != spec.agent:  # a step of the pipeline had an agent of its own
        own = parts.settings().agents.get(record.speaker, AgentSettings())
        spec = replace(spec, agent=record.speaker, model=None, effort=None, agent_settings=own)
    settings = replace(spec.agent_settings, mode="interactive")
    spec = replace(spec, resume=session, prompt="", followup=None, agent_settings=settings)
    return replace(spec, isolation="worktree")  # it is the person's own program now


def _claim(parts: Parts, speaker: Speaker, task: Task) -> Task:
    """Take the claim: from nobody, or from the agent's run, which is ended."""
    if task.claim is None or not task.claim.held:
        inplace.check(parts, task)
        return take(parts, speaker, task.id)
    if task.claim.by_person and task.assignee == speaker.name:
        return task
    if task.claim.by_person or task.claim.host != parts.host:
        raise AlreadyClaimed(task.id, str(task.claim.run))
    held = take_from_agent(parts, speaker, task.id, str(task.claim.run))
    if parts.executor.stop(str(task.run), str(task.tmux_session), GRACE) is not Presence.GONE:
        raise SessionFailed(f"the run {task.run} could not be proven to have ended: see orange doctor")
    return held
