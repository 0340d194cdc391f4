"""What runs an agent's program and shows what it tells: with programs that tell what a real one would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orange import proctable
from orange.testing.repos import until

RUN = "k3f9x2ab-1"
INIT = '{"type":"system","subtype":"init","session_id":"s-1","model":"m"}'
DONE = '{"type":"result","subtype":"success","is_error":false,"usage":{"input_tokens":9,"output_tokens":2}}'
FAILED = '{"type":"result","subtype":"success","is_error":true,"result":"it broke","usage":{}}'


@dataclass
class Folder:
    """The folder of a run whose agent is a shell script."""

    root: Path
    #: Whose stream the script tells.
    reader: str = "claude"

    def prepare(self, script: str, resumed: str | None = None) -> None:
        """Write what the supervisor would have written."""
        inner = {"reader": self.reader, "argv": ["sh", "-c", script], "resumed": resumed and ["sh", "-c", resumed]}
        resume = {"session": "s-0", "spent": {"input": 0, "output": 0, "cached": 0}} if resumed else None
        self._write("spec.json", json.dumps({"spec": {"resume": resume}, "command": {"inner": inner, "within": ()}}))
        self._write("prompt.md", "All of it\n")
        self._write("followup.md", "Only what is new\n")

    def begin(self) -> subprocess.Popen[str]:
        """Start it."""
        argv = [sys.executable, "-P", "-m", "orange.adapters.runtimes.headless"]
        env = {**os.environ, "ORANGE_RUNTIME": str(self.root), "ORANGE_RUN": RUN}
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, script: str, resumed: str | None = None) -> tuple[int, str]:
        """Run it to its end; returns its exit code and what it showed."""
        self.prepare(script, resumed)
        child = self.begin()
        out, _ = child.communicate(timeout=60)
        return child.returncode, out

    @property
    def account(self) -> Any:
        """What it wrote of the conversation; None before."""
        path = self.root / "runs" / RUN / "agent.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def stream(self) -> str:
        """What it kept of the program's stream."""
        return (self.root / "runs" / RUN / "logs" / "agent.jsonl").read_text()

    def _write(self, name: str, text: str) -> None:
        path = self.root / "runs" / RUN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def it(tmp_path: Path) -> Folder:
    """A run's folder."""
    return Folder(tmp_path)


def _tells(*lines: str) -> str:
    return "; ".join(f"printf '%s\\n' '{line}'" for line in lines)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (_tells(INIT, DONE), 0),
        (_tells(INIT, DONE) + "; exit 3", 3),
        (_tells(INIT, FAILED), 1),
        (_tells(INIT, FAILED) + "; exit 4", 4),
        (_tells(INIT) + "; kill -KILL $$", -signal.SIGKILL),
        (_tells(INIT) + "; kill -TERM $$", -signal.SIGTERM),
        ("echo 429 rate limit exceeded >&2; exit 0", 0),
        (_tells(INIT, DONE)[:-1] + "'; printf '%s' '{\"type\":\"result\",'", 0),
    ],
)
def test_it_ends_as_the_program_ended(it: Folder, script: str, status: int) -> None:
    """Exit code or signal are passed on; a turn reported as failed fails; words on standard error decide nothing."""
    assert it.run(script)[0] == status


def test_the_stream_is_shown_kept_and_summed_up(it: Folder) -> None:
    """Terminal escapes in it are shown, not obeyed; what is no line of the stream is shown as it is."""
    said = json.dumps(
        {"type": "assistant", "message": {"id": "1", "content": [{"type": "text", "text": "hi \x1b[31m"}]}}
    )
    status, shown = it.run(_tells(INIT, said.replace("\\", "\\\\"), "not json", DONE).replace("%s", "%b"))
    assert status == 0
    assert "conversation s-1]" in shown
    assert "hi \\x1b[31m" in shown
    assert "not json" in shown
    assert it.stream.count("\n") == 4
    told = it.account
    assert (told["session"], told["model"], told["turns"]) == ("s-1", "m", 1)
    assert told["tokens"] == {"input": 9, "output": 2, "cached": 0}


def test_a_conversation_that_is_gone_is_begun_anew(it: Folder) -> None:
    """The follow-up goes to the conversation; where the program does not know it, the whole prompt to a new one."""
    gone = _tells('{"type":"result","is_error":true,"errors":["No conversation found"],"usage":{}}')
    status, shown = it.run("cat; " + _tells(INIT, DONE), "cat; " + gone + "; exit 1")
    assert status == 0
    assert shown.index("Only what is new") < shown.index("beginning a new one") < shown.index("All of it")
    assert (it.account["session"], it.account["error"]) == ("s-1", None)


def test_a_conversation_that_goes_on_is_not_begun_anew(it: Folder) -> None:
    """A failure after the conversation was found is a failure."""
    status, shown = it.run("echo anew", _tells(INIT, FAILED) + "; exit 1")
    assert status == 1
    assert "anew" not in shown


GEMINI = '{"type":"init","session_id":"s-1","model":"m"}', '{"type":"result","status":"success","stats":{}}'


