"""What an agent in a sandbox can do and cannot do, tried with the real bubblewrap."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.acceptance import bubblewrap, enclosed
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.programs import AGENTS, settings
from tests.model.server import Model

SETTINGS = "agent: command\nreview: {by: none}\nlimits: {attempts: 1}\nworkspaces: {isolation: sandbox, copy: []}\n"

ATTACK = """
exec 2>&1
cd "$ORANGE_WORKSPACE"
common=$(git rev-parse --git-common-dir)
try() { if "$@"; then echo "DONE: $*"; else echo "blocked: $*"; fi; }
try touch "$OUTSIDE/planted"
try sh -c 'echo x > "$0/README.md"' REPO
try sh -c 'printf "#!/bin/sh\\n" > "$0/hooks/pre-commit"' "$common"
try git config core.fsmonitor "touch $OUTSIDE/ran"
try git config --worktree core.fsmonitor "touch $OUTSIDE/ran"
try sh -c 'echo gitdir: /nowhere > .git'
try rm -f .git
try git update-ref refs/heads/main HEAD~0 --create-reflog
try git update-ref refs/heads/planted HEAD
try git update-ref refs/heads/orange/other HEAD
try git update-ref -d refs/heads/orange/other
try git update-ref -d refs/orange/base/main
try ls REPO/.orange/tasks
try ls "$common/orange/lock"
try ls HOME/.ssh/id
try cat HOME/.netrc
try sh -c 'test -n "$OUTER_TOKEN"'
try sh -c 'ls HOME/run/orange/*'
try mount -o remount,rw /
try kill -0 DAEMON
echo made > made.txt
git add made.txt && git commit -q -m "Made inside" && echo committed
"""


@pytest.fixture(autouse=True)
def _bubblewrap() -> None:
    bubblewrap.required()


def _agent(place: Place, script: str) -> None:
    """Let the agent run a script, which lies where it can be read."""
    path = place.home / "agent.sh"
    path.write_text(script)
    configure(place, f"{SETTINGS}agents: {{command: {{run: 'sh {path}', env: {{OUTSIDE: '{place.home}'}}}}}}\n")


def _state(repo: Path) -> dict[str, str]:
    """Return the repository's hooks, configuration and branches."""
    files = [repo / ".git/config", repo / ".git/refs/heads/orange/other", *(repo / ".git/hooks").iterdir()]
    return {str(path): path.read_text() for path in files}


def test_an_agent_in_a_sandbox_writes_its_workspace_and_nothing_else(place: Place) -> None:
    """Writing outside, hooks, configuration, other branches, records and logins: all blocked. Committing works."""
    (place.home / ".ssh").mkdir()
    (place.home / ".ssh" / "id").write_text("key")
    (place.home / ".netrc").write_text("machine example.org password hidden")
    place.extra["OUTER_TOKEN"] = "outer-t0ken"
    place.git("branch", "orange/other")
    place.git("commit", "-q", "--allow-empty", "-m", "So that the branches differ")
    before = _state(place.repo)
    daemon = place.start()
    script = ATTACK.replace("REPO", str(place.repo)).replace("HOME", str(place.home)).replace("DAEMON", str(daemon.pid))
    _agent(place, script)
    place.create("attack")
    place.until(lambda: place.statuses()["attack"] in {"done", "stuck"}, "the attack to end")
    log = enclosed.log_of(place)
    assert place.statuses()["attack"] == "done", log
    assert "DONE" not in log, log
    assert log.count("blocked:") == ATTACK.count("\ntry "), log
    assert "hidden" not in log
    assert "committed" in log
    assert _state(place.repo) == before
    assert place.git("show", "refs/orange/base/main:made.txt") == "made"
    assert not list(place.home.glob("planted")) + list(place.home.glob("ran"))


def test_an_agent_in_a_sandbox_reaches_orange_by_mailbox(place: Place) -> None:
    """It creates children, writes sections, delegates and reads; what an agent may not do is refused."""
    _agent(place, enclosed.DELEGATING)
    log = enclosed.delegates(place)
    assert "`orange config set` does not work from inside a sandbox" in log
    assert "-C does not work from inside a sandbox" in log
    assert "--body-file does not work from inside a sandbox" in log


def test_a_quick_action_in_a_sandbox_leaves_its_changes(place: Place) -> None:
    """It works in a workspace of its own, writes nothing else, and what it made is kept as any quick action's."""
    _agent(place, enclosed.ONCE.replace("REPO", str(place.repo)))
    enclosed.acts_once(place)


def test_the_real_agents_work_in_a_sandbox(agents: Place, model: Model) -> None:
    """Each of the real programs starts there, reaches its model, keeps its conversation and commits."""
    sandbox = "workspaces: {isolation: sandbox}\nlimits: {attempts: 1}\nreview: {by: none}\n"
    configure(agents, sandbox + settings(model.url))
    for agent in AGENTS:
        command = f"$ echo {agent} > {agent}.txt && git add . && git commit -q -m {agent}; touch ../outside; true"
        agents.orange("task", "create", f"with-{agent}", "--agent", agent, "--body", f"Carry out:\n\n{command}\n")
    agents.start()
    names = [f"with-{agent}" for agent in AGENTS]
    agents.until(lambda: {agents.statuses()[name] for name in names} <= {"done", "stuck"}, "all four to end", 150)
    assert {name: agents.statuses()[name] for name in names} == dict.fromkeys(names, "done"), enclosed.log_of(agents)
    for agent in AGENTS:
        assert agents.git("show", f"refs/orange/base/main:{agent}.txt") == agent
    assert not (agents.repo.with_name("repo.workspaces") / "outside").exists()


