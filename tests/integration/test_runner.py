"""The supervisor of a run: it starts an agent once, watches it, ends it, saves its work and writes down how it went."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orange import proctable
from orange.adapters.runs import FileRuns
from orange.adapters.runtimes.registry import command
from orange.core import ending
from orange.core.agents import Resume
from orange.core.checks import Check, results_of
from orange.core.ending import Ending
from orange.core.layout import Layout
from orange.core.model import Outcome
from orange.core.ports import Course, StepSpec
from orange.core.settings import AgentSettings
from orange.core.steps import Step
from orange.testing.repos import until
from orange.testing.tmux import SPEC, reap, shell
from tests.integration.supervised import RUN, Bench, bench


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Bench]:
    """A place for one run."""
    made = bench(tmp_path)
    yield made
    reap(made.place)


def test_the_words_for_outcomes_are_the_cores() -> None:
    """The supervisor spells outcomes itself, for the sake of its start; it spells them right."""
    words = {ending.FINISHED, ending.FAILED, ending.STALLED, ending.TIMEOUT, ending.RATE_LIMITED}
    words |= {ending.STOPPED, ending.CRASHED, ending.AGENT_MISSING, ending.CHECKS_FAILED, ending.APPROVAL}
    assert words == {str(outcome) for outcome in Outcome}


def test_starting_imports_nothing_heavy() -> None:
    """A supervisor starts with every run: neither the core's types nor any adapter or big library comes with it."""
    code = "import sys, orange.runner.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"dataclasses", "inspect", "subprocess", "asyncio", "logging", "ctypes", "hashlib", "libtmux", "pygit2"}
    assert not loaded & {*heavy, "click", "yaml", "orange.core.model", "orange.adapters", "orange.wiring"}


# -- how it ends


@pytest.mark.parametrize(
    ("command", "outcome", "code", "words"),
    [
        ("exit 0", Outcome.FINISHED, 0, "finished"),
        ("exit 3", Outcome.FAILED, 3, "exit code 3"),
        ("sh -c 'exit 1'", Outcome.FAILED, 1, "exit code 1"),
        ("kill -KILL $$", Outcome.FAILED, -9, "SIGKILL"),
        ("kill -TERM $$", Outcome.FAILED, -15, "SIGTERM"),
        ("no-such-program-here", Outcome.FAILED, 127, "exit code 127"),
        ("echo not found >&2; exit 0", Outcome.FINISHED, 0, "finished"),
    ],
)
def test_the_exit_code_decides(it: Bench, command: str, outcome: Outcome, code: int, words: str) -> None:
    """The outcome follows from how the agent's program ended, signals included, never from what it said."""
    record = it.run(command)
    assert (record.outcome, record.exit_code) == (outcome, code)
    assert words in str(record.message)
    assert (record.signature is None) is (outcome is Outcome.FINISHED)
    assert record.started_at
    assert record.ended_at
    assert record.launched


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"ended": True, "session": "s"}, "the agent finished"),
        ({"ended": False, "session": "s"}, "did not tell the end of its turn"),
        ({"ended": False, "session": None}, "told nothing of what it did"),
    ],
)
def test_an_end_that_was_not_told_is_said(it: Bench, told: dict[str, object], words: str) -> None:
    """The exit code decides all the same; the record, the summary and the log of the stage have the sentence."""
    found = it.run(f"echo '{json.dumps(told)}' > $ORANGE_RUNTIME/runs/$ORANGE_RUN/agent.json")
    assert (found.outcome, found.exit_code) == (Outcome.FINISHED, 0)
    assert words in str(found.message)
    assert words in json.loads(it.read("reports/run_summary.json"))["message"]
    assert words in it.read("logs/execute.log")


