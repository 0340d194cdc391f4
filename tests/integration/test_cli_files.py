"""What the command line does with files: traces of bugs, installed skills, texts from an editor."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from orange import skillfiles
from orange.core.problems import Problem
from tests.unit.cli_fake import FakeDoors, FakeProject, orange, task

DB = task("a2b3c4d5", "db")


def test_a_bug_is_one_sentence_and_a_file(tmp_path: Path) -> None:
    """What should never escape exits with 3; the traceback is in a file, not on the screen."""
    doors = FakeDoors(bug=ZeroDivisionError("secret detail"))
    ended = orange("agents", doors=doors, env={"XDG_STATE_HOME": str(tmp_path)})
    assert ended.status == 3
    assert "Traceback" not in ended.err + ended.out
    (trace,) = (tmp_path / "orange" / "logs").iterdir()
    assert "ZeroDivisionError: secret detail" in trace.read_text()
    assert str(trace) in ended.err


def test_a_bug_with_json_is_a_json_error(tmp_path: Path) -> None:
    """With --json a bug is an error object too."""
    doors = FakeDoors(bug=ZeroDivisionError())
    ended = orange("agents", "--json", doors=doors, env={"XDG_STATE_HOME": str(tmp_path)})
    assert (ended.status, ended.json["error"]["code"]) == (3, "bug")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of skills that stands for orange's own."""
    for name in ("orange", "orange-worker"):
        folder = tmp_path / "shelf" / name / "references"
        folder.mkdir(parents=True)
        (folder.parent / "SKILL.md").write_text(f"---\nname: {name}\ndescription: For {name}.\n---\n\nDo.\n")
        (folder / "more.md").write_text("More.\n")
    monkeypatch.setattr(skillfiles, "own", lambda: str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.mark.parametrize(
    ("agent", "folder"),
    [
        ("claude", ".claude/skills"),
        ("codex", ".agents/skills"),
        ("gemini", ".agents/skills"),
        ("opencode", ".agents/skills"),
    ],
)
def test_skills_are_installed_where_the_agent_looks(shelf: Path, tmp_path: Path, agent: str, folder: str) -> None:
    """Every file of every skill arrives, and `skill list` then names the agent."""
    home = {"HOME": str(tmp_path / "home")}
    done = orange("skill", "install", "--agent", agent, "--json", env=home).json["skills"]
    assert {line["result"] for line in done} == {"installed"}
    assert (tmp_path / "home" / folder / "orange-worker" / "references" / "more.md").read_text() == "More.\n"
    listed = orange("skill", "list", "--json", env=home).json["skills"]
    assert [agent in one["installed"] for one in listed] == [True, True]
    assert listed[0]["description"] == "For orange."


def test_installing_again_updates_what_orange_left_and_keeps_what_somebody_changed(shelf: Path, tmp_path: Path) -> None:
    """Idempotent; a new version replaces an untouched file, a changed file stays and is named, --force replaces it."""

    def results(*flags: str) -> dict[str, str]:
        ended = orange("skill", "install", "--agent", "claude", "--json", *flags, env={"HOME": str(tmp_path)})
        return {"/".join(Path(line["path"]).parts[-2:]): line["result"] for line in ended.json["skills"]}

    results()
    assert set(results().values()) == {"unchanged"}
    (shelf / "orange" / "SKILL.md").write_text("new version")
    changed = tmp_path / ".claude/skills/orange-worker/SKILL.md"
    changed.write_text("mine")
    (shelf / "orange-worker" / "SKILL.md").write_text("new version too")
    again = results()
    assert (again["orange/SKILL.md"], again["orange-worker/SKILL.md"]) == ("updated", "kept")
    assert changed.read_text() == "mine"
    assert results()["orange-worker/SKILL.md"] == "kept"
    assert results("--force")["orange-worker/SKILL.md"] == "overwritten"
    assert changed.read_text() == "new version too"


def test_skills_go_into_the_project_when_asked(shelf: Path, tmp_path: Path) -> None:
    """--project without a name means this project, with one the registered one."""
    project = FakeProject(DB, root=str(tmp_path / "repo"))
    assert orange("skill", "install", "--agent", "claude", "--project", "--json", project=project).status == 0
    assert (tmp_path / "repo/.claude/skills/orange/SKILL.md").is_file()
    doors = FakeDoors(project, roots=("/x/there",))
    orange("skill", "install", "--agent", "claude", "--project", "there", doors=doors)
    assert doors.opened == ["/x/there"]


def editor(folder: Path, script: str) -> None:
    """Make $EDITOR a shell script; `$1` is the file."""
    path = folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    os.environ["EDITOR"] = str(path)


@pytest.fixture(autouse=True)
def _own_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "false")


