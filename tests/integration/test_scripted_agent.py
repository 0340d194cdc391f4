"""The scripted agent: a deterministic program that behaves like an agent, with real git and an `orange` on its PATH."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from orange.testing import repos
from orange.testing.repos import Repo

#: Stands in for orange's command: writes down how it was called and what it was given.
ORANGE = """#!/bin/sh
{ printf '%s|' "$@"; echo; cat; echo ---; } >> "$CALLS"
echo said-by-orange
exit "${ORANGE_EXIT:-0}"
"""


@dataclass
class Desk:
    """A workspace with a task."""

    repo: Repo
    root: Path

    def run(self, script: str | None, attempt: int = 1, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the agent on a task with that script."""
        body = "no script here" if script is None else f"## Context\n\n```script\n{script}\n```\n"
        folder = self.root / "write-docs-k3f9x2ab"
        folder.mkdir(exist_ok=True)
        task = folder / "TASK.md"
        task.write_text(f"---\nid: k3f9x2ab\n---\n\n{body}")
        given = {
            "ORANGE_TASK": "k3f9x2ab", "ORANGE_RUN": f"k3f9x2ab-{attempt}", "ORANGE_ATTEMPT": str(attempt),
            "ORANGE_TASK_FILE": str(task), "CALLS": str(self.root / "calls"),
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
        }  # fmt: skip
        argv = [sys.executable, "-P", "-m", "orange.adapters.runtimes.scripted_agent"]
        return subprocess.run(
            argv, cwd=self.repo.path, env={**os.environ, **given, **env}, capture_output=True, text=True, check=False
        )

    @property
    def calls(self) -> list[str]:
        """How `orange` was called, and with what."""
        return (self.root / "calls").read_text().split("---\n")[:-1]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A repository with one commit, and a stand-in for `orange`."""
    repo = repos.sample(tmp_path / "repo")
    stub = tmp_path / "bin" / "orange"
    stub.parent.mkdir()
    stub.write_text(ORANGE)
    stub.chmod(0o755)
    return Desk(repo, tmp_path)


def files(repo: Repo) -> Mapping[str, bytes]:
    """What the last commit holds."""
    return repo.tree("HEAD")


def test_without_a_script_it_commits_a_file_named_after_the_task(desk: Desk) -> None:
    """So that any task can be run."""
    done = desk.run(None)
    assert done.returncode == 0, done.stderr
    assert files(desk.repo)["write-docs-k3f9x2ab.txt"] == b"done\n"


def test_it_writes_appends_requires_and_commits(desk: Desk) -> None:
    """In order, with folders made on the way; what is left is not committed."""
    script = (
        'write src/a.txt one\nappend src/a.txt two\nrequire src/a.txt\ncommit Add a; "quoted" $(x)\nleave b.txt rest'
    )
    done = desk.run(script)
    assert done.returncode == 0, done.stderr
    assert files(desk.repo)["src/a.txt"] == b"one\ntwo\n"
    assert "b.txt" not in files(desk.repo)
    assert desk.repo.git("log", "-1", "--format=%s").strip() == 'Add a; "quoted" $(x)'
    assert Path(desk.repo.path, "b.txt").read_text() == "rest\n"


def test_a_missing_requirement_is_a_failure(desk: Desk) -> None:
    """The file and the line are named, and nothing after it is done."""
    done = desk.run("require gone.txt\nwrite a.txt x")
    assert done.returncode == 1
    assert "gone.txt" in done.stderr
    assert "line 1" in done.stderr
    assert not Path(desk.repo.path, "a.txt").exists()


def test_committing_nothing_is_no_failure(desk: Desk) -> None:
    """It says so."""
    done = desk.run("commit Nothing")
    assert (done.returncode, done.stdout) == (0, "nothing to commit\n")


def test_it_commits_where_git_knows_nobody(desk: Desk) -> None:
    """With an identity of its own, and never instead of the user's."""
    desk.repo.git("config", "--unset", "user.name")
    desk.repo.git("config", "--unset", "user.email")
    desk.repo.git("config", "user.useConfigOnly", "true")
    done = desk.run("write a.txt x\ncommit A", GIT_CONFIG_GLOBAL="/dev/null")
    assert done.returncode == 0, done.stderr
    assert desk.repo.git("log", "-1", "--format=%an").strip() == "orange script"