def test_a_program_that_missed_its_prompt_is_given_it_again(it: Folder) -> None:
    """Gemini looks for it only for a moment; a conversation that is there is not given up for that."""
    it.reader = "gemini"
    late = f"echo start >> {it.root}/starts; test $(wc -l < {it.root}/starts) = 3 || exit 42; cat; "
    status, shown = it.run("echo anew", late + _tells(*GEMINI))
    assert (status, it.account["session"]) == (0, "s-1")
    assert "Only what is new" in shown
    assert "anew" not in shown
    assert it.run(f"echo start >> {it.root}/more; exit 42")[0] == 42
    assert (it.root / "more").read_text().count("start") == 3


@pytest.mark.parametrize(
    ("told", "ended", "tokens"),
    [
        ((), False, None),
        ((INIT,), False, None),
        ((INIT, DONE), True, {"input": 9, "output": 2, "cached": 0}),
    ],
)
def test_what_was_not_told_is_not_known(it: Folder, told: tuple[str, ...], ended: object, tokens: object) -> None:
    """A program that ends well without a word has finished; of its tokens nothing is known."""
    assert it.run(_tells(*told) or "true")[0] == 0
    assert (it.account["ended"], it.account["tokens"]) == (ended, tokens)


def test_a_refusal_that_lasts_ends_the_program(it: Folder) -> None:
    """The program is not left waiting for its provider, and its exit code says: later."""
    retry = '{"type":"system","subtype":"api_retry","error_status":429,"retry_delay_ms":3600000}'
    status, _ = it.run(_tells(INIT, retry) + "; exec tail -f /dev/null")
    assert status == 75
    assert time.time() + 3000 < it.account["limited_until"] < time.time() + 3700


def test_a_short_refusal_is_the_programs_own_affair(it: Folder) -> None:
    """It waits a moment itself, and when it goes on there was no limit."""
    retry = '{"type":"system","subtype":"api_retry","error_status":529,"retry_delay_ms":2000}'
    said = '{"type":"assistant","message":{"id":"1","content":[{"type":"text","text":"on"}]}}'
    assert it.run(_tells(INIT, retry, said, DONE))[0] == 0
    assert it.account["limited_until"] is None


def test_a_program_that_nobody_is_logged_in_to_says_how(it: Folder) -> None:
    """What is recorded and shown is the way to log in; a conversation is not begun anew for it."""
    out = '{"type":"assistant","message":{"model":"<synthetic>","content":[]},"error":"authentication_failed"}'
    status, shown = it.run("echo anew", _tells(out, FAILED) + "; exit 1")
    assert status == 1
    assert "anew" not in shown
    assert it.account["logged_out"] is True
    assert it.account["error"] == "Claude Code is not logged in, or not any more: run `claude` and type `/login`"
    assert it.account["error"] in shown


def test_a_program_that_would_ask_for_ever_is_ended(it: Folder) -> None:
    """OpenCode asks again and again, whatever its provider answers."""
    retry = '{"type":"retry","status":{"message":"Incorrect API key provided","next":1}}'
    it.reader = "opencode"
    status, shown = it.run(_tells(retry) + "; exec tail -f /dev/null")
    assert status == 1
    assert "run `opencode auth login`" in shown


def test_who_goes_on_is_logged_in(it: Folder) -> None:
    """A provider that did not know who asks and then does: a failure after that is another."""
    out = '{"type":"assistant","message":{"model":"<synthetic>","content":[]},"error":"authentication_failed"}'
    said = '{"type":"assistant","message":{"id":"1","content":[{"type":"text","text":"on"}]}}'
    assert it.run(_tells(INIT, out, said, FAILED))[0] == 1
    assert (it.account["logged_out"], it.account["error"]) == (False, "it broke")


def test_what_the_program_leaves_running_is_not_waited_for(it: Folder) -> None:
    """A process that still holds the output open does not keep the run from ending."""
    status, _ = it.run(_tells(INIT, DONE) + "; sleep 600 2>/dev/null &")
    assert status == 0
    _kill_the_rest(it)


def _kill_the_rest(it: Folder) -> None:
    """End what the supervisor would have ended."""
    mark = f"ORANGE_RUNTIME={it.root}".encode()
    for row in proctable.table():
        if row.pid != os.getpid() and proctable.carries(row.pid, [mark]):
            os.kill(row.pid, signal.SIGKILL)


def test_it_passes_on_that_it_is_to_end(it: Folder) -> None:
    """The program ends in its own way, and what it says then is still heard."""
    it.prepare(f"trap '{_quoted(_tells(DONE))}; exit 7' TERM; {_tells(INIT)}; while :; do sleep 0.1; done")
    child = it.begin()
    until(lambda: it.account)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)
    assert child.returncode == 7
    assert it.account["tokens"]["input"] == 9


def _quoted(script: str) -> str:
    return script.replace("'", "'\\''")


def test_a_missing_program_is_said(it: Folder) -> None:
    """With the exit code of a shell."""
    it.prepare("unused")
    spec = it.root / "runs" / RUN / "spec.json"
    spec.write_text(spec.read_text().replace('"sh"', '"no-such-agent"'))
    child = it.begin()
    out, _ = child.communicate(timeout=60)
    assert (child.returncode, "no-such-agent" in out) == (127, True)
