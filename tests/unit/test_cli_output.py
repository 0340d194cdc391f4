"""What the command line prints, for people and for programs, and how it ends."""

from __future__ import annotations

import io
import threading
from threading import Event
from typing import Any

import pytest

from orange.cli.output import Output
from orange.cli.render import Style, age, task_tree
from orange.cli.table import Cell, Column, clip, layout, width_of
from orange.cli.task_record import complete_lines
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Stuck
from tests.unit.cli_fake import NOON, WAITS, FakeDoors, FakeProject, Refused, orange, task

DB = task("a2b3c4d5", "db", status=Status.DONE)
API = task("b2b3c4d5", "api", blocked_by=("c2b3c4d5",))
BIG = task("c2b3c4d5", "big", status=Status.DELEGATED, title="漢字 and \x1b]0;evil\x07\nmore")
PART = task("d2b3c4d5", "part", status=Status.DONE, parent="c2b3c4d5")
REST = task("e2b3c4d5", "rest", parent="c2b3c4d5")
ASKING = task("f2b3c4d5", "ask", status=Status.STUCK, stuck=Stuck(StuckReason.QUESTION, "which?", None, ""))
ALL = (DB, API, BIG, PART, REST, ASKING)
PLAIN = Style(None, lambda text, _shade: text, True, NOON)