def test_the_users_hooks_run(desk: Desk) -> None:
    """A hook that refuses the commit fails the agent, as it would any."""
    desk.repo.hook("pre-commit", "echo refused by hook; exit 1")
    done = desk.run("write a.txt x\ncommit A")
    assert done.returncode == 1
    assert "refused by hook" in done.stdout


def test_it_speaks_to_orange_as_an_agent_does(desk: Desk) -> None:
    """Children with their bodies, sections, questions and delegation go through the command line."""
    script = (
        'create db "The schema" --type bug <<\n  ## Context\n\n  ```script\n  say hi\n  ```\n>>\ncreate ui "Button"\n'
        "section Plan APPROACH: simple\nsection Handoff\n  DONE: all\n  REMAINING: none\n"
        "ask Which one? --wait\nask Why?\ndelegate"
    )
    done = desk.run(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("said-by-orange") == 7
    assert desk.calls == [
        "task|create|db|The schema|--type|bug|--body|-|\n## Context\n\n```script\nsay hi\n```\n",
        "task|create|ui|Button|\n",
        "task|write|Plan|-|\nAPPROACH: simple\n",
        "task|write|Handoff|-|\nDONE: all\nREMAINING: none\n",
        "ask|Which one?|--wait|\n",
        "ask|Why?|\n",
        "task|update|--status|delegated|\n",
    ]


def test_a_refusal_of_orange_fails_the_agent(desk: Desk) -> None:
    """With what orange said."""
    done = desk.run("delegate\nwrite a.txt x", ORANGE_EXIT="1")
    assert done.returncode == 1
    assert "said-by-orange" in done.stdout
    assert not Path(desk.repo.path, "a.txt").exists()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("fail", 1, "the script says so"),
        ("fail 7", 7, "the script says so"),
        ("fail 7 out of luck", 7, "out of luck"),
        ("fail out of luck", 1, "out of luck"),
        ("run exit 5", 1, "exit code 5"),
        ("sing a song", 2, "line 2 of the script: 'sing' is no instruction"),
        ("sleep long", 1, "long"),
        ("crash", -9, ""),
    ],
)
def test_it_fails_as_told(desk: Desk, script: str, code: int, said: str) -> None:
    """With the exit code and words of the script; a script that makes no sense does nothing at all."""
    done = desk.run(f"say before\n{script}\nsay after")
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout.startswith("before") is (code != 2)
    assert "after" not in done.stdout


def test_attempts_differ_where_the_script_says_so(desk: Desk) -> None:
    """`fail-once` fails the first attempt only; `attempt N:` restricts any instruction."""
    script = "attempt 2: say second\nfail-once 4 first\nsay done"
    first, second = desk.run(script), desk.run(script, attempt=2)
    assert (first.returncode, first.stdout) == (4, "")
    assert (second.returncode, second.stdout) == (0, "second\ndone\n")


def test_the_ledger_testifies_once_a_run(desk: Desk, tmp_path: Path) -> None:
    """One line in one write: task, run, process and time."""
    ledger = tmp_path / "ledger"
    before = time.time()
    for attempt in (1, 2):
        assert desk.run(f"ledger {ledger}", attempt).returncode == 0
    lines = [line.split() for line in ledger.read_text().splitlines()]
    assert [line[:2] for line in lines] == [["k3f9x2ab", "k3f9x2ab-1"], ["k3f9x2ab", "k3f9x2ab-2"]]
    assert all(int(pid) > 1 and before - 1 <= float(at) <= time.time() + 1 for _, _, pid, at in lines)


def test_it_says_much_and_works_in_silence(desk: Desk) -> None:
    """For tests of logs and of stalls."""
    done = desk.run("spam 3\nwork 0.05\nsleep 0.01\nrun echo from a shell; echo to both >&2\nsay one\n  two")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "spam 0\nspam 1\nspam 2\nfrom a shell\nto both\none\ntwo\n"


def test_the_script_may_come_with_the_prompt(desk: Desk, tmp_path: Path) -> None:
    """Where the task's file cannot be read (in a sandbox), the prompt holds the same text."""
    prompt = tmp_path / "prompt.md"
    prompt.write_text("# Task\n\n```script\nsay from the prompt\n```\n")
    done = desk.run(None, ORANGE_TASK_FILE="/nowhere/TASK.md", ORANGE_PROMPT_FILE=str(prompt))
    assert done.stdout == "from the prompt\n"
