"""Reviews, end to end: what people say of lines, and what they decide."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

BY_PEOPLE = "agent: script\nreview: {by: human}\n"


def prompt(place: Place, run: str) -> str:
    """Return what a run's agent was told."""
    path: Path = place.repo / ".git" / "orange" / "runs" / run / "prompt.md"
    return path.read_text()


def test_comments_on_lines_go_to_the_agent_in_one_batch(place: Place) -> None:
    """They wait, are shown, outlive the daemon, and one `reject` sends them all; then none waits."""
    configure(place, BY_PEOPLE)
    task = place.create("page", "attempt 1: write page.txt x\nappend page.txt y\ncommit Write the page")
    daemon = place.start()
    place.settled({"page": "reviewing"})
    place.orange("task", "comment", task, "--file", "page.txt", "--line", "1", "--text", "Say why")
    daemon.kill()
    daemon.wait()
    said = place.orange("task", "comment", task, "--file", "./page.txt", "--line", "2", "--text", "Too short\nby far")
    assert said.out == f"2 comments wait: `orange task reject {task}` sends them\n"
    shown = place.orange("task", "review", task, "--json").json["comments"]
    assert [(one["file"], one["line"], one["text"], one["by"]) for one in shown] == [
        ("page.txt", 1, "Say why", shown[0]["by"]),
        ("page.txt", 2, "Too short\nby far", shown[0]["by"]),
    ]
    assert place.task(task)["comments"] == shown
    assert "page.txt:1: Say why" in place.orange("task", "show", task).out
    place.orange("task", "reject", task)
    assert place.task(task)["comments"] == []
    assert place.task(task)["review_round"] == 1
    place.start()
    place.until(lambda: (place.task(task)["claim"] or {})["epoch"] == 2, "the work to be taken up again")
    place.settled({"page": "reviewing"})
    assert "> page.txt:1: Say why\n> page.txt:2: Too short\n>     by far\n" in prompt(place, f"{task}-2")


def test_a_comment_on_what_is_not_there_is_refused(place: Place) -> None:
    """One sentence says what is wrong; nothing is kept. With nothing to say there is nothing to reject."""
    configure(place, BY_PEOPLE)
    task = place.create("page", "write page.txt x\ncommit Write the page\nrun rm -f README.md\ncommit Tidy")
    early = place.orange("task", "comment", task, "--file", "page.txt", "--line", "1", "--text", "x", fails=True)
    assert "only a task under review" in early.err
    place.start()
    place.settled({"page": "reviewing"})

    def refused(file: str, line: int) -> str:
        answer = place.orange("task", "comment", task, "--file", file, "--line", str(line), "--text", "x", fails=True)
        assert (answer.status, answer.out) == (1, "")
        return answer.err

    assert "other.txt is not changed by the branch" in refused("other.txt", 1)
    assert "README.md is not a file on the branch" in refused("README.md", 1)
    assert "page.txt has 1 line on the branch, not 2" in refused("page.txt", 2)
    assert "say what to change" in place.orange("task", "reject", task, fails=True).err
    assert place.task(task)["comments"] == []


def test_an_approval_takes_the_comments_along(place: Place) -> None:
    """They stay in the task's events and are not sent to anybody; the work is merged."""
    configure(place, BY_PEOPLE)
    task = place.create("page", "write page.txt x\ncommit Write the page")
    place.start()
    place.settled({"page": "reviewing"})
    place.orange("task", "comment", task, "--file", "page.txt", "--line", "1", "--text", "Nice")
    place.orange("task", "approve", task)
    place.settled({"page": "done"})
    assert place.task(task)["comments"] == []
    told = [event["data"] for event in place.orange("task", "events", task, "--json").json["events"]]
    assert [data["text"] for data in told if data.get("review") == "comment"] == ["Nice"]
    assert [data["comments"] for data in told if data.get("review") == "approved"] == [1]
