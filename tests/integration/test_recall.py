"""What a program with its own screen wrote down itself: in the form of each of the four, as recorded from them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orange.adapters.runtimes.events import Account, Tokens
from orange.adapters.runtimes.registry import recall
from orange.core.times import seconds

WORKSPACE = "/w/with-claude-k3f9x2ab"
SINCE = "2026-11-21T10:00:00Z"
EARLIER, LATER = "2026-11-21T09:59:59.900Z", "2026-11-21T10:00:01.100Z"


def _write(path: Path, *lines: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _claude(home: Path, at: str, cwd: str) -> None:
    usage = {"input_tokens": 8, "cache_read_input_tokens": 2, "output_tokens": 3}
    said = {"id": f"msg-{at}", "model": "m", "usage": usage, "content": [{"type": "text", "text": "hi"}]}
    line = {"type": "assistant", "sessionId": "s", "cwd": f"{cwd}/src", "timestamp": at, "message": said}
    _write(home / ".claude/projects/-w" / f"{at}.jsonl", {"type": "atis-latch"}, line, line)


def _codex(home: Path, at: str, cwd: str) -> None:
    def count(when: str, times: int) -> object:
        used = {"input_tokens": 10 * times, "cached_input_tokens": 2 * times, "output_tokens": 3 * times}
        info = {"total_token_usage": used}
        return {"timestamp": when, "type": "event_msg", "payload": {"type": "token_count", "info": info}}

    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
    _write(
        home / ".codex/sessions/2026/11/21" / f"rollout-{at}.jsonl",
        {"timestamp": EARLIER, "type": "session_meta", "payload": {"id": "s", "cwd": cwd}},
        count(EARLIER, 5),
        {"timestamp": at, "type": "response_item", "payload": said},
        *([count(LATER, 6)] if at == LATER else []),
    )


def _gemini(home: Path, at: str, cwd: str) -> None:
    tokens = {"input": 10, "output": 3, "cached": 2, "thoughts": 0}
    said = {"id": f"a-{at}", "timestamp": at, "type": "gemini", "content": "hi", "tokens": tokens, "model": "m"}
    folder = home / ".gemini/tmp" / f"p-{len(cwd)}"
    _write(folder / "chats" / f"session-{at}.jsonl", {"sessionId": "s", "kind": "main"}, said, {"$set": {}})
    (folder / ".project_root").write_text(cwd)


def _opencode(home: Path, at: str, cwd: str) -> None:
    path = home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    when = int(seconds(at) * 1000)
    tokens = {"input": 8, "output": 3, "reasoning": 0, "cache": {"read": 2, "write": 0}}
    said = {"role": "assistant", "modelID": "m", "tokens": tokens, "cost": 0.5, "time": {"created": when}}
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table if not exists session (id, parent_id, directory)")
        database.execute("create table if not exists message (id, session_id, time_created, data)")
        database.execute("insert into session values (?, null, ?)", (f"s{cwd}", cwd))
        for data in ({"role": "user"}, said):
            database.execute("insert into message values (?, ?, ?, ?)", (f"m{at}", f"s{cwd}", when, json.dumps(data)))
        database.commit()


WRITERS: dict[str, Callable[[Path, str, str], None]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
}


def _told(agent: str, home: Path) -> Account:
    account = Account()
    account.take(recall(agent, {"HOME": str(home)}, WORKSPACE, seconds(SINCE)))
    return account


@pytest.mark.parametrize("agent", WRITERS)
def test_it_counts_what_was_said_here_since_then(agent: str, tmp_path: Path) -> None:
    """Neither what was said before, nor what is said in another folder, even one whose name begins the same."""
    write = WRITERS[agent]
    write(tmp_path, LATER, f"{WORKSPACE}-2")
    assert (_told(agent, tmp_path).session, _told(agent, tmp_path).tokens) == (None, None)
    write(tmp_path, EARLIER, WORKSPACE)
    write(tmp_path, LATER, WORKSPACE)
    account = _told(agent, tmp_path)
    assert account.session in {"s", f"s{WORKSPACE}"}
    assert account.tokens == Tokens(10, 3, 2)
    assert account.turns >= 1


@pytest.mark.parametrize("agent", WRITERS)
def test_it_uses_the_programs_own_folder(agent: str, tmp_path: Path) -> None:
    """A variable that moves the program's files moves them here, too."""
    WRITERS[agent](tmp_path, LATER, WORKSPACE)
    moved = {
        "claude": {"CLAUDE_CONFIG_DIR": f"{tmp_path}/.claude"},
        "codex": {"CODEX_HOME": f"{tmp_path}/.codex"},
        "gemini": {"GEMINI_CLI_HOME": str(tmp_path)},
        "opencode": {"XDG_DATA_HOME": f"{tmp_path}/.local/share"},
    }
    account = Account()
    account.take(recall(agent, {"HOME": "/nowhere", **moved[agent]}, WORKSPACE, seconds(SINCE)))
    assert account.tokens == Tokens(10, 3, 2)


def _recall(root: Path, agent: str) -> int:
    """Run it as the supervisor does, after a step that has told something."""
    folder = root / "runs" / "k3f9x2ab-1"
    _write(folder / "spec.json", {"spec": {"resume": None}})
    env = {**os.environ, "HOME": str(root), "ORANGE_RUNTIME": str(root), "ORANGE_RUN": folder.name}
    env = {name: value for name, value in env.items() if not name.startswith(("XDG_", "CODEX_", "CLAUDE_", "GEMINI_"))}
    argv = [sys.executable, "-P", "-m", "orange.adapters.runtimes.recall", agent, WORKSPACE, SINCE]
    return subprocess.run(argv, env=env, check=False, capture_output=True).returncode


@pytest.mark.parametrize("agent", [*WRITERS, "command"])
def test_what_cannot_be_read_is_unknown(agent: str, tmp_path: Path) -> None:
    """Without files, and with files of another form, nothing is written, and nothing fails."""
    account = tmp_path / "runs" / "k3f9x2ab-1" / "agent.json"
    assert (_recall(tmp_path, agent), account.exists()) == (0, False)
    for name in (".claude/projects/x/a.jsonl", ".codex/sessions/1/2/3/rollout-1.jsonl", ".gemini/tmp/x/chats/1.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b'\xff\n[1]\n{"type": "assistant", "payload": 1}\n')
    (tmp_path / ".local/share/opencode").mkdir(parents=True)
    (tmp_path / ".local/share/opencode/opencode.db").write_text("no database")
    assert (_recall(tmp_path, agent), account.exists()) == (0, False)


def test_it_is_added_to_what_earlier_steps_told(tmp_path: Path) -> None:
    """The run's tokens are those of all its steps; the conversation is the last one."""
    _claude(tmp_path, LATER, WORKSPACE)
    assert _recall(tmp_path, "claude") == 0
    assert _recall(tmp_path, "claude") == 0
    told = json.loads((tmp_path / "runs" / "k3f9x2ab-1" / "agent.json").read_text())
    assert (told["agent"], told["session"], told["ended"]) == ("claude", "s", None)
    assert told["tokens"] == {"input": 20, "output": 6, "cached": 4}
