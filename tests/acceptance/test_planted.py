"""What an agent without a sandbox leaves behind for git to run: reported, and never run by orange."""

from __future__ import annotations

from typing import Any

from tests.acceptance.place import Place

HOOKS = ("post-merge", "post-checkout", "reference-transaction", "pre-commit", "pre-push")
SCRIPT = """
write made.txt made
commit Make something
run for hook in HOOKS; do printf '#!/bin/sh\\ntouch HOME/ran-%s\\n' $hook > REPO/.git/hooks/$hook; chmod +x REPO/.git/hooks/$hook; done; printf '[core]\\n\\tfsmonitor = touch HOME/ran-fsmonitor; false\\n[filter "x"]\\n\\tclean = touch HOME/ran-filter; cat\\n' >> REPO/.git/config; orange trust || true
"""  # noqa: E501 - an instruction of a script is one line


def _problems(place: Place) -> list[dict[str, Any]]:
    return list(place.orange("status", "--json").json["projects"][0]["problems"])


def test_planted_hooks_and_settings_are_reported_and_not_run(place: Place) -> None:
    """The task's trail and the status name each; orange merges, follows and cleans up without running any."""
    script = SCRIPT.replace("HOOKS", " ".join(HOOKS)).replace("REPO", str(place.repo)).replace("HOME", str(place.home))
    task = place.create("planter", script)
    place.start()
    place.settled({"planter": "done"})
    place.create("after", "write after.txt after")
    place.settled({"after": "done"})
    place.until((place.repo / "after.txt").exists, "the checkout to follow")
    run = f"{task}-1"
    events = [event["data"] for event in place.orange("task", "events", task, "--json").json["events"]]
    told = next(data["planted"] for data in events if data.get("planted"))
    assert [f"the hook hooks/{hook} was added during the run" for hook in sorted(HOOKS)] == told[: len(HOOKS)]
    assert "config: core.fsmonitor" in told[len(HOOKS)]
    assert "config: filter.x.clean" in told[len(HOOKS) + 1]
    problems = [problem for problem in _problems(place) if run in problem["message"]]
    assert len(problems) == len(HOOKS) + 2
    assert all("orange trust" in problem["hint"] for problem in problems)
    assert not list(place.home.glob("ran-*"))
    assert "agents cannot trust" in (place.repo / ".git/orange/runs" / run / "output.log").read_text()

    (place.repo / ".git/hooks/pre-push").unlink()
    place.until(lambda: len(_problems(place)) == len(HOOKS) + 1, "what was taken out to be no problem any more")
    place.orange("trust")
    place.until(lambda: not _problems(place), "what a person knows to be no problem any more")
