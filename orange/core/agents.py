"""Agents, as values: what was found of one, how it is run, and what its stream told of the conversation.

Next in the flow: a run's spec says which conversation to continue, its record says which it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """What detection says of an agent on this machine."""

    name: str
    usable: bool
    version: str | None
    #: Why it is unusable and what to do, in one sentence.
    reason: str | None


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens read and written; `cached` is the part of `input` that was read from a cache."""

    input: int = 0
    output: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Resume:
    """An earlier conversation to be continued."""

    #: The agent's own id of it.
    session: str
    #: What it had cost up to then, as its agent counts.
    spent: Spent = Spent()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an agent's stream told of its conversation."""

    #: The agent's own id of it, by which it can be continued.
    session: str | None = None
    model: str | None = None
    #: Things the agent said or did in this run.
    turns: int = 0
    #: What this run used; None where its program did not tell.
    tokens: Spent | None = None
    #: What the conversation has used up to now, earlier runs of it included.
    conversation_tokens: Spent = Spent()
    cost_usd: float | None = None
    #: Until when the model's provider refuses to go on, seconds since 1970.
    limited_until: float | None = None
    #: The last failure, in the agent's words.
    error: str | None = None
    #: Whose it is; None where nobody said, and it is the run's agent's.
    agent: str | None = None


#: What is known of a conversation that nothing was told of.
UNTOLD = Conversation()


@dataclass(frozen=True, slots=True)
class Inner:
    """An agent's program that tells on its standard output what it does, line by line."""

    #: The agent whose lines these are.
    reader: str
    argv: tuple[str, ...]
    #: The same, continuing the conversation it is to continue; None where there is none.
    resumed: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    #: Whether the prompt is given on standard input instead of by file.
    stdin: bool = False
    #: Files to lay into the run's folder: name -> text.
    files: Mapping[str, str] = field(default_factory=dict)
    #: The agent's own program, where `argv` is the one that shows what it does.
    inner: Inner | None = None
    #: The command that says afterwards what came of the conversation, given the time at which it began.
    recall: tuple[str, ...] = ()
    #: The words that enclose what runs in the workspace: the agent's own program, and the project's checks.
    within: tuple[str, ...] = ()
    #: The command that makes what they enter, before anything of the run, and the one that removes it afterwards.
    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
