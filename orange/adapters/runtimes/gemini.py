"""The agent `gemini`: Gemini CLI.

It stays silent while it waits for its provider, so the run gives it defaults (below the user's own settings) in which
it does not: it ends, says until when, and orange waits. `--skip-trust` and the way of logging in that an API key in
the environment stands for keep it from asking.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Mapping

from orange.adapters.runtimes import transcripts
from orange.adapters.runtimes.base import Login, Program, Which, beside, cli, opening
from orange.adapters.runtimes.events import (
    Began,
    Called,
    Ended,
    Event,
    Failed,
    Limited,
    Line,
    Returned,
    Said,
    Spent,
    Tokens,
    Unknown,
    number,
    shown,
)
from orange.core.agents import Command, Found
from orange.core.ports import RunSpec
from orange.core.settings import AgentSettings

name = "gemini"
program = Program(
    "gemini", oldest=(0, 40, 0), install="npm install -g @google/gemini-cli@latest", package="@google/gemini-cli"
)
login = Login("Gemini CLI", "run `gemini` and choose how to log in, or set GEMINI_API_KEY", status=41)
skills = (".agents/skills", ".gemini/skills")
#: Its exit code when it got no prompt: it looks at its standard input for half a second, which a busy machine may not
#: give it. It has done nothing then.
unheard = 42

#: The file of defaults, in the run's folder; the variable that names such a file; where the machine has its own.
_DEFAULTS = "gemini-defaults.json"
_VARIABLE = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
_MACHINES = "/etc/gemini-cli/system-defaults.json"
_FLAGS = ("--yolo", "--skip-trust")
#: For a run that only answers: nobody is there to approve what asks, and what could do harm is not even offered.
_ANSWERING = ("--approval-mode", "default", "--skip-trust")
_WITHHELD = (
    "run_shell_command",
    "write_file",
    "replace",
    "web_fetch",
    "google_web_search",
    "invoke_agent",
    "save_memory",
)
_LIMIT = re.compile(r"429|quota|rate limit|RESOURCE_EXHAUSTED|overloaded|Suggested retry after", re.IGNORECASE)
_UNKNOWN = re.compile(r"\b401\b|UNAUTHENTICATED|API key not valid")
_AFTER = re.compile(r"retry after (\d+(?:\.\d+)?)s")


def detect(_settings: AgentSettings, which: Which) -> Found:
    """Say whether it is installed."""
    return program.found(name, which)


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program, headless or interactive."""
    env = {"COLORTERM": "truecolor", _VARIABLE: beside(prompt_file, _DEFAULTS)}
    withheld = {"tools": {"exclude": list(_WITHHELD)}} if spec.answers else {}
    files = {_DEFAULTS: json.dumps({**_defaults(), **withheld, **spec.agent_settings.options}, indent=1) + "\n"}
    if spec.agent_settings.mode == "interactive":
        return cli(spec, interactive(spec, prompt_file), env=env, files=files)
    fresh = ("gemini", *(_ANSWERING if spec.answers else _FLAGS), "-o", "stream-json", *_flags(spec))
    resumed = (*fresh, "--resume", spec.resume.session) if spec.resume else None
    return cli(spec, fresh, resumed, reader=name, env=env, files=files)


def interactive(spec: RunSpec, prompt_file: str) -> tuple[str, ...]:
    """The program in the terminal, continuing the run's conversation if it has one."""
    resumed = ("--resume", spec.resume.session) if spec.resume else ()
    asked = opening(spec, prompt_file)
    begin = ("-i", *asked) if asked else ()
    return ("gemini", *_FLAGS, *_flags(spec), *resumed, *begin)


def _flags(spec: RunSpec) -> tuple[str, ...]:
    return (*(("-m", spec.model) if spec.model else ()), *spec.agent_settings.args)


def _defaults() -> dict[str, object]:
    """The machine's own defaults, which the run's file takes the place of, with what a run needs."""
    keyed = {"security": {"auth": {"selectedType": "gemini-api-key"}}} if os.environ.get("GEMINI_API_KEY") else {}
    try:
        with open(os.environ.get(_VARIABLE) or _MACHINES, encoding="utf-8") as file:
            machines = json.load(file)
    except (OSError, ValueError):
        machines = None
    return {**keyed, "general": {"maxAttempts": 1, "enableAutoUpdate": False}} | (machines or {})


def read(line: Line, now: float) -> Iterator[Event]:
    """Read one line of its stream."""
    match line.get("type"):
        case "init":
            yield Began(line["session_id"], line.get("model"))
        case "message" if line.get("role") == "assistant":
            yield Said(str(line.get("content") or ""), part=bool(line.get("delta")))
        case "tool_use":
            yield Called(str(line.get("tool_name")), shown(line.get("parameters")))
        case "tool_result":
            yield Returned(str(line.get("output") or ""), failed=line.get("status") != "success")
        case "error":
            yield Failed(str(line.get("message")))
        case "result":
            yield from _result(line, now)


def _result(line: Line, now: float) -> Iterator[Event]:
    stats = line.get("stats") or {}
    yield Spent(Tokens(*(number(stats.get(key)) for key in ("input_tokens", "output_tokens", "cached"))))
    failed = line.get("status") != "success"
    if failed:
        message = str((line.get("error") or {}).get("message"))
        if _LIMIT.search(message):
            after = _AFTER.search(message)
            yield Limited(now + float(after[1]) if after else None)
        if _UNKNOWN.search(message):
            yield Unknown()
        yield Failed(message)
    yield Ended(failed=failed)


def recall(env: Mapping[str, str], workspace: str, since: float) -> Iterator[Event]:
    """Read its chats: a file for each, in a folder that says which project it belongs to."""
    root = f"{env.get('GEMINI_CLI_HOME') or env['HOME']}/.gemini/tmp"
    for path in transcripts.changed(f"{glob.escape(root)}/*/chats/*.jsonl", since):
        with open(f"{os.path.dirname(os.path.dirname(path))}/.project_root", encoding="utf-8") as file:
            if file.read().strip() != workspace:
                continue
        head, *lines = transcripts.lines(path)
        for line in transcripts.later(lines, since):
            if line.get("type") == "gemini":
                yield Began(head["sessionId"], line.get("model"))
                yield from _written(line)


def _written(line: Line) -> Iterator[Event]:
    """Read an answer; it is written once more when its tools have returned."""
    used = line.get("tokens") or {}
    output = number(used.get("output")) + number(used.get("thoughts"))
    yield Spent(Tokens(number(used.get("input")), output, number(used.get("cached"))), key=str(line.get("id")))
    if line.get("content"):
        yield Said(str(line["content"]))
    for call in line.get("toolCalls") or ():
        yield Called(str(call.get("name")), shown(call.get("args")))
