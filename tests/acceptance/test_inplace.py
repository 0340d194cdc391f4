"""`workspaces.isolation: none`: agents take turns in the user's own checkout, and the user gets it back."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def test_agents_take_turns_in_the_users_checkout(place: Place) -> None:
    """One with work of the user's in it is not touched; then one task after the other, and a daemon that is killed."""
    configure(place, "agent: script\nreview: {by: none}\nworkspaces: {isolation: none}\n")
    gate = place.home / "gate"
    wait = f"run until [ -e {gate} ]; do sleep 0.05; done"
    first = place.create("first", f'run test "$(pwd)" = "{place.repo}"\n{wait}\nwrite a.txt 1\ncommit A\nleave x.txt 2')
    second = place.create("second", "require a.txt\nwrite b.txt 1\ncommit B", "--blocked-by", first)
    third = place.create("third", "write c.txt 1\ncommit C", "--priority", "low")
    (place.repo / "mine.txt").write_text("mine\n")
    assert "mine.txt" in place.orange("task", "run", first, fails=True).err
    daemon = place.start()
    assert [(line["code"], "mine.txt" in line["message"]) for line in place.why(first)] == [("checkout", True)]
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "Mine")
    place.until(lambda: place.git("branch", "--show-current") == f"orange/first-{first}", "the first task's branch")
    daemon.kill()
    daemon.wait()
    place.start()
    place.until(lambda: "checkout" in {line["code"] for line in place.why(third)}, "the third to wait for the checkout")
    assert place.task(first)["workspace"] == str(place.repo)
    gate.touch()
    place.settled({"first": "done", "second": "done", "third": "done"})
    place.until(lambda: place.git("branch", "--show-current") == "main", "the checkout to come back")
    place.until(lambda: place.git("ls-files").split() == sorted(FILES), "main to follow")
    assert place.git("status", "--porcelain") == ""
    place.until(lambda: place.task(second)["workspace"] is None, "the task to have no workspace any more")
    assert not list(place.repo.parent.glob("repo.workspaces/*-*"))


FILES = ["README.md", "a.txt", "b.txt", "c.txt", "mine.txt", "x.txt"]