@pytest.mark.parametrize(
    ("argv", "key"),
    [
        (["task", "list"], "tasks"),
        (["task", "show", "api"], "task"),
        (["task", "create", "x"], "task"),
        (["task", "update", "api", "--title", "y"], "task"),
        (["task", "update", "--tasks", "api,rest", "--title", "y"], "tasks"),
        (["task", "cancel", "api"], "task"),
        (["task", "remove", "api"], "task"),
        (["task", "write", "Plan", "x", "--task", "api"], "task"),
        (["task", "why", "api"], "waiting"),
        (["task", "events", "api"], "events"),
        (["task", "diff", "api"], "diff"),
        (["task", "log", "api"], "log"),
        (["answer", "api", "yes"], "task"),
        (["ask", "what?"], "task"),
        (["status"], "projects"),
        (["forecast"], "conflicts"),
        (["stats"], "total"),
        (["init"], "project"),
        (["agents"], "agents"),
        (["trust"], "tasks"),
        (["daemon", "status"], "daemon"),
        (["daemon", "start"], "daemon"),
        (["daemon", "stop"], "stopped"),
        (["daemon", "logs"], "log"),
        (["config", "validate"], "problems"),
        (["skill", "list"], "skills"),
        (["completion", "fish"], "script"),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_with_json_there_is_nothing_but_one_json_value(argv: list[str], key: str, terminal: bool) -> None:
    """--json prints exactly one object with the documented key, on a terminal too, and nothing on stderr."""
    ended = orange(*argv, "--json", project=FakeProject(*ALL, here="b2b3c4d5"), terminal=terminal)
    assert ended.status == 0
    assert key in ended.json
    assert ended.err == ""


def test_why_prints_what_it_waits_for_since_when_on_what_evidence_and_the_remedy() -> None:
    """`why` says all four for people, and carries them as JSON."""
    project = FakeProject(REST)
    text = orange("task", "why", "rest", project=project).out
    assert all(part in text for part in ("no slot is free (for 1h)", "3 of 3 in use", "remedy: orange status"))
    assert orange("task", "why", "rest", "--json", project=project).json == {"task": "e2b3c4d5", "waiting": [WAITS]}


def test_status_shows_the_daemon_what_waits_and_what_is_wrong() -> None:
    """One screen names the daemon, slots, base, each waiting task and each problem with its hint."""
    ended = orange("status", project=FakeProject(REST))
    for part in ("process 42", "1 free, 3 total", "2 commits behind: a.txt is changed", "e2b3c4d5 no slot is free",
                 "tasks/x/TASK.md:3: unknown status", "hint: write pending"):  # fmt: skip
        assert part in ended.out


def test_status_as_json_has_the_documented_shape() -> None:
    """The daemon's part carries its five keys, whatever the daemon itself says."""
    found = orange("status", "--json", project=FakeProject(REST), doors=None).json
    assert found["daemon"] == {"running": True, "pid": 42, "url": None, "paused": False, "pause_reason": None}
    assert set(found["projects"][0]) == {"name", "path", "counts", "slots", "base", "waiting", "problems"}


def test_status_outside_of_a_project_shows_the_registered_ones_or_refuses() -> None:
    """Without a project and without registered ones there is nothing to show, and it says how to begin."""
    ended = orange("status")
    assert ended.status == 1
    assert "orange init" in ended.err


def test_control_characters_from_files_are_made_visible() -> None:
    """Nothing that a title or a body says reaches the terminal as a command."""
    for argv in (["task", "list"], ["task", "show", "big"], ["task", "list", "--tree"], ["task", "events", "big"]):
        out = orange(*argv, project=FakeProject(BIG)).out
        assert "\x1b" not in out
        assert "\x07" not in out


def test_colour_is_for_terminals_and_no_color_turns_it_off() -> None:
    """A file or a pipe gets plain text; a terminal gets colour unless NO_COLOR is set."""
    project = FakeProject(*ALL)
    assert "\x1b[" in orange("task", "list", project=project, terminal=True).out
    assert "\x1b[" not in orange("task", "list", project=project, terminal=True, env={"NO_COLOR": "1"}).out
    assert "\x1b[" not in orange("task", "list", project=project).out


def test_the_table_shows_states_symbols_progress_and_ages() -> None:
    """Each row says its state in words and by a symbol, and how old the task is."""
    lines = orange("task", "list", project=FakeProject(*ALL)).out.splitlines()
    assert lines[0].split() == ["STATE", "ID", "PRIORITY", "NAME", "TITLE", "AGE", "WAITS", "FOR"]
    shown = "\n".join(lines)
    for part in ("✓ done", "⊘ blocked", "◎ delegated (1/2)", "○ ready", "✗ stuck: question", " 3h"):
        assert part in shown


def views(*tasks: Any) -> list[dict[str, Any]]:
    """Return the JSON objects of tasks."""
    project = FakeProject(*tasks)
    return [project.view(one.id, body=False) for one in tasks]


def test_the_tree_shows_children_beneath_their_parents() -> None:
    """Children hang below their parent by twigs, whatever order they come in."""
    names = [line.split("  medium    ")[1].split("  ")[0] for line in task_tree(views(PART, BIG, REST, DB), PLAIN)[1:]]
    assert [name.strip() for name in names] == ["big", "├─ part", "└─ rest", "db"]


def test_a_tree_of_any_depth_and_even_a_circle_is_shown_whole() -> None:
    """Nesting is unlimited, and tasks that are each other's parents still appear."""
    chain = [{"id": f"{i}", "name": "n", "status": "done", "parent": f"{i - 1}" if i else None} for i in range(1200)]
    assert len(task_tree(chain, PLAIN)) == 1201
    circle = [task("a2b3c4d5", "a", parent="b2b3c4d5"), task("b2b3c4d5", "b", parent="a2b3c4d5")]
    assert len(task_tree(views(*circle), PLAIN)) == 3


def test_columns_line_up_by_screen_width_and_flexible_ones_give_way() -> None:
    """A wide character counts two cells, a combining one none; only flexible columns are cut."""
    columns = (Column("A"), Column("B", flexible=True), Column("C"))
    rows = [(Cell("漢字"), Cell("x" * 50), Cell("end")), (Cell("e\u0301"), Cell("y"), Cell("end"))]
    lines = layout(columns, rows, 40, lambda text, _: text)
    assert {width_of(line) for line in lines[1:]} == {40 if "…" in lines[1] else -1}
    assert all(line.endswith("end") for line in lines[1:])
    assert clip("漢字漢字", 5) == "漢字…"


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("2026-11-20T11:59:30Z", "30s"),
        ("2026-11-20T11:58:00Z", "2m"),
        ("2026-11-18T12:00:00Z", "2d"),
        ("2026-11-20T13:00:00Z", "0s"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_ages_are_told_in_one_unit(since: str | None, wanted: str) -> None:
    """An age is rounded down to its largest unit; what is no time has none."""
    assert age(since, NOON) == wanted


class Screen(io.StringIO):
    """A terminal that says when it is written to."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal, self.written = terminal, Event()

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


def test_what_takes_long_is_told_on_a_terminal_and_wiped_away() -> None:
    """With the seconds it takes."""
    screen = Screen(terminal=True)
    with Output(io.StringIO(), screen, {}).busy("reading x\x1b", beat=0.001):
        assert screen.written.wait(20.0)
    assert screen.getvalue().startswith("\rreading x\\x1b: 0 s")
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("terminal", "json", "env"), [(False, False, {}), (True, True, {}), (True, False, {"TERM": "dumb"})]
)
def test_elsewhere_nothing_is_told_of_what_takes_long(terminal: bool, json: bool, env: dict[str, str]) -> None:
    """Not to files and programs, and nobody waits to tell it."""
    out = Output(io.StringIO(), Screen(terminal=terminal), env)
    out.json = json
    before = threading.active_count()
    with out.busy("reading x"):
        assert threading.active_count() == before


def test_the_words_of_a_stream_are_put_together_to_lines() -> None:
    """Pieces that end in the middle of a line are joined with what follows."""
    assert list(complete_lines(["a", "b\nc", "\nd"])) == ["ab", "c", "d"]


def test_the_log_drops_colours_and_shows_other_control_characters() -> None:
    """An agent's output is readable, and cannot steer the terminal."""
    project = FakeProject(DB)
    project.output = ("\x1b[32mgreen\x1b[0m\r\n", "\x1b]0;title\x07")
    out = orange("task", "log", "db", "--follow", project=project).out
    assert out.startswith("green\n")
    assert "\x1b" not in out


def test_a_refusal_is_one_sentence_on_stderr_or_a_json_error() -> None:
    """A refused request exits with 1 and its own code, and prints nothing else."""
    plain, as_json = orange("task", "show", "nope"), orange("task", "show", "nope", "--json", project=FakeProject(DB))
    assert (plain.status, plain.out, plain.err.count("\n")) == (1, "", 1)
    assert (as_json.status, as_json.err) == (1, "")
    assert as_json.json["error"]["code"] == "task_not_found"
    assert set(as_json.json) == {"error"}


def test_the_target_ready_is_refused_while_a_blocker_is_open() -> None:
    """`--status ready` names the open blockers and changes nothing."""
    project = FakeProject(API, BIG)
    ended = orange("task", "update", "api", "--status", "ready", project=project)
    assert ended.status == 1
    assert "c2b3c4d5" in ended.err
    assert project.asked == []


def test_changing_several_tasks_says_which_were_refused() -> None:
    """What is legal is done, what is not is named, and the exit code is 1; a misspelt one changes nothing."""
    project = FakeProject(API, DB, REST)
    ended = orange("task", "update", "--tasks", "api,db,rest", "--status", "backlog", "--json", project=project)
    assert ended.status == 1
    assert "changed b2b3c4d5, e2b3c4d5" in ended.json["error"]["message"]
    assert orange("task", "update", "--tasks", "api,nope", "--title", "x", project=project).status == 1
    assert project.tasks["b2b3c4d5"].title == "Api"


def test_orange_debug_shows_the_traceback_of_a_bug() -> None:
    """For those who mend orange, ORANGE_DEBUG=1 lets a bug through."""
    with pytest.raises(ZeroDivisionError):
        orange("agents", doors=FakeDoors(bug=ZeroDivisionError()), env={"ORANGE_DEBUG": "1"})


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130), (Refused("no"), 1), (BrokenPipeError(), 0)])
def test_interruptions_and_refusals_have_their_exit_codes(raised: BaseException, status: int) -> None:
    """130 when interrupted, 1 when refused, and a reader that has gone is no error."""
    assert orange("agents", doors=FakeDoors(bug=raised)).status == status


