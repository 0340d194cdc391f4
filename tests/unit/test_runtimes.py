"""The four agents: their command lines, and what their streams say, on lines recorded from the real programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from orange.adapters.runtimes import claude, codex, gemini, opencode, registry
from orange.adapters.runtimes.events import (
    UNTOLD,
    Account,
    Began,
    Called,
    Counted,
    Ended,
    Event,
    Failed,
    Limited,
    Returned,
    Said,
    Spent,
    Tokens,
    Unknown,
)
from orange.core.agents import Command, Resume
from orange.core.settings import AgentSettings
from orange.testing.tmux import SPEC

NOW = 1_795_267_000.0
PROMPT = "/runs/r/prompt.md"


def _command(agent: str, mode: str = "headless", *, resume: str | None = None, **changes: Any) -> Command:
    settings = AgentSettings(args=("--own",), env={"OWN": "1"}, mode=mode)
    continued = {"resume": Resume(resume), "followup": "Go on.\n"} if resume else {}
    spec = replace(SPEC, agent=agent, workspace="/w", agent_settings=settings, **{**continued, **changes})
    return registry.command(spec, PROMPT)


CLAUDE = "claude -p --dangerously-skip-permissions --output-format stream-json --verbose"
CODEX = (
    "--dangerously-bypass-approvals-and-sandbox --json -c check_for_update_on_startup=false -c allow_login_shell=false"
)
GEMINI = "gemini --yolo --skip-trust -o stream-json"
OPENCODE = "opencode run --auto --format json"


@pytest.mark.parametrize(
    ("agent", "fresh", "resumed"),
    [
        ("claude", f"{CLAUDE} --model M --effort high --own", f"{CLAUDE} --model M --effort high --own --resume S"),
        (
            "codex",
            f'codex exec {CODEX} -m M -c model_reasoning_effort="high" --own -',
            f'codex exec resume {CODEX} -m M -c model_reasoning_effort="high" --own S -',
        ),
        ("gemini", f"{GEMINI} -m M --own", f"{GEMINI} -m M --own --resume S"),
        ("opencode", f"{OPENCODE} --variant high -m M --own", f"{OPENCODE} --variant high -m M --own -s S"),
    ],
)
def test_headless_commands(agent: str, fresh: str, resumed: str) -> None:
    """Model, effort and the user's own arguments are in it; the prompt is not: it comes on standard input."""
    inner = _command(agent, model="M", effort="high", resume="S").inner
    assert inner is not None
    assert (inner.reader, " ".join(inner.argv), " ".join(inner.resumed or ())) == (agent, fresh, resumed)
    plain = _command(agent)
    assert plain.inner is not None
    assert plain.inner.resumed is None
    assert plain.env["OWN"] == "1"
    assert "Do it." not in " ".join([*plain.argv, *plain.inner.argv])


@pytest.mark.parametrize(
    ("agent", "bypass", "words"),
    [
        ("claude", "--dangerously-skip-permissions", "--strict-mcp-config --tools Read,Glob,Grep"),
        (
            "codex",
            "--dangerously-bypass-approvals-and-sandbox",
            '-c sandbox_mode="read-only" -c approval_policy="never"',
        ),
        ("gemini", "--yolo", "--approval-mode default"),
        ("opencode", "--auto", "opencode run --format json"),
    ],
)
def test_a_run_that_only_answers_gets_no_means_to_act(agent: str, bypass: str, words: str) -> None:
    """Neither at its beginning nor where its conversation goes on."""
    command = _command(agent, answers=True, resume="S")
    assert command.inner is not None
    for argv in (command.inner.argv, command.inner.resumed or ()):
        assert words in " ".join(argv)
        assert bypass not in argv
    withheld = {**command.files, **command.env}
    if agent == "gemini":
        assert "run_shell_command" in json.loads(withheld["gemini-defaults.json"])["tools"]["exclude"]
    if agent == "opencode":
        assert json.loads(withheld["OPENCODE_CONFIG_CONTENT"])["permission"]["bash"] == "deny"


def test_an_enclosed_codex_leaves_it_to_the_enclosure() -> None:
    """Its own sandbox does not work within another one."""
    inner = _command("codex", answers=True, isolation="sandbox").inner
    assert inner is not None
    assert "--dangerously-bypass-approvals-and-sandbox" in inner.argv