@pytest.mark.parametrize("how", ["told", "killed"])
def test_nothing_outlives_a_run_in_a_sandbox(place: Place, how: str) -> None:
    """Cancelled, or its supervisor killed: neither the agent, its postman nor a command under way goes on."""
    _agent(place, "orange ask 'Which one?' --wait &\nsleep 600\n")
    task = place.create("endless")
    place.start()
    run = place.repo / ".git/orange/runs" / f"{task}-1"
    place.until(lambda: _processes(run.name) and "Which one?" in place.task(task)["body"], "the question to be asked")
    assert any("postman" in words for words in _processes(run.name))
    if how == "told":
        place.orange("task", "cancel", task)
    else:
        os.kill(json.loads((run / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    place.until(lambda: not _processes(run.name), "all of it to end")


def _processes(run: str) -> list[str]:
    """Return the command lines of all processes that name a run; the first run of a task is not tried again here."""
    found = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if run in line and "new-session" not in line]


def test_what_the_user_lets_be_written_is_written(place: Place) -> None:
    """`workspaces.writable` opens a folder; only the user's own settings can, and a project cannot loosen the rest."""
    (place.home / "cache").mkdir()
    place.orange("config", "set", "--user", "workspaces.writable", "[~/cache, ~/nowhere]")
    place.orange("config", "set", "--user", "workspaces.isolation", "sandbox")
    _agent(place, "touch $OUTSIDE/cache/in; touch $OUTSIDE/out; echo x > x.txt; git add . && git commit -q -m X\n")
    path = place.repo / ".orange" / "config.yaml"
    path.write_text(path.read_text().replace("isolation: sandbox", f"isolation: worktree, writable: ['{place.home}']"))
    place.create("cached")
    place.start()
    place.settled({"cached": "done"})
    assert (place.home / "cache" / "in").exists()
    assert not (place.home / "out").exists()
    said = [problem["message"] for problem in place.orange("status", "--json").json["projects"][0]["problems"]]
    assert any("cannot loosen it to worktree" in message for message in said)
    assert any("workspaces.writable is the user's alone" in message for message in said)


def test_checks_run_in_the_sandbox_too(place: Place) -> None:
    """What an agent wrote is run by the checks: on its work and on the merge, they reach no further than it did."""
    _agent(place, "echo 'touch \"$1/by-check\"' > check.sh; git add . && git commit -q -m Check\n")
    path = place.repo / ".orange" / "config.yaml"
    check = f"! sh check.sh {place.home} 2>/dev/null && echo shut && ! ls {place.repo}/.orange/tasks 2>/dev/null"
    path.write_text(path.read_text() + f"checks: [{{name: shut, run: '{check}'}}]\n")
    place.create("checked")
    place.start()
    place.settled({"checked": "done"})
    logs = list((place.repo / ".git/orange/runs").glob("*/logs/steps/check-shut.log"))
    assert [log.read_text().strip() for log in logs] == ["shut", "shut"]
    assert not (place.home / "by-check").exists()


def test_without_a_network_nothing_is_reached(place: Place) -> None:
    """`workspaces.network: none` leaves the loopback of the sandbox alone."""
    _agent(place, "ls /sys/class/net > net.txt; wc -l < /proc/net/dev > lines.txt; git add . && git commit -q -m Net\n")
    path = place.repo / ".orange" / "config.yaml"
    path.write_text(path.read_text().replace("isolation: sandbox", "isolation: sandbox, network: none"))
    place.create("alone")
    place.start()
    place.settled({"alone": "done"})
    assert place.git("show", "refs/orange/base/main:lines.txt") == "3"


@pytest.mark.parametrize(
    ("bubblewrap", "words"),
    [
        (None, "bubblewrap is not installed: install it"),
        ("echo 'bwrap: no user namespaces' >&2; exit 1", "does not work here (bwrap: no user namespaces)"),
    ],
)
def test_without_bubblewrap_the_run_is_refused(place: Place, bubblewrap: str | None, words: str) -> None:
    """An agent is never run less isolated than the settings say; the task and the doctor say what is missing."""
    programs = place.home / "bin"
    programs.mkdir()
    for program in ("git", "tmux", "sh", "python3", "env", "ps"):
        if found := shutil.which(program):
            (programs / program).symlink_to(found)
    if bubblewrap is not None:
        (programs / "bwrap").write_text(f"#!/bin/sh\n{bubblewrap}\n")
        (programs / "bwrap").chmod(0o755)
    place.extra["PATH"] = str(programs)
    _agent(place, "touch ran\n")
    task = place.create("refused")
    place.start()
    place.settled({"refused": "stuck"})
    stuck = place.task(task)["stuck"]
    assert stuck["reason"] == "agent_missing"
    assert words in stuck["message"]
    checks = json.loads(place.orange("doctor", "--json", fails=True).out)["checks"]
    assert [check["ok"] for check in checks if check["check"] == "sandbox"] == [False]


def test_the_commands_of_a_pipeline_run_in_the_sandbox_too(place: Place) -> None:
    """What a command or condition of a step starts is the agent's work: it reaches the workspace and nothing else."""
    folder = place.repo / ".orange" / "pipelines"
    folder.mkdir()
    tries = f"touch made; touch {place.home}/escaped; touch {place.repo}/escaped"
    command = f"- name: test\n  condition: '{tries}; true'\n  run: '{tries}; test -e made'\n"
    (folder / "task.yaml").write_text(f"steps:\n- implement\n{command}- commit\n")
    _agent(place, 'cat "$ORANGE_PROMPT_FILE"; orange task show; echo step $ORANGE_STEP')
    place.orange("task", "create", "work")
    place.start()
    place.settled({"work": "done"})
    assert "step implement" in enclosed.log_of(place)
    assert not (place.home / "escaped").exists()
    assert not (place.repo / "escaped").exists()
    assert "made" in place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines()
