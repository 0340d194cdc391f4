"""The agent `script`: built in and deterministic, for the demonstration and for tests. It needs no account.

It does what the ```script block of the task says; `scripted_agent` is the program.
"""

from __future__ import annotations

import sys

import orange
from orange.adapters.runtimes.base import Which, usable
from orange.core.agents import Command, Found
from orange.core.ports import RunSpec
from orange.core.settings import AgentSettings

name = "script"

#: `-P`: a workspace may well have a folder called `orange`.
_PROGRAM = ("-P", "-m", "orange.adapters.runtimes.scripted_agent")


def detect(_settings: AgentSettings, _which: Which) -> Found:
    """Say that it can always be used."""
    return usable(name, orange.__version__)


def command(spec: RunSpec, _prompt_file: str) -> Command:
    """This very Python, running the scripted agent."""
    return Command((sys.executable, *_PROGRAM), dict(spec.agent_settings.env))
