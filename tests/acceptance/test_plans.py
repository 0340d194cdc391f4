"""From a document to merged work: decomposed, edited by hand, imported, worked off in order, changed, and so on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.data.pdfs import printed

#: What each requirement builds on, by number.
AFTER = {
    2: [1],
    3: [2],
    5: [4],
    6: [5, 3],
    8: [7],
    9: [8],
    10: [9],
    12: [11],
    13: [12],
    14: [13, 10],
    15: [14],
    16: [15],
}


#: Two more requirements, at the end of the second group.
MORE = """- **REQ-20**: The shop must have a sign
  ```script
  write sign.txt open
  ```
- **REQ-21**: The sign must shine, after REQ-20
  ```script
  require sign.txt
  write light.txt on
  ```

## Out"""


def requirement(number: int, words: str = "a part") -> str:
    """Word one requirement, with what the scripted agent does for it."""
    needs = AFTER.get(number, [])
    said = f" Depends on {' and '.join(f'REQ-{other}' for other in needs)}." if needs else ""
    steps = [*(f"require part-{other}.txt" for other in needs), f"write part-{number}.txt {number}"]
    script = "\n".join(f"  {line}" for line in ["```script", *steps, "```"])
    return f"- **REQ-{number}**: The shop must have {words} with the number {number}.{said}\n{script}\n"


def document(numbers: list[int]) -> str:
    """Write a document of two groups."""
    parts = {"Basket": [n for n in numbers if n < 9], "Till": [n for n in numbers if n >= 9]}
    text = "# Product Requirements: Shop\n\n## Overview\nA shop.\n\n## Requirements\n"
    for name, group in parts.items():
        text += f"\n### {name}\n\n" + "".join(requirement(n) for n in group)
    return text + "\n## Out of scope\n- An app\n"


def write(place: Place, text: str, name: str = "prd.md") -> str:
    """Write a document beside the code."""
    (place.repo / name).write_text(text)
    return name


def plan_file(place: Place) -> Path:
    """Return the only plan's file."""
    (found,) = (place.repo / ".orange" / "plans").glob("*.md")
    return found


def tasks(place: Place) -> dict[str, dict[str, Any]]:
    """Return all tasks by their keys in the plan."""
    found = place.orange("task", "list", "--all", "--json").json["tasks"]
    return {task["source"]["reference"].partition(":")[2]: task for task in found}


def kinds(answer: Any) -> dict[str, str]:
    """Return what an import does to each task."""
    return {step["key"]: step["kind"] for step in answer["steps"] if step["kind"] != "same"}


def test_a_document_becomes_merged_work_in_its_order(place: Place) -> None:
    """Sixteen requirements in two groups; corrected by hand, imported, all done; then the document changes."""
    configure(place, "agent: script\nreview: {by: none}\n")
    file = write(place, document(list(range(1, 17))))
    made = place.orange("plan", "decompose", file, "--auto-ready", "--json").json["plan"]
    assert made["summary"]["leaf_count"] == 16
    assert {(edge["from"], edge["to"]) for edge in made["dependencies"]} == {
        (f"req-{before}", f"req-{after}") for after, needs in AFTER.items() for before in needs
    }
    plan = plan_file(place)
    edited = plan.read_text().replace("### req-7: ", "### req-7: By hand: ")
    edited = re.sub(r"(### req-11: .*\n\n)", r"\1- after: req-1: the till stands on it\n", edited)
    plan.write_text(edited)
    shown = place.orange("plan", "review").out
    assert "By hand" in shown
    assert "after req-1: the till stands on it" in shown
    assert place.orange("plan", "import", "--json").json["confirmed"] is False
    assert place.statuses() == {}
    answer = place.orange("plan", "import", "--confirm", "--json").json
    assert set(kinds(answer).values()) == {"add"}
    found = tasks(place)
    assert found["req-7"]["title"].startswith("By hand")
    assert found["req-11"]["blocked_by"] == [found["req-1"]["id"]]
    assert found["basket"]["status"] == "delegated"
    assert len(found["basket"]["children"]) == 8
    place.start()
    place.settled({task["name"]: "done" for task in found.values()}, 300.0)
    made_files = set(place.git("ls-tree", "--name-only", "refs/orange/base/main").split())
    assert made_files == {"README.md", *(f"part-{number}.txt" for number in range(1, 17))}
    # The document changes: two are added, one is reworded, one is gone; what is done stays done.
    numbers = [number for number in range(1, 17) if number != 8]
    text = document(numbers).replace(requirement(7), requirement(7, "another part"))
    write(
        place,
        text.replace("\n## Out", MORE),
    )
    changes = place.orange("plan", "decompose", file, "--json").json["changes"]  # as before: ready at once
    assert {change["key"]: change["kind"] for change in changes} == {
        "req-20": "added", "req-21": "added", "req-7": "kept", "req-8": "obsolete", "req-9": "changed",
    }  # fmt: skip
    assert kinds(place.orange("plan", "review", "--json").json) == {"req-20": "add", "req-21": "add", "req-9": "keep"}
    place.orange("plan", "import", plan_file(place).stem, "--confirm")
    found = tasks(place)
    assert found["till"]["status"] == "delegated"  # it was done, and has more to do
    place.settled({found[key]["name"]: "done" for key in ("req-20", "req-21", "till", "req-8")}, 300.0)


