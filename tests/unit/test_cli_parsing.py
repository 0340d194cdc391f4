"""How the command line is read."""

from __future__ import annotations

from typing import Any

import click
import pytest

from orange.cli import catalog
from orange.cli.app import CatalogGroup, root
from orange.cli.parsing import seconds
from orange.core.comments import Comment
from orange.core.lifecycle import Status
from orange.core.model import Priority
from orange.project.requests import Edit, Filter, NewTask
from tests.unit.cli_fake import FakeDoors, FakeProject, orange, task

DB, API = task("a2b3c4d5", "db"), task("b2b3c4d5", "api", blocked_by=("a2b3c4d5",))


def created(*argv: str, stdin: str = "") -> NewTask:
    """Return what `orange task create` asked for."""
    project = FakeProject(DB)
    ended = orange("task", "create", *argv, project=project, stdin=stdin)
    assert ended.status == 0, ended
    (what, new), *_ = project.asked
    assert what == "create"
    assert isinstance(new, NewTask)
    return new


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["Login"], {"name": "Login"}),
        (["login-page", "The login page"], {"name": "login-page", "title": "The login page"}),
        (["- a dash first"], {"name": "- a dash first"}),
        (["--dashes everywhere"], {"name": "--dashes everywhere"}),
        (["-v flag is broken", "--priority", "high"], {"name": "-v flag is broken", "priority": Priority.HIGH}),
        (["--", "--verbose"], {"name": "--verbose"}),
        (["x", "-1"], {"name": "x", "title": "-1"}),
        (["x", "--label", "a", "--label", "b"], {"labels": ("a", "b")}),
        (["x", "--label=a=b"], {"labels": ("a=b",)}),
        (["--blocked-by", "db", "x"], {"blocked_by": ("db",)}),
        (["x", "--criterion", "--no regressions"], {"acceptance_criteria": ("--no regressions",)}),
        (["x", "--backlog"], {"status": Status.BACKLOG}),
        (["x", "--body", "- text"], {"body": "- text"}),
        (["x", "--body", "-"], {"body": "from outside\n"}),
        (["x", "--body-file", "-"], {"body": "from outside\n"}),
        (["x", "--type", "bug", "--skill", "s", "--no-parent"], {"type": "bug", "skill": "s", "no_parent": True}),
        (
            ["x", "--requires", "docker", "--context-file", "a.py"],
            {"requires": ("docker",), "context_files": ("a.py",)},
        ),
    ],
)
def test_create_reads_words_options_and_prose_in_any_order(argv: list[str], wanted: dict[str, Any]) -> None:
    """Options stand anywhere, may be repeated, and prose may begin with a dash."""
    new = created(*argv, stdin="from outside\n")
    assert {key: getattr(new, key) for key in wanted} == wanted


@pytest.mark.parametrize(
    "argv",
    [
        ["task", "create"],
        ["task", "create", "--jsn", "Title"],
        ["task", "create", "x", "--body", "a", "--body-file", "b"],
        ["task", "create", "x", "--from-file", "b"],
        ["task", "create", "x", "--parent", "db", "--no-parent"],
        ["task", "create", "a", "b", "c"],
        ["task", "create", "x", "--priority", "urgent"],
        ["task", "update", "db"],
        ["task", "update", "db", "--tasks", "db", "--status", "backlog"],
        ["task", "update", "db", "--status", "finished"],
        ["task", "show"],
        ["task", "show", "--bogus"],
        ["task", "comment", "db", "--file", "a.py", "--text", "no"],
        ["task", "comment", "db", "--file", "a.py", "--line", "top", "--text", "no"],
        ["task"],
        ["tsk"],
        ["ask", "--wiat", "What now?"],
        ["answer", "db"],
        ["completion", "tcsh"],
    ],
)
def test_wrong_usage_ends_with_2_and_says_why_on_stderr_only(argv: list[str]) -> None:
    """A line that makes no sense changes nothing, exits with 2, and prints nothing to standard output."""
    project = FakeProject(DB)
    ended = orange(*argv, project=project)
    assert (ended.status, ended.out, project.asked) == (2, "", [])
    assert "orange" in ended.err