def test_doctor_fails_when_a_check_does() -> None:
    """`doctor` exits with 1 when something is wrong, and says what to do."""
    ended = orange("doctor")
    assert ended.status == 1
    assert "hint: install it" in ended.out


def test_the_daemon_in_the_foreground_gets_its_options() -> None:
    """Flags of `daemon run` arrive as options; without --registered it serves this project only."""
    doors = FakeDoors(FakeProject(DB))
    orange("daemon", "run", "--once", "--poll", "1s", "--label", "a", doors=doors)
    assert doors.ran == {"once": True, "poll": 1.0, "label": ("a",), "roots": ("/repo",)}
    orange("daemon", "run", "--registered", doors=doors)
    assert doors.ran == {}


def test_a_stopped_daemon_says_when_and_why() -> None:
    """The reason given to `daemon stop` reaches the daemon; while none runs, `daemon status` shows how it ended."""
    doors = FakeDoors(FakeProject(DB))
    assert orange("daemon", "stop", "--reason", "new disk", doors=doors).out == (
        "the daemon has stopped; running agents go on\n"
    )
    assert doors.stopped == "new disk"
    doors.daemon = {"running": False, "stopped": {"at": NOON - 180, "reason": "new\x1bdisk"}}
    shown = orange("daemon", "status", doors=doors).out
    assert shown.splitlines()[1:] == ["it stopped 3m ago: new\\x1bdisk"]
    doors.daemon = {"running": False, "stopped": None}
    assert "stopped" not in orange("daemon", "status", doors=doors).out


def test_completion_completes_commands_and_task_names() -> None:
    """The words offered are commands below the group, and ids and names of tasks."""
    from click.shell_completion import ShellComplete

    from orange.cli.app import root
    from orange.cli.call import Call
    from orange.cli.output import Output
    from tests.unit.cli_fake import Screen

    call = Call(FakeDoors(FakeProject(DB, API)), Output(Screen(), Screen(), {}), Screen(), {}, NOON)
    completer = ShellComplete(root, {"obj": call}, "orange", "_ORANGE_COMPLETE")
    assert [item.value for item in completer.get_completions(["task"], "re")] == [
        "review", "reject", "retry", "reopen", "restore", "release", "remove",
    ]  # fmt: skip
    assert [item.value for item in completer.get_completions(["task", "show"], "a")] == ["db", "a2b3c4d5", "api"][1:]


def test_stats_shows_totals_days_groups_estimates_and_the_dearest_tasks() -> None:
    """Idle days are seen, what is not told is said so, and of one task its runs are shown."""
    project = FakeProject(DB)
    text = orange("stats", "--since", "7d", project=project).out
    wanted = ["1 run of 1 task", "90.0 min, 1,200 tokens (1 rate limited)", "tokens by day", "2026-11-19\n"]
    for part in (*wanted, "not told", "150%", "removed", "db\\x1b", "and 1 task that used less"):
        assert part in text, part
    assert "a2b3c4d5-1" not in text
    assert "running" in orange("stats", "--task", "db", project=project).out
    assert [what for name, what in project.asked if name == "stats"] == [(None, 604800), ("db", None)]
    assert orange("stats", "--since", "soon", project=project).status == 2