@pytest.mark.parametrize(
    ("agent", "fresh", "resumed"),
    [
        (
            "claude",
            ["claude", "--dangerously-skip-permissions", "--settings",
             '{"skipDangerousModePermissionPrompt": true}', "--own", "Do it.\n"],
            ["--own", "--resume", "S", "Go on.\n"],
        ),
        (
            "codex",
            ["codex", "--no-daemon", "--dangerously-bypass-approvals-and-sandbox", "-c",
             'projects={"/w"={trust_level="trusted"}}', "-c", "check_for_update_on_startup=false",
             "-c", "allow_login_shell=false", "--own", "Do it.\n"],
            ["--own", "S", "Go on.\n"],
        ),
        ("gemini", ["gemini", "--yolo", "--skip-trust", "--own", "-i", "Do it.\n"],
         ["--own", "--resume", "S", "-i", "Go on.\n"]),
        ("opencode", ["opencode", "--auto", "--own", "--prompt", "Do it.\n"],
         ["--own", "-s", "S", "--prompt", "Go on.\n"]),
    ],
)  # fmt: skip
def test_interactive_commands(agent: str, fresh: list[str], resumed: list[str]) -> None:
    """The program itself runs in the terminal, with its first-run questions answered beforehand."""
    assert (list(_command(agent, "interactive").argv), _command(agent, "interactive").inner) == (fresh, None)
    again = list(_command(agent, "interactive", resume="S").argv)
    assert again[-len(resumed) :] == resumed
    by_hand = list(_command(agent, "interactive", resume="S", prompt="", followup=None).argv)
    assert "Go on.\n" not in by_hand
    assert "S" in by_hand


def test_a_prompt_too_long_for_an_argument_is_read_from_its_file() -> None:
    """The system refuses arguments of 128 KiB."""
    assert _command("claude", "interactive", prompt="x" * 200_000).argv[-1] == f"Read {PROMPT} and do what it says."