def test_a_missing_program_is_a_missing_agent(it: Bench) -> None:
    """A program that cannot be started is told apart from one that failed."""
    it.prepare("unused")
    path = Path(it.place.runs.folder(RUN), "spec.json")
    told = json.loads(path.read_text())
    told["command"]["argv"] = ["no-such-agent-program"]
    path.write_text(json.dumps(told))
    assert it.begin().wait(60) == 0
    assert it.record.outcome is Outcome.AGENT_MISSING
    assert "no-such-agent-program" in str(it.record.message)
    assert "orange agents" in it.read("error.md")


def test_equal_failures_look_alike(it: Bench, tmp_path: Path) -> None:
    """The signature is the same for the same failure at another time and place, and another for another failure."""
    first = it.run("echo error in /tmp/$$/x line $$; exit 1").signature
    other = bench(tmp_path / "other")
    again = other.run("echo error in /tmp/$$/x line $$; exit 1").signature
    third = bench(tmp_path / "third").run("echo something else failed; exit 1").signature
    assert first == again != third


# -- output


def test_a_quick_exit_loses_no_output(it: Bench) -> None:
    """Everything an agent wrote before it ended is in the log, to the last byte."""
    it.run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; printf last-word")
    lines = it.read("output.log").split("\n")
    assert lines[0].strip() == "line 0"
    assert lines[-2:] == ["line 2999", "last-word"]  # read_text folds the terminal's line ends
    assert len(lines) == 3001


def test_the_agent_has_a_terminal_of_the_sessions_size(it: Bench) -> None:
    """Standard input, output and error are a terminal of 50 rows and 200 columns."""
    it.run("stty size; test -t 0 && test -t 1 && test -t 2 && echo terminal")
    assert it.read("output.log").split() == ["50", "200", "terminal"]


def test_an_agent_that_leaves_its_terminal_is_still_watched(it: Bench) -> None:
    """Closing every descriptor ends nothing, and what comes after opening the terminal again is recorded."""
    it.run("echo before; exec </dev/null >/dev/null 2>&1; sleep 0.2; echo after > /dev/tty")
    assert it.read("output.log").split() == ["before", "after"]


