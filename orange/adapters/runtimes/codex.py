"""The agent `codex`: OpenAI's Codex CLI.

`exec` asks nothing. The interactive form must not start the program's own daemon, which would outlive the session, and
is told that the workspace is trusted. Its stream gives a limit's end only in words and to the minute.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from orange.adapters.runtimes import transcripts
from orange.adapters.runtimes.base import Login, Program, Which, cli, opening
from orange.adapters.runtimes.events import (
    Began,
    Called,
    Counted,
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
    text_of,
)
from orange.core import runfiles
from orange.core.agents import Command, Found
from orange.core.ports import RunSpec
from orange.core.settings import AgentSettings

name = "codex"
program = Program("codex", oldest=(0, 150, 0), install="npm install -g @openai/codex@latest", package="@openai/codex")
login = Login("Codex", "run `codex login`")
skills = (".agents/skills", ".codex/skills")

_BYPASS = "--dangerously-bypass-approvals-and-sandbox"
#: For a run that only answers. In an enclosure its own sandbox does not work, and there the enclosure is the boundary.
_ANSWERING = ("-c", 'sandbox_mode="read-only"', "-c", 'approval_policy="never"', "-c", 'web_search="disabled"')
#: Settings of every run: it does not look for a newer version of itself, and runs commands in no login shell, for a
#: system's profile may set PATH anew, without the `orange` that the run was given.
_ALWAYS = ("-c", "check_for_update_on_startup=false", "-c", "allow_login_shell=false")
_LIMIT = re.compile(r"last status: (?:429|529)|usage limit|rate limit", re.IGNORECASE)
_UNKNOWN = re.compile(r"status:? 401\b|401 Unauthorized")
_AT = re.compile(r"try again at (?:(\w{3}) (\d{1,2})\w\w, (\d{4}) )?(\d{1,2}):(\d\d) ([AP]M)")
_IN = re.compile(r"(\d+) (day|hour|minute|second)")
_UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def detect(_settings: AgentSettings, which: Which) -> Found:
    """Say whether it is installed."""
    return program.found(name, which)


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program, headless or interactive."""
    if spec.agent_settings.mode == "interactive":
        return cli(spec, interactive(spec, prompt_file))
    leave = _ANSWERING if spec.answers and spec.isolation not in runfiles.ENCLOSED else (_BYPASS,)
    flags = (*leave, "--json", *_ALWAYS, *_flags(spec))
    resumed = ("codex", "exec", "resume", *flags, spec.resume.session, "-") if spec.resume else None
    return cli(spec, ("codex", "exec", *flags, "-"), resumed, reader=name)


def interactive(spec: RunSpec, prompt_file: str) -> tuple[str, ...]:
    """The program in the terminal, continuing the run's conversation if it has one."""
    trusted = f'projects={{{json.dumps(spec.workspace)}={{trust_level="trusted"}}}}'
    flags = ("--no-daemon", _BYPASS, "-c", trusted, *_ALWAYS, *_flags(spec))
    resumed = ("resume", spec.resume.session) if spec.resume else ()
    return ("codex", *resumed[:1], *flags, *resumed[1:], *opening(spec, prompt_file))


def _flags(spec: RunSpec) -> tuple[str, ...]:
    model = ("-m", spec.model) if spec.model else ()
    effort = ("-c", f"model_reasoning_effort={json.dumps(spec.effort)}") if spec.effort else ()
    options = (f"{key}={json.dumps(value)}" for key, value in spec.agent_settings.options.items())
    return (*model, *effort, *(word for option in options for word in ("-c", option)), *spec.agent_settings.args)


def read(line: Line, now: float) -> Iterator[Event]:
    """Read one line of its stream."""
    match line.get("type"):
        case "thread.started":
            yield Began(line["thread_id"])
        case "item.started" | "item.completed":
            yield from _item(line["item"], done=line["type"] == "item.completed")
        case "turn.completed":
            usage = line.get("usage") or {}
            counts = (usage.get(key) for key in ("input_tokens", "output_tokens", "cached_input_tokens"))
            yield Counted(Tokens(*map(number, counts)))
            yield Ended()
        case "turn.failed":
            message = str((line.get("error") or {}).get("message"))
            yield from _refused(message, now)
            if _UNKNOWN.search(message):
                yield Unknown()
            yield Ended(failed=True)
        case "error":
            yield from _refused(str(line.get("message")), now)


def _item(item: Line, *, done: bool) -> Iterator[Event]:
    match item.get("type"):
        case "agent_message" if done:
            yield Said(str(item.get("text")))
        case "command_execution" if done:
            yield Returned(str(item.get("aggregated_output") or ""), failed=bool(item.get("exit_code")))
        case "command_execution":
            yield Called("shell", str(item.get("command")))
        case "file_change" if done:
            yield Called("edit", ", ".join(str(change.get("path")) for change in item.get("changes") or ()))
        case "mcp_tool_call" if done:
            yield Called(str(item.get("tool")), shown(item.get("arguments")))


def _refused(message: str, now: float) -> Iterator[Event]:
    if _LIMIT.search(message):
        yield Limited(_until(message, now))
    yield Failed(message)


def _until(message: str, now: float) -> float | None:
    """Return when the limit ends that a message tells of: the end of the minute it names; None when it names none."""
    at = _AT.search(message)
    if at is None:
        told = message.partition("try again in ")[2]
        return now + sum(int(count) * _UNITS[unit] for count, unit in _IN.findall(told)) if told else None
    here = datetime.fromtimestamp(now).astimezone()
    month, day, year, hour, minute, half = at.groups()
    end = here.replace(hour=int(hour) % 12 + 12 * (half == "PM"), minute=int(minute), second=0, microsecond=0)
    if year and month in _MONTHS:
        end = end.replace(year=int(year), month=_MONTHS.index(month) + 1, day=int(day))
    end += timedelta(minutes=1)
    return (end if year or end > here else end + timedelta(days=1)).timestamp()


def recall(env: Mapping[str, str], workspace: str, since: float) -> Iterator[Event]:
    """Read its records of conversations; they count the tokens of all of one, so those from before are taken off."""
    root = env.get("CODEX_HOME") or f"{env['HOME']}/.codex"
    for path in transcripts.changed(f"{glob.escape(root)}/sessions/*/*/*/rollout-*.jsonl", since):
        head, *lines = transcripts.lines(path)
        told = head["payload"]
        if told.get("cwd") == workspace:
            yield Began(told["id"])
            before = [line for line in lines if transcripts.written_at(line) < since]
            yield Spent(_used(lines).less(_used(before)), key=told["id"])
            for line in transcripts.later(lines, since):
                yield from _written(line)


def _used(lines: Sequence[Line]) -> Tokens:
    """Return the last count of a conversation's tokens, from which it goes on; nothing at its beginning."""
    counts = (line["payload"].get("info") for line in reversed(lines) if line["payload"].get("type") == "token_count")
    total: Line = next((count["total_token_usage"] for count in counts if count), {})
    return Tokens(*(number(total.get(key)) for key in ("input_tokens", "output_tokens", "cached_input_tokens")))


def _written(line: Line) -> Iterator[Event]:
    item = line["payload"]
    if line.get("type") == "response_item" and item.get("type") == "message" and item.get("role") == "assistant":
        yield Said(text_of(item.get("content")))
    elif line.get("type") == "response_item" and str(item.get("type")).endswith("_call"):
        yield Called(str(item.get("name")), shown(item.get("arguments")))