def test_edit_opens_the_tasks_own_file(tmp_path: Path) -> None:
    """The editor gets the file itself, as a person who edits by hand would."""
    (tmp_path / "TASK.md").write_text("the file\n")
    editor(tmp_path, 'echo changed >> "$1"')
    project = FakeProject(DB, file=str(tmp_path / "TASK.md"))
    assert orange("task", "edit", "db", project=project).status == 0
    assert (tmp_path / "TASK.md").read_text() == "the file\nchanged\n"
    assert ("nudge", ("",)) in project.asked


def test_an_edit_that_is_not_believed_is_refused_with_its_reason(tmp_path: Path) -> None:
    """The file stays as it was left; the command says what is not believed, and what does it properly."""
    editor(tmp_path, "true")
    project = FakeProject(DB, file=str(tmp_path / "TASK.md"))
    project.problems = (Problem("TASK.md", 4, "status done is not believed", "use `orange task merge`"),)
    ended = orange("task", "edit", "db", "--json", project=project)
    assert (ended.status, ended.json["error"]["code"]) == (1, "edit_refused")
    assert "TASK.md:4: status done is not believed. Use `orange task merge`" in ended.json["error"]["message"]


def test_an_editor_that_fails_is_a_refusal(tmp_path: Path) -> None:
    """Nothing is assumed when the editor ends badly."""
    editor(tmp_path, "exit 3")
    assert orange("task", "edit", "db", project=FakeProject(DB, file=str(tmp_path / "x"))).status == 1


def test_create_with_the_editor_takes_the_first_line_as_the_title(tmp_path: Path) -> None:
    """The first line is the title, the rest the body; an empty first line creates nothing."""
    editor(tmp_path, 'printf "# Login page\\n\\n## Context\\n\\nWhy\\n" > "$1"')
    project = FakeProject(DB)
    assert orange("task", "create", "--edit", project=project).status == 0
    new = project.asked[0][1]
    assert (new.title, new.body) == ("Login page", "## Context\n\nWhy\n")
    editor(tmp_path, 'printf "\\n" > "$1"')
    assert orange("task", "create", "--edit", project=project).status == 1
    assert len(project.asked) == 1


def test_a_body_and_a_whole_file_are_read_as_they_are(tmp_path: Path) -> None:
    """--body-file and --from-file keep every byte; what cannot be read is refused by name."""
    (tmp_path / "body.md").write_bytes(b"a\r\nb")
    project = FakeProject(DB)
    assert orange("task", "create", "x", "--body-file", str(tmp_path / "body.md"), project=project).status == 0
    assert orange("task", "create", "--from-file", str(tmp_path / "body.md"), project=project).status == 0
    assert (project.asked[0][1].body, project.asked[1]) == ("a\r\nb", ("adopt", "a\r\nb"))
    ended = orange("task", "create", "x", "--body-file", str(tmp_path / "none.md"), project=project)
    assert ended.status == 1
    assert "none.md" in ended.err


def test_the_daemons_log_is_shown_from_its_end(tmp_path: Path) -> None:
    """The last lines are printed, with control characters visible."""
    (tmp_path / "log").write_text("one\ntwo\x1b[31m\nthree\n")
    doors = FakeDoors(log=str(tmp_path / "log"))
    assert orange("daemon", "logs", "-n", "2", "--json", doors=doors).json["log"] == ["two\x1b[31m", "three"]
    assert orange("daemon", "logs", "-n", "1", doors=doors).out == "three\n"


def test_json_is_ascii_whatever_a_file_says(tmp_path: Path) -> None:
    """Control characters and letters of any script are escaped in JSON, and come back whole."""
    odd = task("a2b3c4d5", "odd", title="漢\x1b[31m\udcff")
    ended = orange("task", "show", "odd", "--json", project=FakeProject(odd))
    assert ended.out.isascii()
    assert json.loads(ended.out)["task"]["title"] == odd.title