def test_a_prompt_on_standard_input_is_read_to_its_end(it: Bench) -> None:
    """Where the runtime asks for it, the prompt is standard input; the rest is still a terminal."""
    it.prepare("cat; test -t 1 && echo terminal", prompt="do this\nand that\n")
    path = Path(it.place.runs.folder(RUN), "spec.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"command": _with_stdin(path)}))
    assert it.begin().wait(60) == 0
    assert it.read("output.log").split("\n")[:3] == ["do this", "and that", "terminal"]


def _with_stdin(path: Path) -> dict[str, object]:
    return {**json.loads(path.read_text())["command"], "stdin": True}


# -- once


def test_a_run_is_started_once_whoever_tries(it: Bench, tmp_path: Path, times: Callable[[int], int]) -> None:
    """Of many supervisors of one run exactly one starts the agent; the others end at once and leave its records."""
    ledger = tmp_path / "ledger"
    it.prepare(f"echo x >> {ledger}; sleep 0.5")
    children = [it.begin() for _ in range(times(6))]
    assert [child.wait(60) for child in children] == [0] * len(children)
    assert ledger.read_text() == "x\n"
    assert it.record.outcome is Outcome.FINISHED
    assert json.loads(it.read("supervisor.json"))["pid"] in {child.pid for child in children}


def test_a_killed_supervisor_is_not_replaced(it: Bench, tmp_path: Path) -> None:
    """After SIGKILL in the middle there is no result, the agent is gone with its terminal, and nothing starts again."""
    ledger = tmp_path / "ledger"
    it.prepare(f"echo x >> {ledger}; echo up; exec cat")
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    agent = proctable.Identity(**json.loads(it.read("supervisor.json"))["agent"])
    child.kill()
    child.wait(60)
    assert proctable.wait_gone(agent, 30.0)
    assert it.record.outcome is None
    assert it.record.launched
    assert it.begin().wait(60) == 0
    assert ledger.read_text() == "x\n"


def test_killed_at_any_instant_a_run_is_started_at_most_once(
    it: Bench, tmp_path: Path, times: Callable[[int], int]
) -> None:
    """SIGKILL at random moments of its start, then a second supervisor: at most one agent ever ran."""
    chance = random.Random(7)
    for epoch in range(1, times(10) + 1):
        ledger = tmp_path / f"ledger-{epoch}"
        it.prepare(f"echo x >> {ledger}; exec cat", run=f"k3f9x2ab-{epoch}", epoch=epoch)
        first = it.begin(run=f"k3f9x2ab-{epoch}")
        time.sleep(chance.uniform(0.0, 0.15))  # the moment itself is what is tried
        first.kill()
        first.wait()
        second = it.begin(run=f"k3f9x2ab-{epoch}")
        until(lambda ledger=ledger, second=second: ledger.exists() or second.poll() is not None)  # type: ignore[misc]  # bound here on purpose
        second.terminate()
        assert second.wait(60) in {0, -signal.SIGTERM}
        assert not ledger.exists() or ledger.read_text() in {"", "x\n"}  # it may be ended before it wrote
    until(lambda: not it.place.marked())


def test_a_run_told_to_stop_before_it_starts_does_not(it: Bench, tmp_path: Path) -> None:
    """The word to stop lies in the folder: no agent, no marker, no result."""
    it.prepare(f"touch {tmp_path}/started")
    it.place.runs.stop(RUN, 1.0, "given up")
    assert it.begin().wait(60) == 0
    assert not (tmp_path / "started").exists()
    assert not it.record.launched


# -- watching


def test_silence_without_work_is_a_stall(it: Bench) -> None:
    """An agent that neither speaks nor works for the limit is ended, with everything it started."""
    record = it.run("echo up; sleep 600 & sleep 600", stall=1)
    assert record.outcome is Outcome.STALLED
    assert "1 s" in str(record.message)
    assert not it.place.marked()


def test_silent_work_is_no_stall(it: Bench) -> None:
    """A process tree that uses the processor is at work, whatever it says, in whatever child."""
    work = "end=$(($(date +%s)+3)); while [ $(date +%s) -lt $end ]; do :; done"
    assert it.run(f"sh -c '{work}'; exit 0", stall=1).outcome is Outcome.FINISHED


def test_speaking_is_no_stall(it: Bench) -> None:
    """An agent that says something from time to time is at work."""
    assert it.run("for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done", stall=1).outcome is Outcome.FINISHED


def test_too_long_is_a_timeout(it: Bench) -> None:
    """A run that takes longer than its limit is ended, busy or not."""
    record = it.run("while :; do echo busy; sleep 0.1; done", limit=1)
    assert record.outcome is Outcome.TIMEOUT


def test_a_parked_run_has_time(it: Bench) -> None:
    """While a run waits for somebody neither clock runs; afterwards both do."""
    it.prepare("echo up; exec sleep 600", stall=1, limit=60)
    it.place.runs.park(RUN, waiting=True)
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    begun = time.monotonic()
    until(lambda: time.monotonic() - begun > 3)
    assert child.poll() is None
    it.place.runs.park(RUN, waiting=False)
    assert child.wait(60) == 0
    assert it.record.outcome is Outcome.STALLED


# -- ending it from outside


def test_sigterm_stops_a_run(it: Bench) -> None:
    """The agent is ended, its work is committed, and the outcome says that somebody wanted it so."""
    record = it.told(signal.SIGTERM)
    assert record.outcome is Outcome.STOPPED
    assert record.signature is None
    assert record.commit == "c0ffee"
    assert not it.place.marked()
    assert not it.read("error.md")


def test_a_stop_during_the_hook_starts_no_agent(it: Bench) -> None:
    """What comes between the hook and the agent counts for the agent."""
    it.prepare("touch started", before_run="echo up; trap 'exit 0' TERM; while :; do sleep 0.05; done")
    child = it.begin()
    until(lambda: "up" in it.read("logs/steps/before_run.log"))
    child.terminate()
    assert child.wait(60) == 0
    assert it.record.outcome is Outcome.STOPPED
    assert os.listdir(it.place.workspace) == []


def test_the_word_to_stop_is_enough(it: Bench) -> None:
    """Without any signal the supervisor finds the file within seconds, and gives its reason."""
    it.prepare("echo up; exec sleep 600", stall=10)
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    it.place.runs.stop(RUN, 5.0, "handed to its children")
    assert child.wait(60) == 0
    assert (it.record.outcome, it.record.message) == (Outcome.STOPPED, "handed to its children")


def test_a_lost_session_is_a_crash_and_the_workspace_stays_as_it_is(it: Bench) -> None:
    """On SIGHUP the agent is ended and nothing is committed or cleaned."""
    record = it.told(signal.SIGHUP, "echo half > half.txt; echo up; exec sleep 600", after_run="touch after")
    assert record.outcome is Outcome.CRASHED
    assert it.asked == ""
    assert os.listdir(it.place.workspace) == ["half.txt"]
    assert not it.place.marked()


def test_an_agent_that_will_not_end_is_made_to(it: Bench) -> None:
    """After the grace it is killed, and so is what it started in sessions of their own."""
    it.prepare(
        "trap '' TERM HUP INT; setsid sh -c \"trap '' TERM HUP; sleep 600\" & echo up; while :; do sleep 1; done"
    )
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    it.place.runs.stop(RUN, 1.0, None)
    child.terminate()
    assert child.wait(60) == 0
    assert it.record.outcome is Outcome.STOPPED
    assert it.record.exit_code == -signal.SIGKILL
    assert not it.place.marked()


def test_what_detached_itself_is_ended_too(it: Bench) -> None:
    """A daemon that an agent leaves behind is found and ended when the agent has finished."""
    record = it.run("(setsid sh -c 'echo $$ > daemon.pid; exec sleep 600' &) ; while [ ! -s daemon.pid ]; do :; done")
    assert record.outcome is Outcome.FINISHED
    pid = int(Path(it.place.workspace, "daemon.pid").read_text())
    assert proctable.look(pid) is None
    assert not it.place.marked()


def test_what_dropped_the_runs_mark_in_a_session_of_its_own_is_left_alone(it: Bench) -> None:
    """Orange's own daemon and tmux server do so; they outlive the agent whose command happened to start them."""
    it.run(
        "(env -u ORANGE_RUN setsid sh -c 'echo $$ > other.pid; exec sleep 600' &); while [ ! -s other.pid ]; do :; done"
    )
    pid = int(Path(it.place.workspace, "other.pid").read_text())
    try:
        row = proctable.look(pid)
        assert row
        assert not row.dead
    finally:
        os.kill(pid, signal.SIGKILL)


# -- around it


def test_the_agent_gets_what_it_needs_to_know(it: Bench) -> None:
    """Its environment names task, run, attempt, files and port; it starts in the workspace and finds `orange`."""
    inherited = {
        "CLAUDECODE": "1",
        "CODEX_SANDBOX": "x",
        "TMUX": "/x,1,0",
        "TMUX_PANE": "%1",
        "GIT_DIR": "/x",
        "DROPPED_TOKEN": "y",
    }
    it.run(
        'env; echo "PLACE=$(pwd)"; echo "FOUND=$(command -v orange)"; echo "SAYS=$(cat "$ORANGE_PROMPT_FILE")"',
        {**inherited, "LC_TIME": "C"},
        ports=(4321, 4322),
        attempt=2,
        task_file="/some/TASK.md",
        env={"PROJECTS": "own"},
    )
    env = dict(line.split("=", 1) for line in it.read("output.log").splitlines() if "=" in line)
    folder = it.place.runs.folder(RUN)
    assert not set(inherited) & set(env)
    expected = {
        "LC_TIME": "C",
        "ORANGE_TASK": "k3f9x2ab", "ORANGE_RUN": RUN, "ORANGE_ATTEMPT": "2", "ORANGE_WORKSPACE": it.place.workspace,
        "ORANGE_PROMPT_FILE": f"{folder}/prompt.md", "ORANGE_TASK_FILE": "/some/TASK.md", "ORANGE_PORT": "4321",
        "PROJECTS": "own", "PLACE": it.place.workspace, "FOUND": f"{folder}/bin/orange", "SAYS": "Do it.",
    }  # fmt: skip
    assert {name: env.get(name) for name in expected} == expected


def test_the_orange_on_the_path_is_this_one(it: Bench) -> None:
    """It runs this very Python and is not led astray by a folder of the same name in the workspace."""
    Path(it.place.workspace, "orange").mkdir()
    Path(it.place.workspace, "orange", "__init__.py").write_text("raise SystemExit('astray')\n")
    it.run("orange --version")
    assert "astray" not in it.read("output.log")
    launcher = Path(it.place.runs.folder(RUN), "bin", "orange")
    assert sys.executable in launcher.read_text()
    assert stat.S_IMODE(launcher.stat().st_mode) == 0o700


def test_hooks_stand_around_the_agent(it: Bench) -> None:
    """The first runs before it, the second after it and before its work is saved; each has a log of its own."""
    record = it.run(
        "test -f before && echo agent",
        before_run="echo hello from before; touch before",
        after_run="echo bye; touch after; exit 7",
    )
    assert record.outcome is Outcome.FINISHED
    assert "hello from before" in it.read("logs/steps/before_run.log")
    assert "bye" in it.read("logs/steps/after_run.log")
    assert "exit code 7" in it.read("logs/execute.log")
    assert "'after'" in it.asked
    assert it.read("output.log").split() == ["agent"]


def test_a_failing_hook_before_the_run_fails_the_attempt(it: Bench) -> None:
    """The agent is not started; the report names the hook and quotes it."""
    record = it.run("touch started", before_run="echo no database; exit 4")
    assert (record.outcome, record.exit_code) == (Outcome.FAILED, 4)
    assert "before_run" in str(record.message)
    assert os.listdir(it.place.workspace) == []
    assert "no database" in it.read("error.md")
    assert "prepare failed" in it.stages()


def test_a_hook_has_its_time(it: Bench) -> None:
    """One that takes longer is ended and fails the attempt."""
    record = it.run("touch started", before_run="sleep 600", hook_timeout=1)
    assert record.outcome is Outcome.FAILED
    assert "longer than 1 s" in str(record.message)
    assert not it.place.marked()


def a_check(run: str, name: str = "tests", **more: Any) -> Check:
    """Make a check."""
    return Check(name, run, **more)


def test_checks_see_what_was_saved_and_end_a_good_run(it: Bench) -> None:
    """They run after the commit, in the workspace, with the run's environment; the record says at which commit."""
    passing = 'echo "$ORANGE_TASK"; cp ../asked seen; test -f made && test "$(pwd)" = "$ORANGE_WORKSPACE"'
    record = it.run("touch made", checks=(a_check(passing), a_check("true", "lint", kind="lint")))
    assert (record.outcome, record.checked, record.commit) == (Outcome.FINISHED, True, "c0ffee")
    told = it.place.runs.checks(RUN) or {}
    assert told["commit"] == "c0ffee"
    assert [(found.name, found.verdict) for found in results_of(told)] == [("tests", "passed"), ("lint", "passed")]
    assert Path(it.place.workspace, "seen").read_text() == it.asked
    assert len(it.asked.splitlines()) == 1
    assert it.read("logs/steps/check-tests.log").split() == [it.record.spec.task]
    assert it.stages()[-3:] == ["execute/check lint started", "execute/check lint finished", "execute finished"]


def test_every_check_runs_and_those_that_fail_are_evidence(it: Bench) -> None:
    """One that fails hides no other; what they said is in the record and the report, and decides nothing."""
    failing = (a_check("echo boom; exit 3", "first"), a_check("echo fine >&2", "second"), a_check("no-such-x", "third"))
    record = it.run("true", checks=failing, after_run="touch after")
    assert (record.outcome, record.exit_code, record.checked) == (Outcome.CHECKS_FAILED, 3, False)
    assert record.signature
    results = results_of(it.place.runs.checks(RUN) or {})
    assert [found.verdict for found in results] == ["failed", "passed", "could not run"]
    assert results[0].evidence == "boom"
    assert "2 of 3 checks did not pass: first (exit code 3), third" in str(record.message)
    assert "boom" in it.read("error.md")
    assert Path(it.place.workspace, "after").exists()


def test_a_check_has_its_time_and_leaves_nothing_behind(it: Bench) -> None:
    """One that takes too long is ended with all it started, and has timed out."""
    record = it.run("true", checks=(a_check("setsid sleep 600 & sleep 600", timeout=1),))
    assert record.outcome is Outcome.CHECKS_FAILED
    assert [found.verdict for found in results_of(it.place.runs.checks(RUN) or {})] == ["timed out"]
    assert not it.place.marked()


def test_a_check_is_stopped_with_its_run(it: Bench) -> None:
    """A run told to end during a check has not failed: nothing is said of the work."""
    it.prepare("true", checks=(a_check("echo up; exec sleep 600"),))
    child = it.begin()
    until(lambda: "up" in it.read("logs/steps/check-tests.log"))
    it.place.runs.stop(RUN, 1.0, "it was cancelled")
    child.terminate()
    assert child.wait(60) == 0
    assert (it.record.outcome, it.record.message, it.record.checked) == (Outcome.STOPPED, "it was cancelled", None)
    assert not it.place.marked()


def test_a_failed_agent_is_not_checked(it: Bench) -> None:
    """What an agent left that did not finish is nobody's result."""
    record = it.run("exit 5", checks=(a_check("touch checked"),))
    assert (record.outcome, record.checked) == (Outcome.FAILED, None)
    assert os.listdir(it.place.workspace) == []


def test_what_is_left_is_saved(it: Bench) -> None:
    """Leftovers are committed, the difference is kept, whatever the outcome."""
    record = it.run("echo x > left.txt; exit 1", branch="orange/demo")
    assert record.commit == "c0ffee"
    assert it.asked == f"{it.place.workspace} A demonstration ['left.txt']\n"
    assert it.read("patches/changes.patch") == "orange/demo against main\n"


def test_leftovers_stay_where_the_project_wants_it_so(it: Bench) -> None:
    """Without `auto_commit` nothing is committed."""
    assert it.run("echo x > left.txt", auto_commit=False).commit is None
    assert it.asked == ""


def test_work_that_cannot_be_saved_is_still_a_result(it: Bench) -> None:
    """A failing commit is logged and hides neither the outcome nor the report."""
    record = it.run("exit 2", {"BROKEN": "1"})
    assert (record.outcome, record.exit_code, record.commit) == (Outcome.FAILED, 2, None)
    assert "no space left" in it.read("logs/execute.log")


def test_a_missing_workspace_fails_the_attempt(it: Bench) -> None:
    """Nothing is started anywhere else instead."""
    record = it.run("touch started", workspace=f"{it.root}/nowhere")
    assert record.outcome is Outcome.FAILED
    assert "nowhere" in str(record.message)


def test_every_record_is_there(it: Bench) -> None:
    """Stages, context, logs and reports of a failed run, readable by programs and people."""
    it.run("echo '\x1b[31mred\x1b[0m ``` alert'; exit 5", branch="orange/demo")
    agent = ["execute/agent started", "execute/agent failed"]
    expected = ["prepare started", "prepare finished", "execute started", *agent, "execute failed"]
    assert it.stages() == [*expected, "execute/save started", "execute/save finished"]
    context = json.loads(it.read("task_context.json"))
    assert context["branches"] == {"base": "main", "working": "orange/demo"}
    assert context["workspace"] == it.place.workspace
    summary = json.loads(it.read("reports/run_summary.json"))
    assert (summary["code"], summary["outcome"], summary["exit_code"]) == ("FAILED", "failed", 5)
    assert [stage["stage"] for stage in summary["stages"]] == ["prepare", "execute", "execute", "execute"]
    error = it.read("error.md")
    assert "red ``` alert" in error
    assert "orange task retry k3f9x2ab" in error
    assert "orange task log k3f9x2ab" in error
    assert "\x1b" not in error


def test_records_are_private(it: Bench) -> None:
    """The spec carries the environment of the run: nobody else may read it."""
    it.run("exit 0")
    folder = Path(it.place.runs.folder(RUN))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "spec.json").stat().st_mode) == 0o600


