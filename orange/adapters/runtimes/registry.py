"""Every agent there is: orange's own, then those that other packages offer under the entry point `orange.agents`.

A new agent is one module and one line here. Next in the flow: `runs` puts the chosen agent's command into the run.
"""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from orange.adapters.runtimes import claude as _claude
from orange.adapters.runtimes import codex as _codex
from orange.adapters.runtimes import command as _command
from orange.adapters.runtimes import gemini as _gemini
from orange.adapters.runtimes import opencode as _opencode
from orange.adapters.runtimes import script as _script
from orange.adapters.runtimes.base import Broken, Login
from orange.adapters.runtimes.events import Event, Line
from orange.core.agents import Command
from orange.core.ports import AgentRuntime, RunSpec
from orange.core.problems import AgentUnusable

#: The group of entry points; each names a module or object that satisfies `AgentRuntime`.
GROUP = "orange.agents"


def _others() -> dict[str, AgentRuntime]:
    found: dict[str, AgentRuntime] = {}
    if not any(map(_offers, sys.path)):
        return found
    from importlib.metadata import entry_points  # slow to import, and seldom needed

    for entry in entry_points(group=GROUP):
        try:
            runtime = entry.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            found[entry.name] = Broken(entry.name, str(error))
        else:
            complete = all(hasattr(runtime, part) for part in ("name", "detect", "command"))
            found[entry.name] = runtime if complete else Broken(entry.name, "it lacks name, detect or command")
    return found


def _offers(folder: str) -> bool:
    """Whether a package installed in a folder of the import path may offer agents; an archive on it may."""
    for path in glob.iglob(f"{glob.escape(folder or '.')}/*-info/entry_points.txt"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            if GROUP in file.read():
                return True
    return os.path.isfile(folder)


_OWN: tuple[AgentRuntime, ...] = (_claude, _codex, _gemini, _opencode, _command, _script)

#: Turns one line of an agent's stream, read at a time (seconds since 1970), into events.
Reader = Callable[[Line, float], Iterable[Event]]

#: Agent -> runtime. Nobody else's agent replaces one of orange's own.
RUNTIMES: dict[str, AgentRuntime] = _others() | {runtime.name: runtime for runtime in _OWN}


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program that runs a run's agent. Raises AgentUnusable, InvalidInput."""
    runtime = RUNTIMES.get(spec.agent)
    if runtime is None:
        known = ", ".join(sorted(RUNTIMES))
        raise AgentUnusable(f"no agent is called {spec.agent!r} (known: {known}): set `agent` of the task or project")
    return runtime.command(spec, prompt_file)


def login(agent: str) -> Login | None:
    """How a user of the agent's program logs in; None where it needs no login, or nobody said."""
    found = getattr(RUNTIMES.get(agent), "login", None)
    return found if isinstance(found, Login) else None


def unheard(agent: str) -> int | None:
    """The exit code by which the agent's program says that it got no prompt; None where none says so."""
    found = getattr(RUNTIMES.get(agent), "unheard", None)
    return found if isinstance(found, int) else None


def recall(agent: str, env: Mapping[str, str], workspace: str, since: float) -> Iterable[Event]:
    """Read what the agent's program itself wrote down of conversations in a workspace since then.

    Nothing for a program whose files are not known; raises whatever reading files of another form raises.
    """
    found = getattr(RUNTIMES.get(agent), "recall", None)
    return cast("Iterable[Event]", found(env, workspace, since)) if found else ()


def reader(agent: str) -> Reader:
    """The function that reads the stream of an agent's program. Raises AgentUnusable."""
    found = getattr(RUNTIMES.get(agent), "read", None)
    if found is None:
        raise AgentUnusable(f"the agent {agent!r} has no stream of events to read")
    return cast("Reader", found)
