"""The agent `claude`: Claude Code.

Headless it is given its prompt on standard input and tells what it does as JSON lines. `-p` asks nothing; for its
interactive form the questions about trust and about doing without permissions are answered beforehand, for this one
start only. As root the program refuses to go without permissions unless told that it is in a sandbox.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping

from orange.adapters.runtimes import transcripts
from orange.adapters.runtimes.base import Login, Program, Which, cli, opening
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
    text_of,
)
from orange.core.agents import Command, Found
from orange.core.ports import RunSpec
from orange.core.settings import AgentSettings

name = "claude"
program = Program(
    "claude",
    oldest=(2, 0, 0),
    install="npm install -g @anthropic-ai/claude-code@latest",
    package="@anthropic-ai/claude-code",
)
login = Login("Claude Code", "run `claude` and type `/login`")
#: Where it reads skills, below a project and below the user's home.
skills = (".claude/skills",)

_BYPASS = "--dangerously-skip-permissions"
#: For a run that only answers: nothing that runs, writes or reaches elsewhere, whatever the user's settings allow.
_ANSWERING = ("--strict-mcp-config", "--tools", "Read,Glob,Grep")
#: What the provider answers when it is asked too much, or has too much to do.
_REFUSALS = frozenset({429, 529})


def detect(_settings: AgentSettings, which: Which) -> Found:
    """Say whether it is installed."""
    return program.found(name, which)


def command(spec: RunSpec, prompt_file: str) -> Command:
    """The program, headless or interactive."""
    if spec.agent_settings.mode == "interactive":
        return cli(spec, interactive(spec, prompt_file), env=_quiet())
    options = spec.agent_settings.options
    settings = ("--settings", json.dumps(dict(options))) if options else ()
    leave = _ANSWERING if spec.answers else (_BYPASS,)
    fresh = ("claude", "-p", *leave, "--output-format", "stream-json", "--verbose", *settings, *_flags(spec))
    resumed = (*fresh, "--resume", spec.resume.session) if spec.resume else None
    return cli(spec, fresh, resumed, reader=name, env=_quiet())


def interactive(spec: RunSpec, prompt_file: str) -> tuple[str, ...]:
    """The program in the terminal, continuing the run's conversation if it has one."""
    ready = {"skipDangerousModePermissionPrompt": True, **spec.agent_settings.options}
    resumed = ("--resume", spec.resume.session) if spec.resume else ()
    return ("claude", _BYPASS, "--settings", json.dumps(ready), *_flags(spec), *resumed, *opening(spec, prompt_file))


def _flags(spec: RunSpec) -> tuple[str, ...]:
    model = ("--model", spec.model) if spec.model else ()
    effort = ("--effort", spec.effort) if spec.effort else ()
    return (*model, *effort, *spec.agent_settings.args)


def _quiet() -> dict[str, str]:
    """The environment of a run: trust in the workspace, nothing sent but to the model."""
    env = {"CLAUDE_CODE_SANDBOXED": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return env | ({"IS_SANDBOX": "1"} if os.geteuid() == 0 else {})


def read(line: Line, now: float) -> Iterator[Event]:
    """Read one line of its stream."""
    match line.get("type"):
        case "system":
            yield from _system(line, now)
        case "assistant":
            yield from _assistant(line["message"])
            if line.get("error") == "authentication_failed":
                yield Unknown()
        case "user":
            yield from _user(line["message"])
        case "rate_limit_event":
            info = line.get("rate_limit_info") or {}
            if info.get("status") == "rejected":
                yield Limited(info.get("resetsAt"))
        case "result":
            yield from _result(line)


def recall(env: Mapping[str, str], workspace: str, since: float) -> Iterator[Event]:
    """Read its transcripts: a file for each conversation, and for each helper of one."""
    root = env.get("CLAUDE_CONFIG_DIR") or f"{env['HOME']}/.claude"
    for path in transcripts.changed(f"{glob.escape(root)}/projects/**/*.jsonl", since):
        for line in transcripts.later(transcripts.lines(path), since):
            if line.get("type") == "assistant" and transcripts.is_in(line.get("cwd"), workspace):
                yield Began(line["sessionId"], line["message"].get("model"))
                yield from _assistant(line["message"])


def _system(line: Line, now: float) -> Iterator[Event]:
    if line.get("subtype") == "init":
        yield Began(line["session_id"], line.get("model"))
    elif line.get("subtype") == "api_retry" and line.get("error_status") in _REFUSALS:
        yield Limited(now + number(line.get("retry_delay_ms")) / 1000)


def _assistant(message: Line) -> Iterator[Event]:
    if message.get("model") == "<synthetic>":  # an error in the clothes of an answer; the result says it again
        return
    for part in message.get("content") or ():
        if part.get("type") == "text":
            yield Said(part["text"])
        elif part.get("type") == "tool_use":
            yield Called(part["name"], shown(part.get("input")))
    yield Spent(_tokens(message.get("usage") or {}), key=str(message.get("id")))


def _user(message: Line) -> Iterator[Event]:
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "tool_result":
            yield Returned(text_of(part.get("content")), failed=bool(part.get("is_error")))


def _result(line: Line) -> Iterator[Event]:
    yield Spent(_tokens(line.get("usage") or {}), line.get("total_cost_usd"))
    if line.get("api_error_status") in _REFUSALS:
        yield Limited(None)
    if line.get("api_error_status") == UNAUTHORIZED:
        yield Unknown()
    if line.get("is_error"):
        yield Failed(str(line.get("result") or "; ".join(map(str, line.get("errors") or ())) or line.get("subtype")))
    yield Ended(failed=bool(line.get("is_error")))


def _tokens(usage: Line) -> Tokens:
    cached = number(usage.get("cache_read_input_tokens"))
    read_anew = number(usage.get("input_tokens")) + number(usage.get("cache_creation_input_tokens"))
    return Tokens(read_anew + cached, number(usage.get("output_tokens")), cached)
