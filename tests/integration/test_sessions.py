"""Sessions on a real tmux: isolated, exact, proven, and never the record."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from orange import proctable
from orange.adapters import process
from orange.adapters.sessions import TmuxExecutor, address
from orange.core import runfiles
from orange.core.activeskills import LINKED
from orange.core.model import Outcome, Presence
from orange.core.problems import SessionFailed
from orange.testing import tmux
from orange.testing.repos import until
from orange.testing.tmux import Place

RUN, SESSION = "k3f9x2ab-1", "demo-k3f9x2ab-1"
RUN_2 = "k3f9x2ab-2"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project with a tmux server of its own."""
    with tmux.place(tmp_path, os.environ) as made:
        yield made


def ask(place: Place, *args: str) -> str:
    """Ask the place's tmux."""
    answer = place.executor.server.cmd(*args)
    assert answer.ok, answer.stderr
    return "\n".join(answer.stdout)


def server_pid(place: Place) -> int:
    """The process of the place's tmux server."""
    return int(ask(place, "display-message", "-p", "#{pid}"))


def busy(place: Place, run: str = RUN, command: str = "echo up; exec cat") -> str:
    """Start a run and wait until its agent speaks."""
    session = place.start(run, command)
    until(lambda: "up" in place.read(run, runfiles.OUTPUT))
    return session


# -- the server


def test_the_server_is_the_projects_own(place: Place) -> None:
    """Its socket lies in a private folder, and a bare `tmux kill-server` of an agent reaches another server."""
    folder = Path(place.executor.server.path).parent
    busy(place, RUN, f"TMUX_TMPDIR={folder.parent} tmux kill-server; echo up; exec cat")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert place.executor.observe() == {SESSION: "$0"}


def test_sessions_keep_their_size_whoever_looks(place: Place) -> None:
    """A tiny terminal that joins, and a session started meanwhile, leave every session at 200 by 50."""
    busy(place)
    with attached(place, SESSION, rows=2, columns=10):
        until(lambda: ask(place, "display-message", "-p", "-t", f"={SESSION}:", "#{session_attached}") == "1")
        busy(place, RUN_2, "stty size; echo up; exec cat")
        sizes = ask(place, "list-windows", "-a", "-F", "#{window_width}x#{window_height}")
    assert sizes.split() == ["200x50", "200x50"]
    assert "50 200" in place.read(RUN_2, runfiles.OUTPUT)


def test_a_session_that_is_resized_tells_its_agent(place: Place) -> None:
    """The agent's terminal follows the session's."""
    session = busy(place, RUN, "trap 'stty size' WINCH; echo up; while :; do sleep 0.1; done")
    ask(place, "resize-window", "-t", f"={session}:", "-x", "120", "-y", "40")
    until(lambda: "40 120" in place.read(RUN, runfiles.OUTPUT))


def test_the_server_inherits_nothing_that_says_it_is_inside(tmp_path: Path) -> None:
    """Started from within an agent, a tmux, a hook or another run, the server and its agents know nothing of it."""
    inside = {"TMUX": "/x,1,0", "CLAUDECODE": "1", "GIT_DIR": "/x", "ORANGE_RUN": "other-1", "ORANGE_TASK": "other"}
    with tmux.place(tmp_path, {**os.environ, **inside, "KEPT": "y"}) as place:
        busy(place, RUN, "env; echo up; exec cat")
        known = ask(place, "show-environment", "-g").splitlines()
        assert "KEPT=y" in known
        assert not [line for line in known if line.partition("=")[0] in inside]
        said = place.read(RUN, runfiles.OUTPUT).splitlines()
        assert "ORANGE_TASK=k3f9x2ab" in said
        assert not [line for line in said if line.startswith(("TMUX=", "CLAUDECODE=", "GIT_DIR="))]


def test_hostile_folders_and_programs_are_only_names(tmp_path: Path) -> None:
    """A project and a Python whose paths are full of formats, separators and spaces start runs, and nothing else."""
    root = tmp_path / "#(touch f) #{pid} $(touch g); 'x"
    python = tmp_path / "bin dir" / "py;"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    with tmux.place(root, os.environ, python=str(python)) as place:
        place.start(RUN, "echo hello > said.txt")
        assert place.ended(RUN).outcome is Outcome.FINISHED
        assert Path(place.workspace, "said.txt").read_text() == "hello\n"
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if name in {"f", "g"}]