def test_the_difference_touches_only_what_nobody_started(place: Place) -> None:
    """Added ones are made, changed ones follow, what is gone is cancelled; what runs is left alone."""
    file = write(place, "- [ ] T01 Add one\n- [ ] T02 Add two after T01\n- [ ] T03 Add three\n- [ ] T04 Add four\n")
    place.orange("plan", "create", file, "--auto-import")
    place.orange("task", "update", "T03", "--status", "pending")
    place.orange("task", "take", "T03")
    write(place, "- [ ] T01 Add one\n- [ ] T02 Add the second\n- [ ] T03 Add thirty\n- [ ] T05 Add five after T01\n")
    place.orange("plan", "decompose", file)
    before = tasks(place)
    assert kinds(place.orange("plan", "import", "--json").json) == {
        "t02": "change",
        "t03": "keep",
        "t05": "add",
        "t04": "drop",
    }
    assert tasks(place) == before
    place.orange("plan", "import", "--confirm")
    found = tasks(place)
    assert (found["t02"]["title"], found["t02"]["blocked_by"]) == ("Add the second", [])
    assert (found["t03"]["title"], found["t03"]["status"]) == ("Add three", "working")
    assert (found["t04"]["status"], found["t05"]["blocked_by"]) == ("cancelled", [found["t01"]["id"]])
    again = place.orange("plan", "import", plan_file(place).stem, "--confirm", "--json").json
    assert kinds(again) == {"t03": "keep"}


def test_importing_twice_or_at_once_makes_one_set(place: Place) -> None:
    """All of it in one commit; again, and by eight at the same time, nothing more. The document is a PDF."""
    (place.repo / "prd.pdf").write_bytes(printed(document(list(range(1, 17)))))
    place.orange("plan", "decompose", "prd.pdf")
    name = plan_file(place).stem
    argv = place.argv("plan", "import", name, "--confirm")
    racing = [subprocess.Popen(argv, cwd=place.repo, env=place.env, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [one.wait() for one in racing] == [0] * 8
    assert len(tasks(place)) == len(place.statuses()) == 18
    answer = place.orange("plan", "import", name, "--confirm")
    assert "imported already" in answer.out
    assert len(place.statuses()) == 18
    log = place.git("log", "--format=%s", "--diff-filter=A", "orange-tasks", "--", "tasks")
    assert log == f"import plan plans/{name}.md"
    assert place.orange("plan", "list", "--json").json["plans"][0]["status"] == "imported"


def test_a_killed_import_is_all_or_nothing(place: Place) -> None:
    """Whenever it is killed; the next one makes it whole, once."""
    file = write(place, document(list(range(1, 17))))
    place.orange("plan", "decompose", file)
    name = plan_file(place).stem
    argv = place.argv("plan", "import", name, "--confirm")
    for call, number in (("fsync", 1), ("rename", 1), ("rename", 2), ("fsync", 9)):
        line = ["strace", "-qq", "-f", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
        ended = subprocess.run(
            [*line, "-o", os.devnull, *argv], cwd=place.repo, env=place.env, capture_output=True, check=False
        )
        assert ended.returncode in {0, -signal.SIGKILL, 128 + signal.SIGKILL}
        assert len(place.statuses()) in {0, 18}
    place.orange("plan", "import", name, "--confirm")
    assert len(tasks(place)) == len(place.statuses()) == 18


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to do"),
        ("Build it.\n", "only one thing to do"),
        ("a\0b", "no text"),
        ("- [ ] Add ghp_0123456789abcdefghijklmnopqrstuvwxyz\n- [ ] Add two\n", "secret"),
    ],
)
def test_a_document_that_is_no_plan_is_refused(place: Place, text: str, said: str) -> None:
    """In one sentence; nothing is written."""
    answer = place.orange("plan", "decompose", write(place, text), fails=True)
    assert said in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert not list((place.repo / ".orange").glob("plans/*"))


def test_a_plan_that_is_wrong_names_its_line(place: Place) -> None:
    """In the list and at the import; no task is made."""
    place.orange("plan", "decompose", write(place, "- [ ] T01 Add one\n- [ ] T02 Add two\n"))
    plan = plan_file(place)
    whole = plan.read_text()
    plan.write_text(whole.replace("- priority: medium", "- priority: hgih", 1))
    line = whole[: whole.index("- priority: medium")].count("\n") + 1
    for words in (["plan", "review"], ["plan", "import", "--confirm"]):
        answer = place.orange(*words, fails=True)
        assert f"plans/{plan.name}:{line}: t01: priority: 'hgih' is not known" in answer.err
        assert "did you mean 'high'" in answer.err
    assert place.orange("plan", "list", "--json").json["plans"][0]["problems"][0]["line"] == line
    assert place.statuses() == {}


def test_an_order_that_closes_a_cycle_on_the_board_is_refused(place: Place) -> None:
    """Somebody made a task of the plan wait for one that waits for it; nothing is changed then."""
    file = write(place, "- [ ] T01 Add one\n- [ ] T02 Add two\n")
    place.orange("plan", "create", file, "--auto-import")
    place.orange("task", "update", "T01", "--blocked-by", "T02")
    write(place, "- [ ] T01 Add one\n- [ ] T02 Add two after T01\n")
    place.orange("plan", "decompose", file)
    before = tasks(place)
    assert "cycle" in place.orange("plan", "import", "--confirm", fails=True).err
    assert tasks(place) == before
