"""`python -P -m orange.adapters.runtimes.scripted_agent`: does what the ```script block of its task says.

Deterministic, and without any account: what it does, it does as a real agent would, with git and with the `orange`
on its PATH. Without a block it writes a small file named after the task and commits it.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orange.adapters import process
from orange.adapters.runtimes import scripting
from orange.adapters.runtimes.scripting import BadScript, Instruction
from orange.core import runfiles

#: Seconds a command of a script may take: the supervisor's limits come first.
PATIENCE = 86400.0
#: Who commits where git knows nobody.
IDENTITY = ("-c", "user.name=orange script", "-c", "user.email=script@orange.invalid")


class Failed(Exception):
    """The script's own end with another exit code than 0."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Agent:
    """One run of a script."""

    env: Mapping[str, str]

    @property
    def attempt(self) -> int:
        """The number of this attempt."""
        return int(self.env.get("ORANGE_ATTEMPT") or "1")

    def instructions(self) -> list[Instruction]:
        """Read the task's script: from its file, else from the prompt. Raises BadScript."""
        texts = (_read(self.env.get(name, "")) for name in ("ORANGE_TASK_FILE", "ORANGE_PROMPT_FILE"))
        step = self.env.get(runfiles.STEP_MARK)
        main = not step or runfiles.MAIN_MARK in self.env
        found = (scripting.script_in(text, step, main=main) for text in texts)
        script = next((script for script in found if script is not None), None)
        if script is None:
            return self._default() if main else []
        return scripting.parse(script)

    def _default(self) -> list[Instruction]:
        folder = os.path.basename(os.path.dirname(self.env.get("ORANGE_TASK_FILE", "")))
        name = folder or self.env.get("ORANGE_TASK", "task")
        return [Instruction(1, "write", f"{name}.txt done"), Instruction(2, "commit", f"Do {name}")]

    def run(self) -> None:
        """Carry out the script. Raises BadScript, Failed."""
        for instruction in self.instructions():
            if instruction.attempt in {None, self.attempt}:
                ACTIONS[instruction.verb](self, instruction)

    # -- files and git

    def write(self, told: Instruction) -> None:
        """Write a file and say so."""
        self._put(told, "w")

    def append(self, told: Instruction) -> None:
        """Add to a file."""
        self._put(told, "a")

    def require(self, told: Instruction) -> None:
        """Fail when a file is missing: the work before this one must be there."""
        if not os.path.exists(told.rest):
            raise Failed(1, f"{told.rest} is not there, and line {told.line} of the script requires it")

    def commit(self, told: Instruction) -> None:
        """Commit everything; nothing to commit is said and no failure."""
        self._git("add", "--all")
        if self._git("diff", "--cached", "--quiet", fine=(0, 1)).status == 0:
            _say("nothing to commit")
            return
        self._git(*self._identity(), "commit", "--message", told.rest)
        _say(f"committed: {told.rest}")

    def _put(self, told: Instruction, mode: str) -> None:
        path, _, text = told.rest.partition(" ")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, mode, encoding="utf-8") as file:
            file.write(told.block if told.block is not None else text + "\n")
        _say(f"wrote {path}")

    def _identity(self) -> tuple[str, ...]:
        known = self._git("var", "GIT_AUTHOR_IDENT", fine=(0, 128)).status == 0
        return () if known else IDENTITY

    def _git(self, *args: str, fine: tuple[int, ...] = (0,)) -> process.Result:
        return self._call(["git", *args], fine=fine)

    # -- orange

    def create(self, told: Instruction) -> None:
        """Make a task, which becomes a child of this one."""
        body = ("--body", "-") if told.block is not None else ()
        self._orange("task", "create", *shlex.split(told.rest), *body, stdin=told.block)

    def delegate(self, _told: Instruction) -> None:
        """Hand the task over to its children."""
        self._orange("task", "update", "--status", "delegated")

    def ask(self, told: Instruction) -> None:
        """Ask a person."""
        text, wait = (told.rest[:-7].rstrip(), ("--wait",)) if told.rest.endswith(" --wait") else (told.rest, ())
        self._orange("ask", text, *wait)

    def section(self, told: Instruction) -> None:
        """Write a section of the task's body."""
        section, _, text = told.rest.partition(" ")
        self._orange("task", "write", section, "-", stdin=told.block if told.block is not None else text + "\n")

    def _orange(self, *args: str, stdin: str | None = None) -> None:
        _say(self._call(["orange", *args], stdin=stdin).text)

    # -- behaviour

    def run_command(self, told: Instruction) -> None:
        """Run a shell command."""
        result = self._call(["sh", "-c", told.rest])
        _say(result.text + result.stderr)

    def say(self, told: Instruction) -> None:
        """Say something."""
        _say(told.rest if told.block is None else f"{told.rest}\n{told.block}")

    def sleep(self, told: Instruction) -> None:
        """Do nothing for a time."""
        time.sleep(float(told.rest))

    def work(self, told: Instruction) -> None:
        """Use the processor for a time, silently."""
        end = time.monotonic() + float(told.rest)
        while time.monotonic() < end:
            sum(range(10_000))

    def hang(self, _told: Instruction) -> None:
        """Do nothing for ever."""
        while True:
            signal.pause()

    def stubborn(self, _told: Instruction) -> None:
        """Take no notice of being asked to end."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    def spam(self, told: Instruction) -> None:
        """Say a lot."""
        for number in range(int(told.rest)):
            sys.stdout.write(f"spam {number}\n")

    def fail(self, told: Instruction) -> None:
        """End with an exit code. Raises Failed."""
        first, _, rest = told.rest.partition(" ")
        code, reason = (int(first), rest) if first.isdecimal() else (1, told.rest)
        raise Failed(code, reason or "the script says so")

    def crash(self, _told: Instruction) -> None:
        """Die on the spot."""
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def ledger(self, told: Instruction) -> None:
        """Testify that this run was here: one line in a file, in one write."""
        line = f"{self.env.get('ORANGE_TASK')} {self.env.get('ORANGE_RUN')} {os.getpid()} {time.time():.6f}\n"
        fd = os.open(told.rest, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(fd, line.encode())
        os.close(fd)

    def _call(self, argv: list[str], *, stdin: str | None = None, fine: tuple[int, ...] = (0,)) -> process.Result:
        data = None if stdin is None else stdin.encode()
        result = process.run(argv, env=self.env, stdin=data, timeout=PATIENCE)
        if result.status not in fine:
            _say(result.text + result.stderr)
            raise Failed(1, f"`{shlex.join(argv[:4])}` ended with exit code {result.status}")
        return result


ACTIONS: dict[str, Callable[[Agent, Instruction], None]] = {
    "append": Agent.append,
    "ask": Agent.ask,
    "commit": Agent.commit,
    "crash": Agent.crash,
    "create": Agent.create,
    "delegate": Agent.delegate,
    "fail": Agent.fail,
    "hang": Agent.hang,
    "leave": Agent.write,
    "ledger": Agent.ledger,
    "require": Agent.require,
    "run": Agent.run_command,
    "say": Agent.say,
    "section": Agent.section,
    "sleep": Agent.sleep,
    "spam": Agent.spam,
    "stubborn": Agent.stubborn,
    "work": Agent.work,
    "write": Agent.write,
}


def _say(text: str) -> None:
    text = text.strip("\n")
    if text:
        print(text, flush=True)  # noqa: T201 - its voice


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except OSError:
        return ""


def main(env: Mapping[str, str]) -> int:
    """Run the script; returns the exit code."""
    try:
        Agent(env).run()
    except BadScript as bad:
        print(f"orange script: {bad}", file=sys.stderr)  # noqa: T201 - its voice
        return 2
    except (Failed, process.ProgramMissing, process.TimedOut, OSError, ValueError) as failed:
        print(f"orange script: {failed}", file=sys.stderr)  # noqa: T201 - its voice
        return failed.code if isinstance(failed, Failed) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