def test_watching_costs_next_to_nothing(it: Bench) -> None:
    """A supervisor of a quiet agent uses hardly any processor time."""
    it.prepare("echo up; exec sleep 600")
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    with contextlib.ExitStack() as stack:
        stack.callback(child.wait, 60)
        stack.callback(child.terminate)
        row = proctable.look(child.pid)
        begun = time.monotonic()
        until(lambda: time.monotonic() - begun > 2)
        after = proctable.look(child.pid)
        assert row
        assert after
        assert after.ticks - row.ticks <= 0.05 * 2 * proctable.TICKS_PER_SECOND


def test_records_are_found_by_task(it: Bench) -> None:
    """So many attempts of a task as asked for, by number and not by name, what was stopped beside them, the named."""
    ends = {2: Outcome.FAILED, 8: Outcome.FAILED, 9: Outcome.CRASHED, 10: Outcome.STOPPED, 11: Outcome.FAILED, 12: None}
    for epoch, outcome in ends.items():
        it.prepare("true", run=f"k3f9x2ab-{epoch}", epoch=epoch)
        if outcome:
            it.place.runs.close(f"k3f9x2ab-{epoch}", outcome, "it ended", None)
    it.prepare("true", run="h7d2m4qe-1", task="h7d2m4qe")
    found = it.place.runs.recent(["k3f9x2ab-2"], ["k3f9x2ab"], 2)
    assert set(found) == {f"k3f9x2ab-{epoch}" for epoch in (2, 9, 10, 11, 12)}
    assert len(it.place.runs.recent([], ["k3f9x2ab"], 3)) == 5
    assert set(it.place.runs.recent([], ["h7d2m4qe", "nothing1"], 3)) == {"h7d2m4qe-1"}
    assert it.place.runs.recent([], [], 3) == {}