def test_many_may_start_the_first_session_at_once(place: Place) -> None:
    """Whoever starts the server, every session is there, once."""
    runs = [f"k3f9x2ab-{epoch}" for epoch in range(1, 9)]
    for run in runs:
        place.prepare(run, "exec cat")
    threads = [threading.Thread(target=place.executor.start, args=(run, f"demo-{run}")) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(place.executor.observe() or {}) == {f"demo-{run}" for run in runs}


def test_starting_works_while_a_server_ends(place: Place, times: Callable[[int], int]) -> None:
    """A server that is just ending, killed or with its last session, delays a start and fails none."""
    for epoch in range(1, times(8) + 1):
        place.start(f"k3f9x2ab-{epoch}", "exec cat")
        process.run(place.executor.server.argv("kill-server"), env=place.executor.server.env)
    session = place.start("h7d2m4qe-1", "exec cat")
    assert session in (place.executor.observe() or {})
    place.executor.stop("h7d2m4qe-1", session, 5.0)
    for epoch in range(1, times(8) + 1):
        place.start(f"p9w3c6tz-{epoch}", "true")
        until(lambda epoch=epoch: place.read(f"p9w3c6tz-{epoch}", runfiles.RESULT))  # type: ignore[misc]  # bound here on purpose


def test_the_server_ends_with_its_last_session(place: Place) -> None:
    """Nothing of tmux is left when no run is."""
    session = busy(place)
    identity = proctable.identify(server_pid(place))
    place.executor.stop(RUN, session, 5.0)
    assert proctable.wait_gone(identity, 30.0)


def test_without_tmux_nothing_can_be_told(tmp_path: Path) -> None:
    """A missing program is a refusal in words, and no observation that everything is gone."""
    with tmux.place(tmp_path, os.environ) as place:
        busy(place)
        blind = TmuxExecutor(place.layout, str(tmp_path / "s"), sys.executable, {"PATH": "/nowhere"})
        server = blind.server
        assert server.path == place.executor.server.path
        # The program is looked up on this process's PATH.
        path, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
        try:
            assert blind.observe() is None
            assert blind.tail(SESSION, 3) is None
            place.prepare(RUN_2, "true")
            with pytest.raises(SessionFailed, match="tmux"):
                blind.start(RUN_2, "demo-k3f9x2ab-2")
        finally:
            os.environ["PATH"] = path


def _made(place: Place) -> list[str]:
    """List what a run made in its workspace; its skills are linked there, too."""
    return sorted(set(os.listdir(place.workspace)) - {linked.partition("/")[0] for linked in LINKED})


def test_a_server_that_does_not_answer_is_unknown_not_gone(tmp_path: Path) -> None:
    """While tmux is stopped a look says neither there nor gone; a start that fails then does not happen later."""
    with tmux.place(tmp_path, os.environ, patience=1.0) as place:
        session = busy(place)
        for _ in range(3):
            assert place.executor.observe() == {session: "$0"}
        pid = server_pid(place)
        os.kill(pid, signal.SIGSTOP)
        until(lambda: (row := proctable.look(pid)) and row.state == "T")
        try:
            assert place.executor.observe() is None
            assert place.executor.observe() is None
            place.prepare(RUN_2, "touch started")
            with pytest.raises(SessionFailed, match="took longer"):
                place.executor.start(RUN_2, "demo-k3f9x2ab-2")
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: place.executor.observe() == {session: "$0"})
        assert _made(place) == []
        assert not Path(place.runs.folder(RUN_2), runfiles.LAUNCHED).exists()


# -- what happens to sessions


def test_an_agent_that_fails_under_a_shell_is_seen(place: Place) -> None:
    """An exit code of 1 ends the session and is the result, whatever wraps the agent."""
    place.start(RUN, "sh -c 'sh -c \"exit 1\"'")
    record = place.ended(RUN)
    assert (record.outcome, record.exit_code) == (Outcome.FAILED, 1)
    until(lambda: place.executor.observe() == {})


