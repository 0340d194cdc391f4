"""The one door to other programs: argv lists only, a timeout always, output as bytes.

A configured command line runs as `sh -c COMMAND orange ARG...`, so that what fills its placeholders is data.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orange.core.problems import OrangeError

#: Seconds between two beats of an attended program, and those it gets to end when it is asked to.
BEAT, PARTING = 0.2, 20.0


class ProgramMissing(OrangeError):
    """A program that is not installed, or not executable."""

    code = "program_missing"
    http_status = 503

    def __init__(self, program: str) -> None:
        super().__init__(f"the program {program!r} is not installed or not executable: install it and try again")
        self.program = program


class TimedOut(OrangeError):
    """A program that took longer than it may; it was ended with its process group."""

    code = "timed_out"
    http_status = 504

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"`{' '.join(argv[:4])}` took longer than {seconds:g} s and was ended")


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended."""

    argv: tuple[str, ...]
    #: The exit code; negative for the number of the signal that ended it.
    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text, bytes that are not UTF-8 kept as surrogates."""
        return self.stdout.decode("utf-8", "surrogateescape")


def run(  # noqa: PLR0913 - a program's start has that many sides, all but one named
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = 60.0,
    keep: Sequence[int] = (),
) -> Result:
    """Run a program to its end. Raises ProgramMissing, TimedOut; a non-zero exit is a result.

    `keep` are descriptors the program inherits: a lock held through one lasts as long as the program, whoever dies.
    """
    try:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            pass_fds=keep,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        if error.filename == cwd:
            raise
        raise ProgramMissing(argv[0]) from error
    try:
        out, err = child.communicate(stdin, timeout)
    except BaseException as error:
        end_group(child.pid)
        _abandon(child)
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimedOut(argv, timeout) from error
        raise
    return Result(tuple(argv), child.returncode, out, err.decode("utf-8", "replace"))


def _abandon(child: subprocess.Popen[bytes]) -> None:
    """Wait for a killed program without reading on: somebody else may hold its pipes (a tmux server does)."""
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()


def shell(
    command: str,
    arguments: Sequence[str] = (),
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> Result:
    """Run a configured command line; `arguments` are its `$1`, `$2`, ... Raises TimedOut."""
    return run(["sh", "-c", command, "orange", *arguments], cwd=cwd, env=env, timeout=timeout)


def detach(argv: Sequence[str], *, cwd: str, env: Mapping[str, str], log: str) -> int:
    """Start a program in a session of its own, output appended to `log`; returns its process id."""
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=fd, stderr=fd, start_new_session=True
        )
    except FileNotFoundError as error:
        raise ProgramMissing(argv[0]) from error
    finally:
        os.close(fd)
    return child.pid


def attend(argv: Sequence[str], *, env: Mapping[str, str], log: str, beat: Callable[[], None]) -> int:
    """Run a program that knows how to end: its exit code, with `beat` called every now and then meanwhile.

    Whatever interrupts this asks the program to end, and waits for that. On Linux it is asked, too, should this process
    be killed. Its output goes to the log. Raises ProgramMissing, OSError.
    """
    with open(log, "ab") as output:
        try:
            child = subprocess.Popen(
                [*_with_us("TERM"), *argv],
                cwd="/",
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                process_group=0,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise ProgramMissing(argv[0]) from error
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(BEAT)
            beat()
    except BaseException:
        child.terminate()
        _seen_off(child)
        raise


def _seen_off(child: subprocess.Popen[bytes]) -> None:
    """Wait for a program that was asked to end, however often this is interrupted; kill it when that takes too long."""
    deadline = time.monotonic() + PARTING
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            child.wait(BEAT)
    end_group(child.pid)
    child.wait()


def end_group(pid: int) -> None:
    """Kill a process group, if it still exists."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


@functools.cache
def _with_us(number: str) -> tuple[str, ...]:
    """Return the words that send a program a signal when the one that starts it dies; none where that cannot be had."""
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    return (setpriv, "--pdeathsig", number, "--") if setpriv else ()
