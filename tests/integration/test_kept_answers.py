"""A kept answer is given only while it is right: on a real project, after every kind of change."""

from __future__ import annotations

import io
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orange.cli.call import Call
from orange.cli.doors import RealDoors
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.fastlane import kept
from tests.unit.cli_fake import Screen

LIST = ("task", "list", "--ready", "--json")


@dataclass(frozen=True)
class Desk:
    """A real project, asked in this process."""

    repo: Path

    def orange(self, *argv: str, stdin: str = "") -> str:
        """Carry out a command line, which must succeed."""
        screen, errors = Screen(), Screen()
        call = Call(RealDoors(), Output(screen, errors, os.environ), io.StringIO(stdin), os.environ, time.time())
        assert guarded(argv, call) == 0, (screen.getvalue(), errors.getvalue())
        return screen.getvalue()

    def git(self, *argv: str) -> None:
        """Run git in the repository."""
        subprocess.run(["git", *argv], cwd=self.repo, check=True, capture_output=True, timeout=60)

    def lane(self) -> str | None:
        """Return the kept answer, if it holds."""
        found = kept.answer(LIST, os.environ)
        return None if found is None else bytes(found).decode()

    def keep(self) -> str:
        """Ask until the answer is kept: files may be too fresh at first."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            told = self.orange(*LIST)
            if self.lane() is not None:
                return told
            time.sleep(0.01)
        raise AssertionError("no answer was kept")

    def file(self, name: str) -> Path:
        """Return a task's file."""
        (found,) = (self.repo / ".orange" / "tasks").glob(f"**/{name}-*/TASK.md")
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project of three tasks, and a user of its own."""
    for name in ("state", "config", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    for variable, name in (("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config"), ("XDG_RUNTIME_DIR", "run")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    found = Desk(tmp_path / "repo")
    found.repo.mkdir()
    monkeypatch.chdir(found.repo)
    found.git("init", "-q", "-b", "main")
    found.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "--allow-empty", "-m", "Begin")
    found.orange("init")
    (found.repo / ".orange" / "config.yaml").write_text("format: 1\nagent: script\nreview: {by: none}\n")
    for line in (("db",), ("api",), ("ui", "--blocked-by", "db")):
        found.orange("task", "create", *line)
    return found


def in_place(desk: Desk) -> None:
    """Change as many bytes of a file, as an editor that writes in place."""
    with desk.file("db").open("r+b") as file:
        text = file.read()
        file.seek(text.index(b"title: "))
        file.write(b"title: Dx")


def made(folder: Path) -> None:
    """Make a task by hand."""
    folder.mkdir()
    task_id = folder.name.rpartition("-")[2]
    (folder / "TASK.md").write_text(f"---\nid: {task_id}\ntitle: Made by hand\nstatus: pending\n---\n")


def configured(desk: Desk) -> None:
    """Change the settings."""
    with (desk.repo / ".orange" / "config.yaml").open("a") as file:
        file.write("dispatch: {mode: sequential}\n")


def commands(*line: str) -> Callable[[Desk], object]:
    """Let orange change something."""
    return lambda desk: desk.orange(*line)


CHANGES: dict[str, Callable[[Desk], object]] = {
    "written in place": in_place,
    "made by hand": lambda desk: made(desk.repo / ".orange/tasks/made-h2w3x4y5"),
    "made by hand in a folder": lambda desk: made(desk.file("ui").parent.parent / "plan-p2w3x4y5"),
    "broken": lambda desk: desk.file("db").write_text("---\ntitle: [\n---\n"),
    "moved away": lambda desk: desk.file("api").parent.rename(desk.repo / "away"),
    "configured": configured,
    "updated": commands("task", "update", "db", "--priority", "low"),
    "cancelled": commands("task", "cancel", "db"),
    "created": commands("task", "create", "more"),
    "paused": commands("daemon", "pause", "--reason", "lunch"),
    "base renamed": lambda desk: desk.git("branch", "-m", "main", "trunk"),
    "agent changed": commands("config", "set", "agent", "claude"),
    "refs packed": lambda desk: desk.git("pack-refs", "--all"),
    "program added": lambda _: (Path(os.environ["PATH"].split(os.pathsep)[0]) / "gh").touch(0o755),
    "linked to a folder": lambda desk: (desk.repo / ".orange/tasks/link").symlink_to("/tmp"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_change_goes_unseen(
    desk: Desk, change: Callable[[Desk], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept answer is the whole command line's own, and is not given any more once anything changed."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    told = desk.keep()
    assert desk.lane() == told
    change(desk)
    assert desk.lane() is None
    now = desk.orange(*LIST)
    assert desk.lane() in {None, now}


def test_hand_edits_that_are_not_in_history_yet_are_no_hindrance(desk: Desk) -> None:
    """An answer is kept with edited, new and broken files in it, and only until one changes again."""
    in_place(desk)
    made(desk.repo / ".orange/tasks/made-h2w3x4y5")
    made(desk.repo / ".orange/tasks/torn-t2w3x4y5")
    (desk.repo / ".orange/tasks/torn-t2w3x4y5/TASK.md").write_text("---\ntitle: [\n---\n")
    told = desk.keep()
    assert "h2w3x4y5" in told
    assert desk.lane() == told
    (desk.repo / ".orange/tasks/made-h2w3x4y5/TASK.md").touch()
    assert desk.lane() is None


def test_a_child_made_by_hand_in_a_leaf_is_seen_within_a_poll_interval(desk: Desk) -> None:
    """The folder of a task without children is looked at when that was not done for a poll interval."""
    desk.keep()
    answer = desk.repo / ".git" / "orange" / kept.NAME
    made(desk.file("db").parent / "child-c2w3x4y5")
    os.utime(answer, (0, time.time() - kept.INTERVAL))
    assert desk.lane() is None


def test_a_look_at_the_leaves_counts_for_the_next_interval(desk: Desk) -> None:
    """An answer that was found to hold is young again, and stays the same."""
    told = desk.keep()
    answer = desk.repo / ".git" / "orange" / kept.NAME
    os.utime(answer, (0, 0))
    assert desk.lane() == told
    assert time.time() - answer.stat().st_mtime < 60


@pytest.mark.parametrize(
    ("variable", "value"), [("PATH", "/nowhere"), ("FEATURE_PRD_AUTO_APPROVE_REVIEW", "true"), ("HOME", "/nowhere")]
)
def test_another_environment_is_another_question(
    desk: Desk, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What settings and programs depend on must be as it was."""
    desk.keep()
    monkeypatch.setenv(variable, value)
    assert desk.lane() is None