def test_the_server_outlives_its_sessions_for_a_moment_and_ends_by_itself(place: Place) -> None:
    """A session soon after the last one finds the server running; nobody has to be there to end it."""
    session = busy(place)
    keeper = proctable.identify(server_pid(place))
    assert place.executor.stop(RUN, session, 0.1) is Presence.GONE
    until(lambda: place.executor.observe() == {})
    session = busy(place, RUN_2)
    assert server_pid(place) == keeper.pid
    ask(place, "run-shell", "-b", "-d", str(address.LINGER), "-C", "set-option -g @later yes")
    until(lambda: ask(place, "show-options", "-gqv", "@later") == "yes")
    assert set(place.executor.observe() or ()) == {session}
    assert place.executor.stop(RUN_2, session, 0.1) is Presence.GONE
    until(lambda: not place.executor.server.listening())
    assert proctable.wait_gone(keeper, 30)


def test_shutting_down_ends_a_server_without_sessions_and_no_other(place: Place) -> None:
    """What still runs goes on; what holds nothing does not stay behind."""
    session = busy(place)
    place.executor.shut_down()
    assert place.executor.observe() == {session: "$0"}
    assert place.executor.stop(RUN, session, 0.1) is Presence.GONE
    until(lambda: place.executor.observe() == {})
    server = proctable.identify(server_pid(place))
    place.executor.shut_down()
    until(lambda: not place.executor.server.listening())
    assert proctable.wait_gone(server, 30)


def test_the_last_screen_survives(place: Place) -> None:
    """What the session showed at its end is kept beside the whole log."""
    place.start(RUN, "echo first; seq 100; echo last words")
    place.ended(RUN)
    assert "last words" in place.read(RUN, runfiles.SCREEN)
    assert "first" in place.read(RUN, runfiles.OUTPUT)


def test_killing_the_server_is_a_crash_that_touches_no_workspace(place: Place) -> None:
    """SIGKILL of tmux under agents: no sessions, agents dead, outcome recorded, files as they were."""
    runs = ["k3f9x2ab-1", RUN_2]
    for run in runs:
        busy(place, run, f"echo half > {run}.txt; echo up; exec cat")
    proctable.send(proctable.identify(server_pid(place)), signal.SIGKILL)
    until(lambda: place.executor.observe() == {})
    assert [place.ended(run).outcome for run in runs] == [Outcome.CRASHED] * 2
    until(lambda: not place.marked())
    assert sorted(os.listdir(place.workspace)) == [f"{run}.txt" for run in runs]
    assert place.executor.stop(RUN, SESSION, 1.0) is Presence.GONE


def test_an_interpreter_that_is_gone_says_so(tmp_path: Path) -> None:
    """When not even the supervisor can start, the run's record carries the shell's complaint."""
    with tmux.place(tmp_path, os.environ, python=str(tmp_path / "no-python")) as place:
        place.start(RUN, "true")
        until(lambda: place.executor.observe() == {})
        record = place.runs.record(RUN)
        assert record
        assert (record.launched, record.outcome) == (False, None)
        assert "no-python" in str(record.message)


def test_looking_often_needs_no_process_and_sees_the_same(place: Place) -> None:
    """A session that begins or ends is seen at once; in between tmux is not asked."""
    sessions = [busy(place, f"k3f9x2ab-{epoch}") for epoch in (1, 2, 3)]
    for left in range(3, 0, -1):
        for _ in range(4):
            assert set(place.executor.observe() or {}) == set(sessions[3 - left :])
        place.executor.stop(f"k3f9x2ab-{4 - left}", sessions[3 - left], 5.0)
    assert place.executor.observe() == {}
    again = busy(place, "k3f9x2ab-4")
    for _ in range(4):
        assert set(place.executor.observe() or {}) == {again}


def test_while_nothing_changes_tmux_is_not_asked(place: Place) -> None:
    """And nobody stays attached: tmux crashes, with all sessions, when one begins while such a client attaches."""
    sessions = [busy(place, f"k3f9x2ab-{epoch}") for epoch in (1, 2)]
    for _ in range(3):
        assert set(place.executor.observe() or {}) == set(sessions)
    assert not ask(place, "list-clients")
    own = place.executor.server.env
    nowhere = {**own, "PATH": "/nowhere"}
    place.executor.server.env = nowhere
    assert set(place.executor.observe() or {}) == set(sessions)
    place.executor.server.env = own
    ask(place, "split-window", "-d", "-t", f"={sessions[0]}:", "exec sleep 600")
    place.executor.server.env = nowhere
    assert place.executor.observe() is None
    place.executor.server.env = own
    for _ in range(3):
        assert set(place.executor.observe() or {}) == set(sessions)