def test_files_of_a_run_are_beside_its_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemini's defaults and OpenCode's plugin lie in the run's folder; the user's inline configuration stays."""
    made = _command("gemini")
    assert made.env["GEMINI_CLI_SYSTEM_DEFAULTS_PATH"] == "/runs/r/gemini-defaults.json"
    assert json.loads(made.files["gemini-defaults.json"])["general"]["maxAttempts"] == 1
    monkeypatch.setenv("OPENCODE_CONFIG_CONTENT", '{"model": "a/b", "plugin": ["own"]}')
    told = json.loads(_command("opencode").env["OPENCODE_CONFIG_CONTENT"])
    assert told == {"model": "a/b", "plugin": ["own", "file:///runs/r/opencode-waits.js"]}


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("claude", '--settings {"one": true}'),
        ("codex", "-c one=true"),
    ],
)
def test_options_are_settings_of_the_program(agent: str, said: str) -> None:
    """They hold for this run only."""
    settings = AgentSettings(options={"one": True})
    inner = registry.command(replace(SPEC, agent=agent, agent_settings=settings), PROMPT).inner
    assert inner is not None
    assert said in " ".join(inner.argv)


# -- detection


def test_a_missing_program_is_named_with_its_cure() -> None:
    """One sentence says what is missing and how to get it."""
    found = claude.detect(AgentSettings(), lambda _: None)
    assert (found.usable, found.version) == (False, None)
    assert "npm install -g @anthropic-ai/claude-code" in str(found.reason)


# -- streams


def _bash(text: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": text, "description": "Do it"}}


USAGE = {"input_tokens": 1000, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 200, "output_tokens": 30}

LINES: list[tuple[Any, dict[str, Any], list[Event]]] = [
    (claude, {"type": "system", "subtype": "init", "session_id": "s", "model": "m", "cwd": "/w"}, [Began("s", "m")]),
    (
        claude,
        {"type": "assistant", "message": {"id": "msg_1", "model": "m", "content": [_bash("ls")], "usage": USAGE}},
        [Called("Bash", "ls"), Spent(Tokens(1207, 30, 200), key="msg_1")],
    ),
    (
        claude,
        {"type": "user", "message": {"role": "user", "content": [
            {"tool_use_id": "toolu_1", "type": "tool_result", "content": "Exit code 3", "is_error": True}]}},
        [Returned("Exit code 3", failed=True)],
    ),
    (
        claude,
        {"type": "system", "subtype": "api_retry", "attempt": 1, "retry_delay_ms": 44527, "error_status": 429},
        [Limited(NOW + 44.527)],
    ),
    (claude, {"type": "system", "subtype": "api_retry", "retry_delay_ms": 500, "error_status": 500}, []),
    (
        claude,
        {"type": "assistant", "message": {"model": "<synthetic>", "content": []}, "error": "authentication_failed"},
        [Unknown()],
    ),
    (
        claude,
        {"type": "result", "is_error": True, "result": "401", "api_error_status": 401},
        [Spent(Tokens(), None), Unknown(), Failed("401"), Ended(failed=True)],
    ),
    (
        codex,
        {"type": "turn.failed", "error": {"message": "unexpected status 401 Unauthorized: Missing bearer"}},
        [Failed("unexpected status 401 Unauthorized: Missing bearer"), Unknown(), Ended(failed=True)],
    ),
    (
        gemini,
        {"type": "result", "status": "error", "error": {"message": "API key not valid. Please pass a valid one."}},
        [Spent(Tokens()), Unknown(), Failed("API key not valid. Please pass a valid one."), Ended(failed=True)],
    ),
    (
        opencode,
        {"type": "error", "error": {"name": "APIError", "data": {"statusCode": 401, "message": "who are you"}}},
        [Unknown(), Failed("who are you"), Ended(failed=True)],
    ),
    (opencode, {"type": "retry", "status": {"message": "invalid x-api-key", "next": 9}}, [Unknown(waits=True)]),
    (
        opencode,
        {"type": "error", "error": {"name": "ProviderAuthError", "data": {"message": "no key"}}},
        [Unknown(), Failed("no key"), Ended(failed=True)],
    ),
    (
        claude,
        {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1795270000}},
        [Limited(1795270000)],
    ),
    (claude, {"type": "rate_limit_event", "rate_limit_info": {"status": "allowed_warning", "resetsAt": 1}}, []),
    (
        claude,
        {"type": "assistant", "message": {"model": "<synthetic>", "content": [{"type": "text", "text": "API Error"}]}},
        [],
    ),
    (
        claude,
        {"type": "result", "subtype": "success", "is_error": True, "api_error_status": 529, "usage": {},
         "total_cost_usd": 0, "result": "API Error: Overloaded"},
        [Spent(Tokens(), 0), Limited(None), Failed("API Error: Overloaded"), Ended(failed=True)],
    ),
    (
        claude,
        {"type": "result", "subtype": "error_during_execution", "is_error": True, "usage": {},
         "errors": ["No conversation found with session ID: s"]},
        [Spent(Tokens()), Failed("No conversation found with session ID: s"), Ended(failed=True)],
    ),
    (
        claude,
        {"type": "result", "subtype": "success", "is_error": False, "total_cost_usd": 0.5, "usage": USAGE},
        [Spent(Tokens(1207, 30, 200), 0.5), Ended()],
    ),
    (codex, {"type": "thread.started", "thread_id": "t"}, [Began("t")]),
    (codex, {"type": "turn.started"}, []),
    (
        codex,
        {"type": "item.started", "item": {"type": "command_execution", "command": "ls", "status": "in_progress"}},
        [Called("shell", "ls")],
    ),
    (
        codex,
        {"type": "item.completed", "item": {"type": "command_execution", "aggregated_output": "f\n", "exit_code": 2}},
        [Returned("f\n", failed=True)],
    ),
    (codex, {"type": "item.completed", "item": {"type": "agent_message", "text": "Done."}}, [Said("Done.")]),
    (codex, {"type": "item.completed", "item": {"type": "error", "message": "Model metadata not found"}}, []),
    (
        codex,
        {"type": "turn.completed", "usage": {"input_tokens": 2400, "cached_input_tokens": 400, "output_tokens": 60}},
        [Counted(Tokens(2400, 60, 400)), Ended()],
    ),
    (
        codex,
        {"type": "error", "message": "Reconnecting... 1/5 (exceeded retry limit, last status: 429 Too Many Requests)"},
        [Limited(None),
         Failed("Reconnecting... 1/5 (exceeded retry limit, last status: 429 Too Many Requests)")],
    ),
    (
        codex,
        {"type": "turn.failed", "error": {"message": "stream disconnected"}},
        [Failed("stream disconnected"), Ended(failed=True)],
    ),
    (gemini, {"type": "init", "session_id": "g", "model": "gemini-2.5-pro"}, [Began("g", "gemini-2.5-pro")]),
    (gemini, {"type": "message", "role": "user", "content": "Do it."}, []),
    (gemini, {"type": "message", "role": "assistant", "content": "Do", "delta": True}, [Said("Do", part=True)]),
    (
        gemini,
        {"type": "tool_use", "tool_name": "run_shell_command", "parameters": {"command": "ls", "description": "x"}},
        [Called("run_shell_command", "ls")],
    ),
    (gemini, {"type": "tool_result", "status": "success", "output": "hi"}, [Returned("hi")]),
    (
        gemini,
        {"type": "result", "status": "success", "stats": {"input_tokens": 2400, "output_tokens": 60, "cached": 400}},
        [Spent(Tokens(2400, 60, 400)), Ended()],
    ),
    (
        gemini,
        {"type": "result", "status": "error", "stats": {},
         "error": {"type": "unknown", "message": "[API Error: rate limit reached\nSuggested retry after 60s.]"}},
        [Spent(Tokens()), Limited(NOW + 60),
         Failed("[API Error: rate limit reached\nSuggested retry after 60s.]"), Ended(failed=True)],
    ),
    (opencode, {"type": "began", "sessionID": "ses_1"}, [Began("ses_1")]),
    (opencode, {"type": "step_start", "sessionID": "ses_1", "part": {"type": "step-start"}}, [Began("ses_1")]),
    (
        opencode,
        {"type": "tool_use", "part": {"tool": "bash", "state": {
            "status": "completed", "input": {"command": "ls", "description": "x"}, "output": "hi\n"}}},
        [Called("bash", "ls"), Returned("hi\n")],
    ),
    (
        opencode,
        {"type": "step_finish", "part": {"id": "prt_1", "reason": "stop", "cost": 0.25,
            "tokens": {"input": 1000, "output": 30, "reasoning": 5, "cache": {"read": 200, "write": 10}}}},
        [Spent(Tokens(1210, 35, 200), 0.25, "prt_1"), Ended()],
    ),
    (
        opencode,
        {"type": "retry", "status": {"type": "retry", "attempt": 1, "message": "rate limit", "next": 1795268039540}},
        [Limited(1795268039.54)],
    ),
    (
        opencode,
        {"type": "error", "error": {"name": "APIError", "data": {"message": "no such model", "statusCode": 404}}},
        [Failed("no such model"), Ended(failed=True)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("runtime", "line", "events"), LINES, ids=lambda value: getattr(value, "name", None))
def test_lines_of_the_streams(runtime: Any, line: dict[str, Any], events: list[Event]) -> None:
    """Each line, as the program wrote it, says this."""
    assert list(runtime.read(line, NOW)) == events


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "opencode"])
def test_unknown_lines_say_nothing(agent: str) -> None:
    """A newer program may tell more than this version knows."""
    assert list(registry.reader(agent)({"type": "something.new", "data": 1}, NOW)) == []


@pytest.mark.parametrize(
    ("now", "words", "until"),
    [
        ("2026-11-21 13:26:30", "at 1:36 PM", "2026-11-21 13:37:00"),
        ("2026-11-21 13:26:30", "at 1:26 PM", "2026-11-21 13:27:00"),
        ("2026-11-21 23:50:00", "at 12:05 AM", "2026-11-22 00:06:00"),
        ("2026-11-21 13:26:30", "at Nov 22nd, 2026 2:26 PM", "2026-11-22 14:27:00"),
        ("2026-11-21 13:26:30", "in 1 hour 2 minutes", "2026-11-21 14:28:30"),
    ],
)
def test_codex_tells_the_end_of_a_limit_in_words(now: str, words: str, until: str) -> None:
    """The end of the minute it names, in local time, tomorrow where that minute is over."""
    seconds = datetime.fromisoformat(now).astimezone().timestamp()
    message = f"You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), or try again {words}."
    (limited, *_) = codex.read({"type": "turn.failed", "error": {"message": message}}, seconds)
    assert limited == Limited(datetime.fromisoformat(until).astimezone().timestamp())


# -- the account


def test_steps_count_until_the_program_sums_up() -> None:
    """A step told twice counts once; the program's own sum replaces what was seen."""
    account = Account()
    account.take([Spent(Tokens(10, 1), 0.5, "a"), Spent(Tokens(10, 2), 0.5, "a"), Spent(Tokens(5, 1), 0.25, "b")])
    assert (account.tokens, account.usd) == (Tokens(15, 3), 0.75)
    account.take([Spent(Tokens(20, 4), 1.0)])
    assert (account.tokens, account.usd) == (Tokens(20, 4), 1.0)


def test_a_count_of_the_whole_conversation_is_taken_apart() -> None:
    """What earlier runs had used is not used again."""
    account = Account(before=Tokens(2400, 60, 400))
    account.take([Counted(Tokens(4800, 120, 800))])
    assert account.tokens == Tokens(2400, 60, 400)
    assert account.record(NOW)["conversation_tokens"] == {"input": 4800, "output": 120, "cached": 800}


def test_a_limit_is_over_when_the_agent_goes_on() -> None:
    """A refusal that the program waited out by itself is none; one without a time lasts a while."""
    account = Account()
    account.take([Limited(NOW + 50), Limited(None)])
    assert account.record(NOW)["limited_until"] == NOW + 50
    account.take([Said("on we go")])
    assert account.record(NOW)["limited_until"] is None
    account.take([Limited(None)])
    assert account.record(NOW)["limited_until"] == NOW + UNTOLD