def damaged(data: bytes) -> list[bytes]:
    """Return what a disk may make of a file."""
    middle = len(data) // 3
    return [b"", data[:20], data[:-1], data[:middle] + bytes(64) + data[middle + 64 :], b"x" + data[1:]]


def test_a_damaged_answer_is_none(desk: Desk) -> None:
    """Cut short, zeroed in part, or of another kind: the whole command line answers."""
    desk.keep()
    path = desk.repo / ".git" / "orange" / kept.NAME
    for data in damaged(path.read_bytes()):
        path.write_bytes(data)
        assert desk.lane() is None


@pytest.mark.parametrize(
    "line", [("task", "list", "--json"), ("task", "list", "--ready", "--json", "--all"), ("status",)]
)
def test_other_questions_have_no_kept_answers(desk: Desk, line: tuple[str, ...]) -> None:
    """Only the one question is kept."""
    desk.keep()
    assert kept.answer(line, os.environ) is None


def test_an_answer_is_found_from_below_and_from_a_worktree(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in the project one stands, the answer is the same; outside there is none."""
    (desk.repo / "src").mkdir()
    desk.git("worktree", "add", "-q", "--detach", "../tree")
    told = desk.keep()
    for folder in ("src", "../tree", ".orange"):
        monkeypatch.chdir(desk.repo / folder)
        assert desk.lane() == told
    monkeypatch.chdir("/")
    assert desk.lane() is None


def test_an_answer_that_time_alone_may_change_is_not_kept(desk: Desk) -> None:
    """A task that ran here may wait for its next attempt: nothing is kept while one is in the answer."""
    (desk.repo / ".git/orange/runs").mkdir(exist_ok=True)
    task_id: Any = desk.file("api").parent.name.rpartition("-")[2]
    (desk.repo / f".git/orange/runs/{task_id}-1").mkdir()
    for _ in range(3):
        time.sleep(0.03)
        desk.orange(*LIST)
        assert desk.lane() is None