def test_wrong_usage_with_json_is_a_json_error() -> None:
    """With --json even wrong usage is one JSON object on standard output."""
    ended = orange("task", "update", "db", "--status", "finished", "--json", project=FakeProject(DB))
    assert ended.status == 2
    assert ended.json["error"]["code"] == "usage"
    assert ended.err == ""


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["staus"], "did you mean `orange status`?"),
        (["task", "lst"], "did you mean `orange task list`?"),
        (["create"], "did you mean `orange task create`?"),
        (["daemon", "strat"], "did you mean `orange daemon start`?"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest_name(argv: list[str], hint: str) -> None:
    """A misspelt command exits with 2 and names the one that was probably meant."""
    ended = orange(*argv)
    assert ended.status == 2
    assert hint in ended.err


@pytest.mark.parametrize(
    "argv",
    [
        ["-C", "/there", "task", "show", "db"],
        ["task", "-C", "/there", "show", "db"],
        ["task", "show", "-C", "/there", "db"],
        ["task", "show", "db", "-C", "/there"],
        ["--project", "there", "task", "show", "db"],
        ["task", "show", "db", "--project=there"],
        ["answer", "db", "-C", "/there", "- text"],
    ],
)
def test_the_project_is_chosen_anywhere_on_the_line(argv: list[str]) -> None:
    """-C PATH and --project NAME work before, between and after the words."""
    doors = FakeDoors(FakeProject(DB), roots=("/there", "/elsewhere"))
    assert orange(*argv, doors=doors).status == 0
    assert doors.opened == ["/there"]


@pytest.mark.parametrize("roots", [(), ("/a/there", "/b/there")])
def test_an_unknown_or_doubtful_project_name_is_refused(roots: tuple[str, ...]) -> None:
    """--project NAME must name exactly one registered project."""
    ended = orange("--project", "there", "status", doors=FakeDoors(FakeProject(DB), roots=roots))
    assert ended.status == 1
    assert "'there'" in ended.err


def test_the_task_may_be_left_out_inside_its_workspace() -> None:
    """Inside a workspace the workspace's task is meant; outside, leaving it out is wrong usage."""
    inside, outside = FakeProject(DB, API, here="b2b3c4d5"), FakeProject(DB, API)
    assert orange("task", "show", "--json", project=inside).json["task"]["name"] == "api"
    assert orange("task", "show", "--json", project=outside).status == 2


@pytest.mark.parametrize(
    ("argv", "asked"),
    [
        (["answer", "db", "--yes"], ("answer", ("db", "--yes"))),
        (["answer", "db", "-x"], ("answer", ("db", "-x"))),
        (["answer", "db", "-"], ("answer", ("db", "piped"))),
        (["ask", "- which one?"], ("ask", ("- which one?",))),
        (["ask", "--which"], ("ask", ("--which",))),
        (["task", "reject", "db", "--feedback", "--no"], ("reject", ("db", "--no"))),
        (["task", "reject", "db", "--feedback", "-"], ("reject", ("db", "piped"))),
        (["task", "reject", "db"], ("reject", ("db", ""))),
        (
            ["task", "comment", "db", "--file", "-a.py", "--line", "3", "--text", "--no"],
            ("comment", ("db", Comment("-a.py", 3, "--no"))),
        ),
        (["task", "approve", "db", "--commit", "3f2a"], ("approve", ("db", "3f2a"))),
        (["task", "release", "db", "--force"], ("release", ("db", True))),
        (["task", "run", "db", "--dirty-run"], ("run", ("db", False, True))),
        (["task", "write", "Handoff", "-", "--task", "db"], ("write a2b3c4d5", ("Handoff", "piped"))),
        (["config", "set", "limits.attempts", "-1"], ("config_set", ("limits.attempts", "-1", False))),
        (["daemon", "pause", "--reason", "lunch"], ("pause", ("lunch",))),
    ],
)
def test_prose_and_flags_reach_the_request_as_they_were_typed(argv: list[str], asked: tuple[str, Any]) -> None:
    """Free text may begin with a dash, `-` reads standard input, and flags arrive by meaning."""
    project = FakeProject(DB)
    orange(*argv, project=project, stdin="piped")
    assert asked in project.asked


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        ([], Filter()),
        (["--ready"], Filter(ready=True)),
        (["--status", "stuck", "--status", "done"], Filter(statuses=(Status.STUCK, Status.DONE))),
        (["--blocked", "--label", "x", "--session", "s"], Filter(blocked=True, label="x", session="s")),
        (["--parent", "db", "--all", "--tree"], Filter(parent="db", all=True)),
    ],
)
def test_list_asks_for_what_its_flags_say(argv: list[str], wanted: Filter) -> None:
    """Every filter flag becomes one condition."""
    project = FakeProject(DB)
    orange("task", "list", *argv, project=project)
    assert project.asked == [("list", wanted)]


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["--title", "-T"], Edit(title="-T")),
        (["--priority", "low", "--add-label", "a"], Edit(priority=Priority.LOW, add_labels=("a",))),
        (["--blocked-by", "api", "--unblock", "db"], Edit(block=("api",), unblock=("db",))),
        (["--status", "blocked"], Edit(status=Status.STUCK, reason="manual")),
        (["--status", "stuck", "--message", "why"], Edit(status=Status.STUCK, reason="manual", message="why")),
        (["--status", "ready"], Edit(status=Status.PENDING)),
    ],
)
def test_update_asks_for_what_its_flags_say(argv: list[str], wanted: Edit) -> None:
    """Statuses and the board's words become targets; the rest are free keys."""
    project = FakeProject(task("a2b3c4d5", "db", status=Status.BACKLOG), API)
    orange("task", "update", "db", *argv, project=project)
    assert project.asked == [("edit a2b3c4d5", wanted)]


@pytest.mark.parametrize(("text", "wanted"), [("90s", 90), ("10m", 600), ("2h", 7200), ("14d", 1209600), ("5", 5)])
def test_durations_are_read(text: str, wanted: int) -> None:
    """A duration is a number with a unit, or plain seconds."""
    assert seconds(text) == wanted


def every_command() -> list[tuple[str, Any]]:
    """List the words and the click command of everything in the catalog."""
    found = []
    for words in catalog.COMMANDS:
        command: Any = root
        for word in words.split():
            assert isinstance(command, CatalogGroup)
            command = command.get_command(None, word)  # type: ignore[arg-type]  # the context is not looked at
        found.append((words, command))
    return found


def test_every_command_begins_with_its_line_of_help_and_explains_its_options() -> None:
    """Each command's help begins with the catalog's line, and each option says what it is for."""
    above = click.Context(root, **root.context_settings)  # click keeps the first help option made: make the real one
    for words, command in every_command():
        assert command.help.startswith(catalog.COMMANDS[words].help.rstrip(".")), words
        assert command.get_help(click.Context(command, above, info_name=words))
        options = [param for param in command.params if isinstance(param, click.Option)]
        mute = [one.name for one in options if not one.help and not isinstance(one.type, click.Choice)]
        assert mute == [], words


def test_the_manual_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`orange --help` lists all of them, nested ones too."""
    assert orange("--help").status == 0
    shown = capsys.readouterr().out
    assert [words for words in catalog.COMMANDS if f"  {words} " not in shown] == []