def test_the_highest_number_that_was_ever_used_is_known(it: Bench) -> None:
    """A run that was only told to end counts, one without a record counts; another task's does not."""
    assert it.place.runs.last("k3f9x2ab") == 0
    for epoch in (2, 10):
        it.prepare("true", run=f"k3f9x2ab-{epoch}", epoch=epoch)
    assert it.place.runs.last("k3f9x2ab") == 10
    it.place.runs.stop("k3f9x2ab-11", 1.0)
    assert it.place.runs.last("k3f9x2ab") == 11
    assert it.place.runs.last("h7d2m4qe") == 0


def test_a_killed_supervisors_run_is_given_an_end(it: Bench) -> None:
    """Where the supervisor was killed, the end is written for it: result, signature, and a report with the output."""
    it.prepare("echo half a thought; exec sleep 600")
    child = it.begin()
    until(lambda: "thought" in it.read("output.log"))
    child.kill()
    child.wait()
    assert it.record.outcome is None
    for message in ("it vanished", "later"):
        it.place.runs.close(RUN, Outcome.CRASHED, message, "c0ffee")
    found = it.record
    assert (found.outcome, found.message, found.commit) == (Outcome.CRASHED, "it vanished", "c0ffee")
    assert found.signature == ending.signature(Ending("crashed", "it vanished"))
    assert found.ended_at is not None
    report = it.read("error.md")
    assert report.startswith("# it vanished\n")
    assert "half a thought" in report
    assert "exec sleep 600" in report


