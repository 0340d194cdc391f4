"""Rate limits with a program that only looks like Claude Code: who is held back, for how long, and who takes over."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: Refused while there is a file that says until when; else it makes a file and commits it.
PROGRAM = """#!/bin/sh
cat > /dev/null
echo "$ORANGE_TASK $*" >> HOME/started
say() { printf '%s\\n' "$1"; }
say '{"type":"system","subtype":"init","session_id":"talk-of-'$ORANGE_TASK'","model":"m"}'
if [ -e HOME/limit ]; then
    say '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$(cat HOME/limit)'}}'
    say '{"type":"result","is_error":true,"api_error_status":429,"result":"You have reached your limit"}'
    exit 1
fi
echo made > $ORANGE_TASK.txt && git add . && git commit -q -m Make
say '{"type":"result","is_error":false,"usage":{"input_tokens":1,"output_tokens":1}}'
"""


@pytest.fixture
def limited(place: Place) -> Place:
    """A user with such a program, which is refused for an hour."""
    program = place.home / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(PROGRAM.replace("HOME", str(place.home)))
    program.chmod(0o755)
    place.extra["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    configure(place, "agent: claude\nreview: {by: none}\n")
    (place.home / "limit").write_text(str(int(time.time()) + 3600))
    return place


def started(place: Place, task: str) -> list[str]:
    """Return the arguments of each start of the program for a task."""
    path = place.home / "started"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.partition(" ")[2] for line in lines if line.startswith(task)]


def limits(place: Place, task: str) -> list[dict[str, Any]]:
    """Return what `task why` says of limits."""
    return [line for line in place.why(task) if line["code"] == "rate_limit"]


def end_of(place: Place, *runs: str) -> None:
    """Let the limit be over, as if the hour had passed: no daemon may run."""
    (place.home / "limit").unlink()
    (place.home / "state" / "orange" / "refusals.json").unlink()
    for run in runs:
        path = place.repo / ".git" / "orange" / "runs" / run / "agent.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "limited_until": 1}))


def stop(place: Place) -> None:
    """Kill the daemon."""
    place.daemons[-1].kill()
    place.daemons[-1].wait()


def test_a_limit_holds_for_all_projects_and_after_a_restart(limited: Place, tmp_path: Path) -> None:
    """One account, one limit: another project waits too, says for whom, and both go on when it is over."""
    other = replace(limited, repo=tmp_path / "other", daemons=limited.daemons)
    limited.git("clone", "-q", str(limited.repo), str(other.repo))
    other.orange("init")
    configure(other, "agent: claude\nreview: {by: none}\n")
    for project in (other, limited):
        project.orange("daemon", "start")  # registers it
    limited.orange("daemon", "stop")
    first = limited.create("first")
    limited.start("--registered")
    limited.until(lambda: limits(limited, first), "the first to be parked")
    limited.until((limited.home / "state" / "orange" / "refusals.json").exists, "the others to be told")
    second = other.create("second")
    third = other.create("third", "write third.txt 3\ncommit Third", "--agent", "script")
    other.settled({"third": "done"})
    assert f"({limited.repo} met the limit)" in limits(other, second)[0]["message"]
    stop(limited)
    limited.start("--registered")
    fourth = other.create("fourth", "", "--agent", "script")
    other.settled({"fourth": "done"})
    assert [limits(other, task)[0]["evidence"] for task in (second, second)] == [f"{first}-1"] * 2
    assert limited.task(first)["status"] == "working"
    assert (len(started(limited, first)), started(limited, second)) == (1, [])
    assert {third, fourth} & {line.split()[0] for line in (limited.home / "started").read_text().splitlines()} == set()
    stop(limited)
    end_of(limited, f"{first}-1")
    limited.start("--registered")
    limited.settled({"first": "done"})
    other.settled({"second": "done"})
    assert f"--resume talk-of-{first}" in started(limited, first)[1]
    assert limited.task(first)["attempts"] == 0


def test_a_fallback_takes_new_work_and_no_conversation(limited: Place) -> None:
    """While its agent is refused a new task is given to the fallback, on record; the parked one waits and goes on."""
    configure(limited, "agent: claude\nmodel: its-own\nreview: {by: human}\nagents: {claude: {fallback: script}}\n")
    parked = limited.create("parked")
    limited.start()
    limited.until(lambda: limits(limited, parked), "the first to be parked")
    fresh = limited.create("fresh", "write fresh.txt 1\nattempt 2: append fresh.txt 2\ncommit Fresh")
    limited.settled({"fresh": "reviewing"})
    events = limited.orange("task", "events", fresh, "--json").json["events"]
    (assigned,) = [event["data"] for event in events if event["type"] == "task.assigned"]
    assert assigned == {"run": f"{fresh}-1", "agent": "script", "instead_of": "claude"}
    spec = json.loads((limited.repo / ".git" / "orange" / "runs" / f"{fresh}-1" / "spec.json").read_text())["spec"]
    assert (spec["agent"], spec["model"]) == ("script", None)
    assert limits(limited, parked)
    stop(limited)
    end_of(limited, f"{parked}-1")
    limited.start()
    limited.settled({"parked": "reviewing"})
    assert "--model its-own --resume talk-of-" in started(limited, parked)[1]
    limited.orange("task", "reject", fresh, "--feedback", "More")
    limited.until(lambda: limited.task(fresh)["claim"]["epoch"] == 2, "it to be taken up again")
    limited.settled({"fresh": "reviewing"})
    assert started(limited, fresh) == []


#: In the first review it meets a limit; it answers in every other.
REVIEWS = """if [ "$ORANGE_STEP" = review ]; then
    [ -e HOME/reviewed ] || cp HOME/later HOME/limit
    touch HOME/reviewed
    echo '{"verdict": "PASS", "findings": []}' > orange-review.json
fi
"""


def test_a_review_goes_on_in_its_conversation(limited: Place) -> None:
    """A reviewer that is refused uses up no attempt, and is told to go on once the limit is over, not to begin anew."""
    program = limited.home / "bin" / "claude"
    begun = "say() {"
    program.write_text(program.read_text().replace(begun, REVIEWS.replace("HOME", str(limited.home)) + begun))
    (limited.home / "limit").rename(limited.home / "later")
    configure(limited, "agent: claude\nreview: {by: agent}\n")
    task = limited.create("looked-at")
    limited.start()
    limited.until(lambda: limits(limited, task), "the review to be refused")
    limited.until((limited.home / "state" / "orange" / "refusals.json").exists, "it to be known")
    stop(limited)
    end_of(limited, f"review-{task}-2")
    limited.start()
    limited.settled({"looked-at": "done"})
    assert f"--resume talk-of-{task}" in started(limited, task)[2]
    told = limited.repo / ".git" / "orange" / "runs" / f"review-{task}-3" / "followup.md"
    assert "Your review was cut off" in told.read_text()
    assert limited.task(task)["attempts"] == 0
