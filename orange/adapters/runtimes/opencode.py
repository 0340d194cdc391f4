"""The agent `opencode`: OpenCode.

It asks nothing at its start. The whole prompt goes to its standard input: as an argument it would be quoted. Its
stream says nothing before the first answer, nor while it waits for its provider; a plugin, for this run only, does.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from urllib.parse import quote

from orange.adapters.runtimes.base import Login, Program, Which, beside, cli, opening
from orange.adapters.runtimes.events import (
    UNAUTHORIZED,
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

name = "opencode"
program = Program("opencode", oldest=(1, 10, 0), install="npm install -g opencode-ai@latest", package="opencode")
login = Login("OpenCode", "run `opencode auth login`")
skills = (".agents/skills", ".claude/skills", ".opencode/skills")

#: The plugin's file, in the run's folder, and its text.
_PLUGIN = "opencode-waits.js"
_WAITS = """\
// Tells on standard output which conversation begins, and when OpenCode waits for its provider.
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\\n")
export const Waits = async () => ({
  event: async ({ event: { type, properties: { sessionID, info, status } } }) => {
    if (type === "session.created" && !info.parentID) tell({ type: "began", sessionID })
    if (type === "session.status" && status.type === "retry") tell({ type: "retry", status })
  },
})
"""
#: For a run that only answers: what changes anything or reaches elsewhere is refused.
_WITHHELD = dict.fromkeys(("edit", "bash", "webfetch", "websearch", "task", "external_directory"), "deny")
_QUIET = {"OPENCODE_DISABLE_AUTOUPDATE": "1"}
_REFUSALS = frozenset({429, 529})
#: What providers answer to somebody they do not know; what waits for them tells no status.
_UNKNOWN = re.compile(r"api[ -]key|unauthori[sz]ed|authentication", re.IGNORECASE)


def detect(_settings: AgentSettings, which: Which) -> Found:
    """Say whether it is installed."""
    return program.found(name, which)


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program, headless or interactive."""
    if spec.agent_settings.mode == "interactive":
        return cli(spec, interactive(spec, prompt_file), env=_QUIET)
    env = {**_QUIET, "OPENCODE_CONFIG_CONTENT": _configured(spec, prompt_file)}
    effort = ("--variant", spec.effort) if spec.effort else ()
    leave = () if spec.answers else ("--auto",)
    fresh = ("opencode", "run", *leave, "--format", "json", *effort, *_flags(spec))
    resumed = (*fresh, "-s", spec.resume.session) if spec.resume else None
    return cli(spec, fresh, resumed, reader=name, env=env, files={_PLUGIN: _WAITS})


def _configured(spec: RunSpec, prompt_file: str) -> str:
    """Return the user's own inline configuration with the options and the plugin added."""
    try:
        own = json.loads(os.environ.get("OPENCODE_CONFIG_CONTENT") or "{}")
    except ValueError:
        own = {}
    known = {**(own if isinstance(own, dict) else {}), **spec.agent_settings.options}
    plugins = known.get("plugin")
    added = f"file://{quote(beside(prompt_file, _PLUGIN))}"
    withheld = {"permission": _WITHHELD} if spec.answers else {}
    return json.dumps({**known, **withheld, "plugin": [*(plugins if isinstance(plugins, list) else ()), added]})


def interactive(spec: RunSpec, prompt_file: str) -> tuple[str, ...]:
    """The program in the terminal, continuing the run's conversation if it has one."""
    resumed = ("-s", spec.resume.session) if spec.resume else ()
    asked = opening(spec, prompt_file)
    begin = ("--prompt", *asked) if asked else ()
    return ("opencode", "--auto", *_flags(spec), *resumed, *begin)


def _flags(spec: RunSpec) -> tuple[str, ...]:
    return (*(("-m", spec.model) if spec.model else ()), *spec.agent_settings.args)


def read(line: Line, _now: float) -> Iterator[Event]:
    """Read one line of its stream."""
    part = line.get("part") or {}
    match line.get("type"):
        case "began" | "step_start":
            yield Began(line["sessionID"])
        case "text":
            yield Said(str(part.get("text")))
        case "tool_use":
            state = part.get("state") or {}
            yield Called(str(part.get("tool")), shown(state.get("input")))
            failed = state.get("status") == "error"
            yield Returned(str(state.get("error") if failed else state.get("output") or ""), failed=failed)
        case "step_finish":
            yield Spent(
                _tokens(part.get("tokens") or {}), part.get("cost"), key=str(part.get("messageID") or part.get("id"))
            )
            if part.get("reason") != "tool-calls":
                yield Ended()
        case "retry":
            status = line["status"]
            known = not _UNKNOWN.search(str(status.get("message")))
            yield Limited(number(status.get("next")) / 1000) if known else Unknown(waits=True)
        case "error":
            yield from _error(line.get("error") or {})


def _error(error: Line) -> Iterator[Event]:
    data = error.get("data") or {}
    if data.get("statusCode") in _REFUSALS:
        yield Limited(None)
    if data.get("statusCode") == UNAUTHORIZED or error.get("name") == "ProviderAuthError":
        yield Unknown()
    yield Failed(str(data.get("message") or error.get("name")))
    yield Ended(failed=True)


def _tokens(told: Line) -> Tokens:
    cache = told.get("cache") or {}
    cached, written = number(cache.get("read")), number(cache.get("write"))
    output = number(told.get("output")) + number(told.get("reasoning"))
    return Tokens(number(told.get("input")) + cached + written, output, cached)


def recall(env: Mapping[str, str], workspace: str, since: float) -> Iterator[Event]:
    """Read its database; the helpers of a conversation have conversations of their own, and a parent."""
    data = env.get("XDG_DATA_HOME") or f"{env['HOME']}/.local/share"
    for session, parent, key, told in _messages(f"{data}/opencode/opencode.db", workspace, since):
        message = json.loads(told)
        if message.get("role") == "assistant":
            yield from () if parent else (Began(session, message.get("modelID")),)
            yield Spent(_tokens(message.get("tokens") or {}), message.get("cost"), key)
            yield Said("")


def _messages(path: str, workspace: str, since: float) -> Sequence[tuple[str, str | None, str, str]]:
    """Return the messages, each with its conversation and that one's parent. Raises OSError."""
    import sqlite3  # seldom needed, and heavy

    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as database:
            return database.execute(_WRITTEN, (workspace, since * 1000)).fetchall()
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


#: Messages of conversations that were had in a folder, oldest first; times are milliseconds.
_WRITTEN = """
select session.id, session.parent_id, message.id, message.data
from message join session on session.id = message.session_id
where session.directory = ? and message.time_created >= ? order by message.time_created
"""