def test_an_end_that_was_written_stays(it: Bench) -> None:
    """What a supervisor said of its run is not overwritten, and a run never prepared gets no end."""
    it.run("exit 3")
    it.place.runs.close(RUN, Outcome.CRASHED, "it vanished", None)
    assert it.record.outcome is Outcome.FAILED
    it.place.runs.close("never1ab-1", Outcome.CRASHED, "it vanished", None)
    assert it.place.runs.record("never1ab-1") is None


def test_looking_again_reads_only_what_can_have_changed(it: Bench) -> None:
    """A new run is seen at once, an ended one is read once, a live one every time."""
    late = FileRuns(it.place.layout, shell, now=lambda: time.time() + 1e6)
    assert it.run("exit 0").outcome is Outcome.FINISHED
    for _ in range(2):
        assert late.recent([], ["k3f9x2ab"], 3)[RUN].outcome is Outcome.FINISHED
        Path(it.place.runs.folder(RUN), "result.json").unlink(missing_ok=True)
    it.prepare("true", run="k3f9x2ab-2", epoch=2)
    assert set(late.recent([], ["k3f9x2ab"], 3)) == {RUN, "k3f9x2ab-2"}
    assert late.recent([], [], 3) == {}
    assert late.recent([], ["k3f9x2ab"], 3)[RUN].outcome is None