def test_sessions_that_end_at_once_are_not_kept(place: Place) -> None:
    """Of some of them tmux leaves a dead child that it never waits for: such a child is no session."""
    session = busy(place, "k3f9x2ab-1")
    for number in range(20):
        ask(place, "new-session", "-d", "-s", f"short-{number}", "true")
        until(lambda: set(place.executor.observe() or {}) == {session})


def test_several_threads_may_look_at_once(place: Place) -> None:
    """Answers are not mixed up."""
    sessions = {busy(place, f"k3f9x2ab-{epoch}") for epoch in (1, 2)}
    seen: list[bool] = []

    def look() -> None:
        seen.extend(set(place.executor.observe() or {}) == sessions for _ in range(30))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 120


# -- ending


def test_what_detached_itself_is_dead_before_a_run_is_gone(place: Place) -> None:
    """Gone means that no process of the run is left, in whatever session it hid, deaf to whatever signal."""
    hidden = "setsid sh -c \"trap '' TERM HUP; while :; do sleep 1; done\" & "
    session = busy(place, RUN, hidden + "trap '' TERM HUP; echo up; while :; do sleep 1; done")
    begun = time.monotonic()
    assert place.executor.stop(RUN, session, 2.0) is Presence.GONE
    assert time.monotonic() - begun < 30
    assert not place.marked()
    assert place.ended(RUN).outcome is Outcome.STOPPED


def test_an_agent_that_outlives_its_supervisor_is_found(place: Place) -> None:
    """A dead supervisor is no dead agent: gone is said only when the deaf orphan is dead too."""
    session = busy(place, RUN, "trap '' TERM HUP; echo up; while :; do sleep 0.1; done")
    supervisor, agent = place.identities(RUN) or (0, 0)
    identity = proctable.identify(agent)
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: place.executor.observe() == {})
    assert proctable.alive(identity)
    assert place.executor.stop(RUN, session, 1.0) is Presence.GONE
    assert proctable.alive(identity) is False
    assert not place.marked()


def test_a_stopped_supervisor_is_killed_in_the_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that cannot act on anything is proven dead."""
    monkeypatch.setattr("orange.adapters.sessions.ending.SETTLING", 0.5)
    session = busy(place)
    supervisor, _ = place.identities(RUN) or (0, 0)
    os.kill(supervisor, signal.SIGSTOP)
    assert place.executor.stop(RUN, session, 0.5) is Presence.GONE
    assert not place.marked()


def test_a_run_of_the_same_name_in_another_clone_is_left_alone(tmp_path: Path) -> None:
    """Two clones on one machine share task ids: ending a run ends this clone's only."""
    with tmux.place(tmp_path / "a", os.environ) as one, tmux.place(tmp_path / "b", os.environ) as other:
        for place in (one, other):
            busy(place)
        assert one.executor.server.path != other.executor.server.path
        assert one.executor.stop(RUN, SESSION, 5.0) is Presence.GONE
        assert other.executor.observe() == {SESSION: "$0"}
        assert other.marked()


def test_a_pid_given_out_again_is_not_the_supervisor(place: Place) -> None:
    """A record whose process is another one by now leads to nobody's end."""
    place.prepare(RUN, "true")
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        record = proctable.identify(stranger.pid)._replace(started=1)._asdict() | {"agent": None}
        Path(place.runs.folder(RUN), runfiles.SUPERVISOR).write_text(json.dumps(record))
        assert place.executor.stop(RUN, SESSION, 0.5) is Presence.GONE
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_run_may_ask_for_its_own_end(place: Place, tmp_path: Path) -> None:
    """A process of the run itself asks and is still there to say so; the end follows."""
    script = tmp_path / "ask.py"
    script.write_text(f"""
import os, time
from orange.adapters.sessions import TmuxExecutor, address
from orange.core.layout import Layout
executor = TmuxExecutor(Layout({place.layout.root!r}, {place.layout.common!r}), {str(tmp_path / "s")!r}, "", os.environ)
print("said", executor.stop({RUN!r}, {SESSION!r}, 5.0), flush=True)
time.sleep(600)
""")
    place.start(RUN, f"{sys.executable} -P {script}", stall=10)
    assert place.ended(RUN).outcome is Outcome.STOPPED
    assert "said there" in place.read(RUN, runfiles.OUTPUT)


