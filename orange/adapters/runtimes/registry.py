"""Every agent there is: orange's own, then those that other packages offer under the entry point `orange.agents`.

A new agent is one module and one line here. Next in the flow: `runs` puts the chosen agent's command into the run.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from orange.adapters.runtimes import command as _command
from orange.adapters.runtimes import script as _script
from orange.adapters.runtimes.base import Broken
from orange.core.ports import AgentRuntime, Command, RunSpec
from orange.core.problems import AgentUnusable

#: The group of entry points; each names a module or object that satisfies `AgentRuntime`.
GROUP = "orange.agents"


def _others() -> dict[str, AgentRuntime]:
    found: dict[str, AgentRuntime] = {}
    for entry in entry_points(group=GROUP):
        try:
            runtime = entry.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            found[entry.name] = Broken(entry.name, str(error))
        else:
            complete = all(hasattr(runtime, part) for part in ("name", "detect", "command"))
            found[entry.name] = runtime if complete else Broken(entry.name, "it lacks name, detect or command")
    return found


_OWN: tuple[AgentRuntime, ...] = (_command, _script)

#: Agent -> runtime. Nobody else's agent replaces one of orange's own.
RUNTIMES: dict[str, AgentRuntime] = _others() | {runtime.name: runtime for runtime in _OWN}


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program that runs a run's agent. Raises AgentUnusable, InvalidInput."""
    runtime = RUNTIMES.get(spec.agent)
    if runtime is None:
        known = ", ".join(sorted(RUNTIMES))
        raise AgentUnusable(f"no agent is called {spec.agent!r} (known: {known}): set `agent` of the task or project")
    return runtime.command(spec, prompt_file)
