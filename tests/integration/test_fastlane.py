"""The fast lane over a real socket: the daemon answers as the whole command line would; what is off is left alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orange import __version__
from orange.adapters.daemon_socket import Server
from orange.cli import served
from orange.core.problems import NotAllowed
from orange.fastlane import asking
from tests.unit.cli_fake import FakeDoors, FakeProject, orange, task

ODD = task("a2b3c4d5", "odd", title='漢 "quoted" \x1b[31m\\ \n\udcff')
DOORS = FakeDoors(FakeProject(ODD, task("b2b3c4d5", "api")))


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A user whose daemon would listen in a short private folder."""
    with tempfile.TemporaryDirectory(prefix="o-") as folder:
        yield {"XDG_RUNTIME_DIR": folder}


@pytest.fixture
def daemon(environment: dict[str, str]) -> Iterator[list[Mapping[str, Any]]]:
    """A socket that serves questions, and what it was asked."""
    asked: list[Mapping[str, Any]] = []

    def handler(_name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(arguments)
        return served.command(arguments, DOORS, {})

    server = Server(f"{environment['XDG_RUNTIME_DIR']}/orange/daemon.sock", handler)
    server.start()
    yield asked
    server.stop()


@pytest.mark.parametrize(
    "line", ["task list --json", "task list --ready --body --json", "task show odd --json", "task why api --json",
             "task show nope --json"],
)  # fmt: skip
def test_both_lanes_give_the_same_answer(
    line: str, environment: dict[str, str], daemon: list[Mapping[str, Any]]
) -> None:
    """Byte for byte the same text and the same exit code, refusals included."""
    whole = orange(*line.split(), doors=DOORS)
    assert asking.ask(line.split(), environment) == (whole.status, whole.out.encode(), b"")
    assert len(daemon) == 1


@pytest.mark.parametrize(
    ("line", "version", "peer"),
    [
        ("task cancel api --json", __version__, 1),
        ("status --json", "0.0.0", 1),
        ("log", __version__, 1),
        ("task update api --priority low --json", __version__, 0),
    ],
)
def test_the_daemon_refuses_what_it_should_not_do(line: str, version: str, peer: int) -> None:
    """Other commands, other versions, and a change for nobody knows whom need the whole command line."""
    with pytest.raises(NotAllowed):
        served.command({"argv": line.split(), "cwd": "/", "version": version, "peer": peer}, DOORS, {})


def test_a_change_of_one_task_is_carried_out_for_the_process_that_asks(
    environment: dict[str, str], daemon: list[Mapping[str, Any]]
) -> None:
    """The daemon is told by the kernel which process asks, whatever the call itself says."""
    line = ["task", "update", "api", "--title", "New", "--json"]
    answer = asking.ask(line, environment)
    assert answer is not None
    assert b'"title": "New"' in answer[1]
    assert daemon[0]["peer"] == os.getpid()


def test_the_daemon_looks_where_the_line_was_typed(
    environment: dict[str, str], daemon: list[Mapping[str, Any]]
) -> None:
    """The folder of the question counts, not the daemon's own, and -C is read from there."""
    del DOORS.opened[:]
    asking.ask(["task", "list", "--json", "-C", "there"], environment)
    assert DOORS.opened == [os.path.join(os.getcwd(), "there")]


def test_without_a_daemon_the_whole_command_line_answers(environment: dict[str, str]) -> None:
    """No socket, no answer, no error."""
    assert asking.ask(["status", "--json"], environment) is None


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"{",
        b'{"error": "busy"}\n',
        b'{"status": 0, "answer": {"tasks": [',
        b"\xff\n",
        b'{"status": x, "answer": {}}\n',
        b'{"status": 0, "out": "half\n',
        b'{"status": 0, "out": "whole"}\n',
        b'{"status": 0, "out": "whole", "err": 3}\n',
    ],
)
def test_a_strange_answer_is_no_answer(reply: bytes, environment: dict[str, str]) -> None:
    """Whatever is not exactly an answer leaves the field to the whole command line."""
    folder = Path(environment["XDG_RUNTIME_DIR"]) / "orange"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "daemon.sock"))
        listening.listen(1)

        def serve() -> None:
            link, _ = listening.accept()
            with link:
                link.recv(1 << 16)
                link.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        assert asking.ask(["status", "--json"], environment) is None
        thread.join()


def test_an_answer_for_people_has_what_their_screen_can_show(daemon: list[Mapping[str, Any]]) -> None:
    """Columns, colours and signs are the asker's; what goes to standard error goes there."""
    del daemon
    line = {"argv": ["task", "list"], "cwd": "/", "version": __version__, "peer": 1}
    screen = {"columns": 40, "terminal": True, "color": True, "unicode": True, "errors": True}
    drawn = served.command({**line, "screen": screen}, DOORS, {})
    plain = served.command({**line, "screen": {"columns": 0, "terminal": False}}, DOORS, {})
    assert "\x1b[" in str(drawn["out"])
    assert "\x1b[" not in str(plain["out"])
    assert str(plain["out"]).isascii() is False, "the title is shown, the signs are plain"
    assert "●" not in str(plain["out"])
    refused = served.command({**line, "argv": ["task", "show", "nope"], "screen": screen}, DOORS, {})
    assert (refused["status"], refused["out"]) == (1, "")
    assert "nope" in str(refused["err"])


def test_the_lane_imports_next_to_nothing(environment: dict[str, str], daemon: list[Mapping[str, Any]]) -> None:
    """An answer of the daemon costs neither click nor the model nor json."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orange", "task", "list", "--json"],
        env={**environment, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == orange("task", "list", "--json", doors=DOORS).out
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    ours = {name for name in imported if name.startswith("orange")}
    assert ours == {"orange", "orange.fastlane", "orange.fastlane.asking"}
    assert imported & {"click", "json", "dataclasses", "socket", "typing"} == set()
