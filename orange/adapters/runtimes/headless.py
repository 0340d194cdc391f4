"""`python -P -m orange.adapters.runtimes.headless`: runs an agent's program and shows what it tells.

The program's standard output is a stream of events, one a line. It is kept as it came in `logs/agent.jsonl`, shown
readably in the terminal, and summed up in `agent.json`. This process ends as the program ended, except that a program
which reports its turn as failed and yet exits with 0 has failed. A provider's refusal that lasts is not waited for
here: the program is ended, and the daemon has the conversation continued when the time has come.

Started by the supervisor in the workspace, and by nothing else. Next in the flow: the supervisor reads `agent.json`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orange.adapters.runtimes import accounts
from orange.adapters.runtimes.events import Account, Began, Event, Limited, Said, Spent, Tokens, Unknown, summed
from orange.adapters.runtimes.registry import login, reader, recall, unheard
from orange.adapters.runtimes.rendering import Page
from orange.core import redact, runfiles

if TYPE_CHECKING:
    from types import FrameType

#: Seconds a provider's refusal may last while the program itself waits for its end.
WAIT = 10.0
#: Exit codes, as shells use them: the program is missing; it is to be tried again later.
MISSING, LATER = 127, 75
#: Seconds a program that was asked to end gets.
GRACE = 5.0
#: Seconds between two looks whether a silent program has ended.
SILENCE = 0.1
#: Bytes that what a program has left running may still say once the program itself has ended.
LAST_WORDS = 1 << 20
#: How often a program is started that says it was given no prompt.
STARTS = 3


class Headless:
    """One agent's program and what is known of it."""

    def __init__(self, folder: str, inner: Mapping[str, Any], before: Tokens, past: Mapping[str, Any]) -> None:
        """`past`: what this run's earlier steps told; empty for the first."""
        self._folder, self._read = folder, reader(inner["reader"])
        self.inner, self._past = inner, past
        self.account, self._page = Account(before), Page(inner["reader"], sys.stdout)
        self._pid = 0
        self._kill_at: float | None = None
        #: Whether the program got as far as its conversation.
        self.began = False
        self._status: int | None = None
        path = f"{folder}/{runfiles.STREAM}"
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self._raw = open(path, "ab", buffering=0)  # noqa: SIM115 - open as long as this process
        self._secrets = redact.of_environment(os.environ)
        self._masker, self._words = redact.Masker(self._secrets), redact.Masker(self._secrets)
        self._said = open(f"{folder}/{runfiles.SAID}", "ab", buffering=0)  # noqa: SIM115 - open as long as this process

    def run(self, argv: Sequence[str], prompt: str) -> int:
        """Run the program to its end; returns its exit code, negative for a signal. Raises OSError."""
        out, theirs = os.pipe()
        os.set_blocking(out, False)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, f"{self._folder}/{prompt}", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, theirs, 1),
        ]
        restored = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT]
        begun = time.time()
        try:
            self.began, self._status = False, None
            self._pid = os.posix_spawnp(argv[0], list(argv), os.environ, file_actions=actions, setsigdef=restored)
        finally:
            os.close(theirs)
        try:
            self._follow(out)
        finally:
            os.close(out)
            self._raw.write(self._masker.finish())
            self._said.write(self._words.finish())
            self._save()
        status = self._ended()
        self._remember(begun)
        return status

    def _remember(self, begun: float) -> None:
        """Read from the program's own files what it used, where it ended before it told all of it."""
        if self.account.session and self.account.failed is None:
            kept = recall(self.inner["reader"], os.environ, os.getcwd(), begun)
            accounts.take(self.account, (event for event in kept if isinstance(event, Spent)))
            self._save()

    def pass_on(self, number: int, _frame: FrameType | None) -> None:
        """Tell the program what this process was told."""
        if self._pid and self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _follow(self, out: int) -> None:
        """Read the stream until the program has ended, whoever else still holds its output open.

        All that it said itself is in the pipe when it has ended: no clock says when that was read.
        """
        rest, left = b"", LAST_WORDS
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while left > 0:
                self._look()  # before it is read: what it said last must not come after it
                ended = self._status is not None
                selector.select(0 if ended else SILENCE)
                data = self._more(out)
                if data == b"" or (ended and data is None):
                    break
                left -= len(data or b"") if ended else 0
                *lines, rest = (rest + (data or b"")).split(b"\n")
                for line in lines:
                    self._heard(line)
        self._heard(rest)

    def _more(self, out: int) -> bytes | None:
        """Read and keep what there is: None when there is nothing yet, empty at the end."""
        try:
            data = os.read(out, 1 << 16)
        except BlockingIOError:
            return None
        self._raw.write(self._masker.feed(data))
        return data

    def _ended(self) -> int:
        """Wait for the program's end, which mostly follows that of its output at once, and return its exit code."""
        pause = 0.001
        while self._status is None:
            time.sleep(pause)
            pause = min(2 * pause, SILENCE)
            self._look()
        return self._status

    def _look(self) -> None:
        """See whether the program has ended, and end one that was asked to and does not."""
        if self._status is not None:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._status = os.waitstatus_to_exitcode(status)
        elif self._kill_at is not None and time.monotonic() >= self._kill_at:
            os.kill(self._pid, signal.SIGKILL)

    def _heard(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            told = json.loads(line)
            events = tuple(self._read(told, time.time()))
        except (ValueError, KeyError, TypeError, AttributeError):  # not a line of the stream, or one of another form
            self._page.stray(line)
            return
        if any(isinstance(event, Began) for event in events):
            self.began = True
        self.account.take(events)
        self._page.show(events)
        self._keep_words(events)
        if any(isinstance(event, (Began, Spent, Limited)) for event in events):
            self._save()
        self._consider(events)

    def _keep_words(self, events: Sequence[Event]) -> None:
        """Keep what the agent says; a full disk loses the words, not the work."""
        said = (event.text if event.part else f"{event.text}\n\n" for event in events if isinstance(event, Said))
        if text := "".join(said):
            with contextlib.suppress(OSError):
                self._said.write(self._words.feed(text.encode("utf-8", "surrogatepass")))

    def _consider(self, events: Sequence[Event]) -> None:
        """End a program that would wait for its provider longer than is reasonable."""
        if self._kill_at is None and any(isinstance(event, Unknown) and event.waits for event in events):
            self._end()
        until = self.account.until
        told = any(isinstance(event, Limited) for event in events)
        if told and until is not None and until - time.time() > WAIT and self._kill_at is None:
            self._end()

    def _end(self) -> None:
        """Ask the program to end, and see to it that it does."""
        self._kill_at = time.monotonic() + GRACE
        os.kill(self._pid, signal.SIGTERM)

    def _save(self) -> None:
        """Write what is known."""
        told = summed(self.account.record(time.time()), self._past)
        accounts.save(self._folder, self.inner["reader"], told, self._secrets)

    def judge(self, status: int) -> int:
        """Say so where the program ended because nobody is logged in; returns its exit code."""
        known = login(self.inner["reader"])
        unknown = self.account.logged_out or (known is not None and known.status == status)
        if known is None or not unknown or (status == 0 and not self.account.failed):
            return status
        self.account.logged_out, self.account.error = True, str(known)
        print(f"! {known}", flush=True)  # noqa: T201 - for people, in the log
        self._save()
        return max(status, 1)

    @property
    def ended_for_limit(self) -> bool:
        """Whether this process ended the program because of a limit."""
        return self._kill_at is not None and not self.account.logged_out


def main() -> int:
    """Run the agent of the run, and of the step, that the environment names."""
    folder = f"{os.environ[runfiles.RUNTIME_MARK]}/runs/{os.environ[runfiles.RUN_MARK]}"
    with open(f"{folder}/{runfiles.SPEC}", encoding="utf-8", errors="surrogateescape") as file:
        told = json.load(file)
    steps = (told.get("course") or {}).get("steps", ())
    mark = os.environ.get(runfiles.STEP_MARK)
    step: Mapping[str, Any] = next((step for step in steps if step["name"] == mark), {})
    headless = _headless(folder, told, step)
    inner = headless.inner
    signal.signal(signal.SIGTERM, headless.pass_on)
    try:
        return _outcome(headless, headless.judge(_attempt(headless)))
    except (FileNotFoundError, PermissionError) as error:
        print(f"{inner['argv'][0]}: {error.strerror}", file=sys.stderr)  # noqa: T201 - for people, in the log
        return MISSING


def _headless(folder: str, told: Mapping[str, Any], step: Mapping[str, Any]) -> Headless:
    """Prepare the program; it goes on with the conversation of this run's earlier steps where that was its own."""
    command, past = step.get("command") or told["command"], accounts.read(folder)
    inner, session = command["inner"], past.get("session")
    spent = ((told["spec"]["resume"] or {}).get("spent") or {}) if inner["resumed"] else {}
    if session and step.get("continued") and past.get("agent") == inner["reader"]:
        inner = {**inner, "resumed": [word.replace(runfiles.SESSION, session) for word in step["continued"]]}
        spent = past["conversation_tokens"]
    return Headless(folder, _enclosed(inner, command["within"]), Tokens(**spent), past)


def _enclosed(inner: Mapping[str, Any], within: Sequence[str]) -> Mapping[str, Any]:
    """Put the agent's own program into what encloses it."""
    resumed = inner["resumed"] and [*within, *inner["resumed"]]
    return {**inner, "argv": [*within, *inner["argv"]], "resumed": resumed}


def _attempt(headless: Headless) -> int:
    """Continue the conversation; begin a new one when it turns out not to be there. Raises OSError."""
    inner = headless.inner
    if inner["resumed"]:
        status = _started(headless, inner["resumed"], runfiles.FOLLOWUP)
        account = headless.account
        if status <= 0 or account.limited or account.logged_out or headless.began:
            return status
        print("[the conversation is not there any more: beginning a new one]", flush=True)  # noqa: T201 - in the log
        headless.account = Account()
    return _started(headless, inner["argv"], runfiles.PROMPT)


def _started(headless: Headless, argv: Sequence[str], prompt: str) -> int:
    """Run the program; again where it ends because it did not wait for its prompt on a busy machine. Raises OSError."""
    status, starts = headless.run(argv, prompt), 1
    while status == unheard(headless.inner["reader"]) and not headless.began and starts < STARTS:
        print("[it says that it got no prompt, and has begun nothing: starting it again]", flush=True)  # noqa: T201 - in the log
        status, starts = headless.run(argv, prompt), starts + 1
    return status


def _outcome(headless: Headless, status: int) -> int:
    if headless.ended_for_limit:
        return LATER
    if status < 0:  # end the same way, so that the supervisor sees what happened
        with contextlib.suppress(OSError):  # of SIGKILL nobody can take charge
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status or int(bool(headless.account.failed))


if __name__ == "__main__":
    sys.exit(main())
