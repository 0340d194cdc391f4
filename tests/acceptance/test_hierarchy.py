"""`branches.hierarchical`: children are cut from their parent's branch and merged into it; the parent merges once."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def test_a_family_is_merged_through_its_parents_branches(place: Place) -> None:
    """Three generations, and two children in conflict: each builds on its parent's work, the base sees one merge."""
    configure(place, "agent: script\nreview: {by: none}\nbranches: {hierarchical: true}\n")
    gate = place.home / "gate"
    wait = f"attempt 1: run until [ -e {gate} ]; do sleep 0.05; done"
    epic = place.create("epic", "write p.txt 1\nwrite shared.txt parent\ncommit P\ndelegate")
    one = place.create(
        "one", "require p.txt\nappend shared.txt one\nwrite one.txt 1\ncommit One\ndelegate", "--parent", epic
    )
    place.create("two", f"require p.txt\nwrite shared.txt two\ncommit Two\n{wait}", "--parent", epic)
    place.create("grand", "require p.txt\nrequire one.txt\nwrite grand.txt 1\ncommit Grand", "--parent", one)
    outsider = place.create("out", "require grand.txt\nwrite out.txt 1\ncommit Out", "--blocked-by", one)
    place.start()
    place.settled({"grand": "done", "one": "done", "two": "working", "epic": "delegated", "out": "pending"})
    branch, two = f"orange/epic-{epic}", place.task("two")
    assert {place.task(name)["merged"]["base"] for name in ("one", "grand")} == {branch, f"orange/one-{one}"}
    place.until(lambda: place.why(outsider)[0]["code"] == "blocker_not_merged", "the outsider to wait for the parent")
    assert f"it was merged into {branch}" in place.why(outsider)[0]["message"]
    place.until(lambda: place.orange("forecast", "--json").json["conflicts"], "the second child's commit")
    (conflict,) = place.orange("forecast", "--json").json["conflicts"]
    assert (conflict["tasks"], conflict["base"], conflict["files"]) == ([two["id"]], branch, ["shared.txt"])
    assert "p.txt" not in place.orange("task", "diff", two["id"]).out
    assert place.git("ls-tree", "--name-only", "main") == "README.md"
    gate.touch()
    place.settled({"epic": "done", "two": "done", "out": "done"})
    merged = place.git("log", "--first-parent", "--merges", "--format=%s", "refs/orange/base/main").splitlines()
    assert [f"{name}-" in line for name, line in zip(("out", "epic"), merged, strict=True)] == [True, True]
    place.until(lambda: len(place.git("ls-files").split()) == 6, "main to follow")
    assert (place.repo / "shared.txt").read_text() == "two\n"
    assert place.task("two")["claim"]["epoch"] == 2
