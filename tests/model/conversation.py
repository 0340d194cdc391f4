"""What a model is asked and what it may answer, whatever the wire format.

Next in the flow: `wires` turns requests into conversations and answers into streams, `server` serves them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: A line of a prompt that is a command to carry out, also where it is quoted.
_COMMAND = re.compile(r"^(?:> )*\$ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Turn:
    """One thing that was said."""

    #: user, agent or result (of a tool).
    who: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """One request: which wire it came over, and everything said so far."""

    wire: str
    turns: Sequence[Turn]
    model: str = ""
    #: Whether the agent may act; a request for a title may not.
    tools: bool = True
    #: The request as it came, with all that the agent's program adds by itself.
    whole: str = ""

    @property
    def prompts(self) -> list[str]:
        """What the user said, oldest first, without what programs add by themselves."""
        return [turn.text for turn in self.turns if turn.who == "user" and _said_by_a_person(turn.text)]

    @property
    def results(self) -> list[str]:
        """What tools returned since the last prompt."""
        found: list[str] = []
        for turn in self.turns:
            if turn.who == "user" and _said_by_a_person(turn.text):
                found = []
            elif turn.who == "result":
                found.append(turn.text)
        return found

    def mentions(self, word: str) -> bool:
        """Whether any prompt has the word."""
        return any(word in prompt for prompt in self.prompts)


def _said_by_a_person(text: str) -> bool:
    return any(word in text for word in ("# Task ", "# Review of task ", "# A plan from ", "$ ", "orange:"))


@dataclass(frozen=True)
class Say:
    """An answer that ends the turn."""

    text: str


@dataclass(frozen=True)
class Shell:
    """A command the agent is to run."""

    command: str


@dataclass(frozen=True)
class Refuse:
    """An HTTP error, such as 429, with the seconds after which to try again."""

    status: int
    retry_after: int | None = None
    message: str = "rate limit reached"


Answer = Say | Shell | Refuse
Play = Callable[[Conversation], Answer]


def by_prompt(conversation: Conversation) -> Answer:
    """Carry out the commands of the last prompt (lines beginning with `$ `), then say that it is done."""
    commands = _COMMAND.findall(conversation.prompts[-1]) if conversation.prompts else []
    done = len(conversation.results)
    return Shell(commands[done]) if done < len(commands) else Say("All done.")
