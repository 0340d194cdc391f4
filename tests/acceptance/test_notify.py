"""`notify.command`: a person is told what needs them, once, and nothing waits for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def notify(place: Place, command: str) -> None:
    """Set the user's command."""
    path = place.home / "config" / "orange" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"notify": {"command": command}}))


def told(path: Path) -> list[dict[str, Any]]:
    """Return what was told so far, one line each."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kept(place: Place) -> list[str]:
    """Return the keys of what orange knows to have told."""
    path = place.repo / ".git" / "orange" / "notified.json"
    return list(json.loads(path.read_text())["told"]) if path.exists() else []


def test_a_person_is_told_what_needs_them_once(place: Place) -> None:
    """A question, a failure, a review and the end of all work: each once, also after a restart."""
    log, words = place.home / "told", place.home / "words"
    notify(place, f'cat >> {log}; echo >> {log}; echo "$ORANGE_EVENT $ORANGE_NAME" >> {words}')
    configure(place, "agent: script\nlimits: {attempts: 1}\n")
    asks = place.create("asks", "attempt 1: ask Which colour?")
    fails = place.create("fails", "fail 3 no")
    page = place.create("page", "write page.txt x\ncommit Page")
    daemon = place.start()
    place.until(lambda: len(told(log)) == 3, "three to be told")
    assert {(found["event"], found["task"]) for found in told(log)} == {
        ("question", asks),
        ("stuck", fails),
        ("review", page),
    }
    (question,) = [found for found in told(log) if found["event"] == "question"]
    assert question == {
        "event": "question", "message": "Which colour?", "task": asks, "name": "asks", "title": "asks",
        "project": str(place.repo),
    }  # fmt: skip
    place.until(lambda: len(kept(place)) == 3, "that to be kept")
    daemon.kill()
    daemon.wait()
    place.start()
    place.orange("task", "approve", page)
    for task in (asks, fails):
        place.orange("task", "cancel", task)
    place.until(lambda: "all_done \n" in words.read_text(), "the end to be told")
    assert sorted(words.read_text().splitlines()) == ["all_done ", "question asks", "review page", "stuck fails"]


def test_a_command_that_fails_or_hangs_holds_nothing_up(place: Place) -> None:
    """Work goes on meanwhile, and what is wrong with the command is in the daemon's log, once."""
    gate = place.home / "gate"
    notify(place, f"while [ ! -e {gate} ]; do sleep 0.05; done; echo no bell >&2; exit 3")
    configure(place, "agent: script\nlimits: {attempts: 1, consecutive_failures: 99}\nreview: {by: none}\n")
    for name in ("one", "two"):
        place.create(name, "fail 3 no")
    place.start()
    place.settled({"one": "stuck", "two": "stuck"})
    place.create("works", "write a.txt a\ncommit A")
    place.settled({"works": "done"})
    gate.touch()
    place.until(lambda: len(kept(place)) == 2, "both to be told")
    assert (place.home / "daemon.out").read_text().count("notify.command: it ended with exit code 3: no bell") == 1
