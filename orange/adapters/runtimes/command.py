"""The agent `command`: any shell command, from `agents.command.run`.

Its placeholders become the shell's positional parameters, quoted for the place they stand in, so that a path is one
word and never code, whatever characters it has.
"""

from __future__ import annotations

import re

from orange.adapters.runtimes.base import Which, unusable, usable
from orange.core.agents import Command, Found
from orange.core.ports import RunSpec
from orange.core.problems import InvalidInput
from orange.core.settings import AgentSettings

name = "command"

_MISSING = "agents.command.run is not set: give it the shell command to run, such as `bash {prompt_file}`"
#: In this order they are `$1`, `$2` and `$3`.
_PLACEHOLDERS = ("prompt_file", "workspace", "task")
#: What matters for quoting: an escaped character, a quote, a placeholder that is no shell variable (`${...}`).
_TOKEN = re.compile(r"\\.|['\"]|(?<!\$)\{([a-z][a-z0-9_]*)\}", re.DOTALL)


def detect(settings: AgentSettings, which: Which) -> Found:
    """Say whether a command is configured and makes sense."""
    if not settings.run or not settings.run.strip():
        return unusable(name, _MISSING)
    try:
        shell_line(settings.run)
    except InvalidInput as wrong:
        return unusable(name, wrong.message)
    return usable(name) if which("sh") else unusable(name, "there is no `sh` on the PATH: install a shell")


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The configured command, as `sh -c LINE orange PROMPT_FILE WORKSPACE TASK`. Raises InvalidInput."""
    settings = spec.agent_settings
    if not settings.run or not settings.run.strip():
        raise InvalidInput("agents.command.run", "it is not set")
    argv = ("sh", "-c", shell_line(settings.run), "orange", prompt_file, spec.workspace, spec.task)
    return Command(argv, dict(settings.env))


def shell_line(configured: str) -> str:
    """Replace the placeholders by positional parameters. Raises InvalidInput for an unknown one."""
    quote = ""

    def replaced(match: re.Match[str]) -> str:
        nonlocal quote
        found = match[0]
        if match[1] is not None:
            return _parameter(match[1], quote)
        if found in {"'", '"'} and quote in {"", found}:
            quote = "" if quote else found
        elif found[0] == "\\" and quote == "'":  # there a backslash is itself, and what follows may end the quote
            quote = "" if found[1] == "'" else quote
        return found

    return _TOKEN.sub(replaced, configured)


def _parameter(placeholder: str, quote: str) -> str:
    if placeholder not in _PLACEHOLDERS:
        known = ", ".join(f"{{{word}}}" for word in _PLACEHOLDERS)
        reason = f"{{{placeholder}}} is no placeholder (known: {known}; for the shell's own braces add a space)"
        raise InvalidInput("agents.command.run", reason)
    parameter = f"${{{_PLACEHOLDERS.index(placeholder) + 1}}}"
    return {"": f'"{parameter}"', '"': parameter, "'": f"'\"{parameter}\"'"}[quote]