# -- looking and typing


def test_the_tail_is_the_end_of_what_was_said(place: Place) -> None:
    """Lines that scrolled off belong to it; trailing empty ones do not."""
    session = busy(place, RUN, "seq 1000; echo up; exec cat")
    until(lambda: str(place.executor.tail(session, 3)).endswith("up"))
    assert place.executor.tail(session, 3) == "999\n1000\nup"
    assert str(place.executor.tail(session, 400)).startswith("602\n")
    assert place.executor.tail(session, 0) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a plain sentence",
        "ends with a semicolon;",
        "#(touch f) #{pid} $(touch g) `touch h` %1 'quotes\" \\ C-c Enter",
        "-flag",
        "ünïcödé → ✓",
        "x" * 20_000,
    ],
)
def test_what_is_said_arrives_as_it_is(place: Place, text: str) -> None:
    """Nothing is lost, expanded or taken for a key, however long; and it is submitted."""
    session = busy(place, RUN, "stty -icanon; echo up; exec cat > heard.txt")
    assert place.executor.say(session, text)
    heard = Path(place.workspace, "heard.txt")
    until(lambda: heard.exists() and heard.read_text().endswith("\n"))
    assert heard.read_text() == f"{text}\n"
    assert _made(place) == ["heard.txt"]


def test_escapes_in_what_is_said_are_not_typed(place: Place) -> None:
    """The sequence that would end the paste, and control characters, are left out."""
    session = busy(place, RUN, "stty -icanon; echo up; exec cat > heard.txt")
    assert place.executor.say(session, "one\x1b[201~\x03\x04two")
    heard = Path(place.workspace, "heard.txt")
    until(lambda: heard.exists() and heard.read_text().endswith("\n"))
    assert heard.read_text() == "one[201~two\n"


def test_what_is_not_shown_has_not_arrived(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that shows nothing of what is typed gives no proof."""
    monkeypatch.setattr("orange.adapters.sessions.keyboard.PATIENCE", 0.5)
    session = busy(place, RUN, "stty -echo; echo up; sleep 600")
    assert not place.executor.say(session, "hello")


def test_scrolling_back_swallows_nothing(place: Place) -> None:
    """Somebody who looks at what was said before does not keep the text from arriving."""
    session = busy(place, RUN, "stty -icanon; seq 300; echo up; exec cat > heard.txt")
    ask(place, "copy-mode", "-t", f"={session}:")
    assert place.executor.say(session, "hello")
    until(lambda: Path(place.workspace, "heard.txt").read_text() == "hello\n")


class attached:  # noqa: N801 - used as a context manager, like a function
    """A terminal of some size that has joined a session."""

    def __init__(self, place: Place, session: str, *, rows: int = 50, columns: int = 200) -> None:
        self._argv = list(place.executor.attach(session))
        self._size = (rows, columns)
        self.seen = b""

    def __enter__(self) -> Self:
        import fcntl
        import struct
        import termios

        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        env = {**os.environ, "TERM": "xterm", "TMUX": "/inside/another,1,0"}
        self._child = subprocess.Popen(
            self._argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        return self

    def shows(self, text: bytes) -> bool:
        """Whether the text has been shown."""
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        return text in self.seen

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.wait(20)
        os.close(self.master)


def test_a_person_joins_and_types(place: Place) -> None:
    """From inside another tmux too: the screen is shown and keys, control keys included, reach the agent."""
    session = busy(
        place, RUN, "trap 'echo interrupted; exit 9' INT; echo up; while :; do read line; echo got $line; done"
    )
    with attached(place, session) as terminal:
        until(lambda: terminal.shows(b"up"))
        os.write(terminal.master, b"hello\r")
        until(lambda: terminal.shows(b"got hello"))
        os.write(terminal.master, b"\x03")
        record = place.ended(RUN)
    assert record.exit_code == 9
    assert "interrupted" in place.read(RUN, runfiles.OUTPUT)
