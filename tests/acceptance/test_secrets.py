"""Secrets stay out of everything that orange writes."""

from __future__ import annotations

import base64
import os
import random
import string
import urllib.parse
from pathlib import Path

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

KINDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")
#: Prints every secret it finds plainly, in base64 at all three alignments, and for URLs; in one go and byte by byte.
PROGRAM = """
import base64, os, subprocess, sys, time, urllib.parse
for name in sorted(os.environ):
    if name.startswith("PLANTED_"):
        value = os.environ[name].encode()
        for shift in range(3):
            print(base64.b64encode(b"u" * shift + value + b":tail").decode())
            print(base64.urlsafe_b64encode(b"u" * shift + value).decode())
        print("plain", value.decode(), "url", urllib.parse.quote(value, safe=""), flush=True)
        for byte in value[:4] + b" " + value:
            os.write(1, bytes([byte]))
print()
print("provider", os.environ["AUTH_PROVIDER"], "key", os.environ["MY_KEY"])
first = os.environ["PLANTED_00_TOKEN"]
open("made.txt", "w").write("password: " + first + "\\n")
print("ghp_" + "a1B2" * 9, "https://ada:" + first + "@example.org/x.git")
plan = "APPROACH: " + first
print(subprocess.run(["orange", "task", "write", "Plan", "-"], input=plan, text=True, capture_output=True))
if "asking" in os.environ["ORANGE_TASK_FILE"]:
    for words in (["ask", "Is " + first + " right?"], ["task", "update", "--status", "stuck", "--message", first]):
        print(subprocess.run(["orange", *words], capture_output=True, text=True))
    sys.exit(0)
sys.exit("it failed with " + first)
"""


def _planted() -> dict[str, str]:
    source = random.Random(7)
    letters = string.ascii_letters + string.digits + "+/=&%:;!?~ "
    made = ("".join(source.choices(letters, k=source.randint(12, 70))).strip() + "x1" for _ in range(40))
    return {f"PLANTED_{number:02}_{KINDS[number % 4]}": value for number, value in enumerate(made)}


