"""`orange stats`: what runs took and came to, from their records."""

from __future__ import annotations

import re
from pathlib import Path

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

ROOT = Path(__file__).resolve().parents[2]


def test_runs_and_tasks_are_counted_as_they_went(place: Place) -> None:
    """Attempts, failures, outcomes and estimates are those of the work; a task's figures include what is below it."""
    assert place.orange("stats").out == "no run has begun yet\n"
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    good = place.create("good", "write good.txt", "--estimate", "S", "--type", "chore")
    bad = place.create("bad", "fail", "--parent", good)
    place.create("never", "", "--backlog")
    place.orange("daemon", "run", "--once")
    found = place.orange("stats", "--since", "1d", "--json").json
    assert found["total"]["runs"] == found["total"]["tasks"] == 2
    assert found["total"]["failed"] == 1
    assert found["outcomes"] == {"failed": 1, "finished": 1}
    tasks = {row["name"]: row for row in found["tasks"]}
    assert (tasks["good"]["status"], tasks["good"]["outcome"], tasks["good"]["attempts"]) == ("done", "finished", 1)
    assert (tasks["bad"]["status"], tasks["bad"]["outcome"], tasks["bad"]["failed"]) == ("stuck", "failed", 1)
    assert [row["agent"] for row in found["agents"]] == ["script"]
    assert sorted(row["type"] for row in found["types"]) == ["chore", "task"]
    assert [(row["estimate"], row["tasks"]) for row in found["estimates"]] == [("S", 1)]
    assert place.orange("stats", "--task", bad, "--json").json["total"]["runs"] == 1
    assert place.orange("stats", "--task", good, "--json").json["total"]["runs"] == 2
    text = place.orange("stats").out
    assert "2 runs of 2 tasks" in text
    assert "minutes by day" in text
    assert f"{bad}-1" in place.orange("stats", "--task", bad).out


def test_the_page_names_every_key(place: Place) -> None:
    """What --json prints is documented, key by key."""
    place.create("good", "write good.txt", "--estimate", "S")
    place.orange("daemon", "run", "--once")
    found = place.orange("stats", "--json").json
    page = (ROOT / "docs/reference/stats.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", page))
    keys = set(found) | {key for value in found.values() if isinstance(value, list) for row in value for key in row}
    assert keys <= told, keys - told