def test_a_record_survives_the_way_to_disk(it: Bench) -> None:
    """A spec is read back as it was written; a broken one is no record; preparing again changes nothing."""
    it.prepare("true", ports=(1, 2), env={"A": "ü"}, title="x\udce4")
    folder = it.place.runs.folder(RUN)
    spec = it.record.spec
    assert (spec.ports, spec.env, spec.title) == ((1, 2), {"A": "ü"}, "x\udce4")
    before = os.stat(f"{folder}/spec.json").st_mtime_ns
    assert it.place.runs.prepare(spec) == folder
    assert os.stat(f"{folder}/spec.json").st_mtime_ns == before
    Path(folder, "spec.json").write_text("{")
    assert it.place.runs.record(RUN) is None
    assert it.place.runs.record("never-1") is None


@pytest.mark.parametrize(
    ("resumed", "wanted"), [(None, ["plan", "mend"]), (Resume("S"), ["plan, taken up", "mend, taken up"])]
)
def test_each_step_on_a_screen_of_its_own_is_told_its_own_words(
    it: Bench, resumed: Resume | None, wanted: list[str]
) -> None:
    """An interactive program has its prompt among its arguments: no step may be told that of another."""
    settings = AgentSettings(mode="interactive")
    told = {
        name: StepSpec("claude", None, None, settings, name, f"{name}, continued", f"{name}, taken up")
        for name in ("plan", "mend")
    }
    course = Course("p", (Step("plan"), Step("mend")), specs=told)
    runs = FileRuns(it.place.layout, command)
    runs.prepare(replace(SPEC, agent="claude", agent_settings=settings, resume=resumed, course=course))
    steps = json.loads(it.read("spec.json"))["course"]["steps"]
    assert [step["command"]["argv"][-1] for step in steps] == wanted


def test_a_run_outside_of_any_layout_is_refused(tmp_path: Path) -> None:
    """The supervisor's program says how it is used, and touches nothing."""
    layout = Layout(str(tmp_path), str(tmp_path / ".git"))
    for argv, env in ((["../x"], layout.runtime), ([], layout.runtime), (["a-1"], "relative")):
        command = [sys.executable, "-P", "-m", "orange.runner", *argv]
        done = subprocess.run(command, env={**os.environ, "ORANGE_RUNTIME": env}, capture_output=True, check=False)
        assert done.returncode == 2
        assert b"usage" in done.stderr
    assert os.listdir(tmp_path) == []