def _written(place: Place) -> dict[Path, bytes]:
    """Return all that orange wrote: records, events, task files and runs in the repository, and the user's logs."""
    roots = (place.repo / ".orange", place.repo / ".git" / "orange", place.home)
    files = (path for root in roots for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {path: path.read_bytes() for path in files}


def _forms(value: str) -> list[bytes]:
    data = value.encode()
    whole = [base64.b64encode(b"u" * shift + data)[-(-shift * 8 // 6) + 1 : -5] for shift in range(3)]
    return [data, *whole, *(form.translate(bytes.maketrans(b"+/", b"-_")) for form in whole),
            urllib.parse.quote(value, safe="").encode()]  # fmt: skip


def test_forty_planted_secrets_appear_nowhere(place: Place) -> None:
    """What an agent prints, asks, commits and fails with is written without the secrets of its environment."""
    planted = _planted()
    place.extra |= planted | {"AUTH_PROVIDER": "local", "MY_KEY": "1"}
    program = place.home / "agent.py"
    program.write_text(PROGRAM)
    agents = f"agents: {{command: {{run: python3 {program}}}}}\nworkspaces: {{copy: []}}\n"
    agents += "environment: {command: \"env | grep -E '^(PLANTED_|AUTH_PROVIDER=|MY_KEY=)'\"}\n"
    configure(place, "agent: command\nreview: {by: none}\nlimits: {attempts: 1}\n" + agents)
    for name in ("failing", "asking"):
        place.create(name)
    place.start()
    place.settled({"failing": "stuck", "asking": "stuck"})
    place.until(lambda: len(list((place.repo / ".git/orange/runs").glob("*/result.json"))) == 2, "the runs' results")
    place.close()
    written = _written(place)
    names = {path.name for path in written}
    assert {"output.log", "error.md", "result.json", "run_summary.json", "events.jsonl", "changes.patch"} <= names
    found = [(path, name) for name, value in planted.items() for form in _forms(value)
             for path, data in written.items() if form in data]  # fmt: skip
    assert not found
    assert not [path for path, data in written.items() if b"ghp_a1B2" in data and path != program]
    for log in (data for path, data in written.items() if path.name == "output.log"):
        assert b"provider local key 1" in log
        assert b"https://[redacted]@example.org/x.git" in log


def test_an_agent_is_given_nothing_that_it_does_not_need(place: Place) -> None:
    """The variables of the daemon's environment stay there, but for those that every program or this agent needs."""
    place.extra |= {"OUTER_TOKEN": "outer-t0ken-value", "DATABASE_URL": "db", "TZ": "UTC", "LC_TIME": "C"}
    run = "env | sort > got.txt"
    agents = f"agents: {{command: {{run: '{run}', env: {{GIVEN: 'env:OUTER_TOKEN', PLAIN: 'yes'}}}}}}\n"
    configure(place, "agent: command\nreview: {by: none}\n" + agents)
    place.create("looking")
    place.start()
    place.settled({"looking": "done"})
    lines = place.git("show", "refs/orange/base/main:got.txt").splitlines()
    got = dict(line.split("=", 1) for line in lines if "=" in line)
    assert not {"OUTER_TOKEN", "DATABASE_URL", "TMUX", "TMUX_PANE"} & set(got)
    assert {"GIVEN": "outer-t0ken-value", "PLAIN": "yes", "TZ": "UTC", "LC_TIME": "C"}.items() <= got.items()
    assert {"PATH", "HOME", "XDG_RUNTIME_DIR", "ORANGE_TASK"} <= set(got)


def test_a_task_cannot_be_given_a_secret(place: Place) -> None:
    """A token in a task's text is refused, and in a hand-edited file it is a problem naming the line."""
    token = "ghp_" + "a1B2" * 9
    for args in (
        ("task", "create", "a", "--body", f"Use\n{token}"),
        ("task", "create", f"with {token}"),
        ("task", "create", "a", "--criterion", f"logs in with {token}"),
        ("task", "create", "a", "--label", token),
    ):
        refused = place.orange(*args, fails=True)
        assert "secret" in refused.err
        assert token not in refused.err
    task = place.create("fine")
    assert token not in place.orange("task", "update", task, "--add-label", token, fails=True).err
    answer = place.orange("task", "write", "Context", "-", cwd=place.repo, stdin=f"one\ntwo {token}", fails=True)
    assert token not in answer.err
    path = place.repo / ".orange" / place.task(task)["path"]
    before = path.read_text()
    path.write_text(before + f"\nlogin with {token}\n")
    problems = place.orange("status", "--json").json["projects"][0]["problems"]
    assert [problem["line"] for problem in problems] == [before.count("\n") + 2]
    assert token not in str(problems)
    path.write_text(before)
    assert place.task(task)["status"] == "pending"


VAULT = """#!/bin/sh
[ "$1 $2 $3 $4" = "kv get -field=token secret/team/github" ] || { echo "no such secret" >&2; exit 2; }
echo from-v4ult-value
"""
SETTINGS = """agent: command
review: {by: none}
limits: {attempts: 1}
environment: {command: 'echo "FROM_COMMAND=pr1nted value"; echo OVER=first'}
agents:
  command:
    run: 'echo "$GIVEN_ENV,$GIVEN_VAULT,$FROM_COMMAND,$OVER" > got.txt; echo "log: $GIVEN_ENV $GIVEN_VAULT"'
    env: {GIVEN_ENV: 'env:OUTER', GIVEN_VAULT: 'REFERENCE', OVER: second}
"""


def test_references_are_resolved_where_they_are_used(place: Place) -> None:
    """An agent gets the values of its references and of the configured command; no record has more than the places."""
    program = place.home / "bin" / "vault"
    program.parent.mkdir()
    program.write_text(VAULT)
    program.chmod(0o755)
    place.extra |= {"OUTER": "correct-h0rse", "PATH": f"{program.parent}:{os.environ['PATH']}"}
    configure(place, SETTINGS.replace("REFERENCE", "vault://secret/team/github#token"))
    place.create("given")
    place.start()
    place.settled({"given": "done"})
    assert place.git("show", "refs/orange/base/main:got.txt") == "correct-h0rse,from-v4ult-value,pr1nted value,second"
    place.close()
    runs = [data for path, data in _written(place).items() if ".git/orange" in str(path)]
    assert any(b"log: [redacted] [redacted]" in data for data in runs)
    assert any(b"vault://secret/team/github#token" in data for data in runs)
    assert not [data for data in runs if b"correct-h0rse" in data or b"from-v4ult" in data]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("env:NOT_SET_HERE", "the variable GIVEN_VAULT is to come from env:NOT_SET_HERE, but NOT_SET_HERE is not set"),
        ("vault://secret/team/github#token", "'vault' is not installed"),
    ],
)
def test_a_secret_that_is_not_there_stops_the_run(place: Place, reference: str, words: str) -> None:
    """Nothing takes the place of a secret that cannot be had: the agent is not started, and the task says why."""
    place.extra |= {"OUTER": "correct-h0rse"}
    configure(place, SETTINGS.replace("REFERENCE", reference))
    task = place.create("missing")
    place.start()
    place.settled({"missing": "stuck"})
    stuck = place.task(task)["stuck"]
    assert stuck["reason"] == "agent_missing"
    assert words in stuck["message"]
    assert not list((place.repo / ".git/orange/runs").glob("*/output.log"))
