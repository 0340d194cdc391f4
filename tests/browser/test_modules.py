"""The page's pure modules, tried in the browser that runs them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from orange.core.lifecycle import TRANSITIONS, Status, board_state
from orange.web.pages import Pages

DIFF = """diff --git a/a b.txt b/a b.txt
index 1..2 100644
--- a/a b.txt
+++ b/a b.txt
@@ -1,3 +1,3 @@ head
 one
--- two
+++ 2
 three
\\ No newline at end of file
@@ -9 +9,0 @@
-nine
diff --git "a/\\303\\244\\t.txt" "b/\\303\\244\\t.txt"
new file mode 100644
--- /dev/null
+++ "b/\\303\\244\\t.txt"
@@ -0,0 +1 @@
+diff --git a/x b/x
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """An empty page that has the modules at hand; no daemon is needed for that."""
    pages, found = Pages(), browser.new_page()

    def give(route: Route) -> None:
        asked = pages.find(urlsplit(route.request.url).path)
        if asked is None:
            route.fulfill(status=404)
        else:
            route.fulfill(body=asked.body, content_type=asked.kind)

    found.route("**/*", give)
    found.goto("http://127.0.0.1:9/static/orange.svg")
    return found


def _run(page: Page, module: str, expression: str, given: object) -> Any:
    return page.evaluate(
        f"async (given) => {{ const m = await import('/static/{module}.js'); return {expression}; }}", given
    )


def test_a_diff_is_read_line_by_line(page: Page) -> None:
    """Lines have their numbers on both sides, also those that look like a head; odd names are as on the disk."""
    first, second, third = _run(page, "difftext", "m.parse(given)", DIFF)
    assert [(line["kind"], line.get("old"), line.get("now")) for line in first["lines"]] == [
        ("@", None, None), (" ", 1, 1), ("-", 2, None), ("+", None, 2), (" ", 3, 3), ("@", None, None), ("-", 9, None),
    ]  # fmt: skip
    assert (first["lines"][2]["text"], first["lines"][3]["text"]) == ("-- two", "++ 2")
    assert (first["path"], second["path"], third["path"]) == ("a b.txt", "ä\t.txt", "logo.png")
    assert second["lines"][1]["text"] == "diff --git a/x b/x"
    assert third["about"] == ["Binary files a/logo.png and b/logo.png differ"]
    assert _run(page, "difftext", "m.figures(m.parse(given))", DIFF) == {"added": 2, "removed": 2}
    assert _run(page, "difftext", "m.parse(given)", "") == []


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        (["one\ntw", "o\n"], ["one", "two", ""]),
        (["\x1b[1;31mred\x1b[0m plain"], ["red plain"]),
        (["a\x1b", "[3", "1mb"], ["ab"]),
        (["\x1b]0;title\x07shown\x1b]8;;http://x\x1b\\link"], ["shownlink"]),
        (["10 %\r50 %\r100 %\n"], ["100 %", ""]),
        (["working\r\x1b[Kdone"], ["done"]),
        (["windows\r\nlines\r\n"], ["windows", "lines", ""]),
        (["abc\b\bX"], ["aXc"]),
        (["\x00\x07bell"], ["bell"]),
        (["<b>&amp;\t漢"], ["<b>&amp;\t漢"]),
    ],
)
def test_what_a_terminal_obeys_is_no_text(page: Page, parts: list[str], lines: list[str]) -> None:
    """However it is cut into parts, orders to the terminal are left out and what was written over is gone."""
    assert _run(page, "screentext", "given.reduce(m.say, m.EMPTY).lines", parts) == lines


def test_every_move_that_is_offered_is_legal(page: Page) -> None:
    """What a page offers is in the one table; every status but the last has a way on; a column says yes or why not."""
    moves = [{"from": source, "to": target} for source, targets in TRANSITIONS.items() for target in targets]
    for status in Status:
        task: dict[str, Any] = {
            "id": "a", "status": status, "state": board_state(status, ready=True), "waiting": [],
            "stuck": {"reason": "question"} if status is Status.STUCK else None,
        }  # fmt: skip
        given = {"task": task, "machine": {"transitions": moves}}
        offered = _run(page, "moves", "m.offers(given.task, given.machine)", given)
        assert offered
        for move in offered:
            target = move["to"]
            on_the_way = status is Status.BACKLOG and target == "working"
            assert target is None or Status(target) in TRANSITIONS[status] or on_the_way, (status, move)
        columns = "backlog ready blocked in_progress in_review done cancelled".split()  # noqa: SIM905 - reads better
        for column in columns:
            found = _run(page, "moves", f"m.toColumn(given.task, '{column}', given.machine)", given)
            assert bool(found["move"]) is not bool(found["reason"]) or column == task["state"], (status, column)


def test_a_tree_holds_every_task_once_whatever_its_parents_say(page: Page) -> None:
    """Missing parents and circles leave nobody out; a parent is kept for what is below it."""

    def rows(tasks: list[tuple[str, str | None]], kept: str = "") -> Any:
        of = "new Map(given.tasks.map(([id, parent]) => [id, { id, parent }]))"
        found = f"m.tree({of}, ({{ id }}) => id.includes(given.kept)).map(({{ task, depth }}) => [task.id, depth])"
        return _run(page, "filters", found, {"tasks": tasks, "kept": kept})

    tasks = [("a", None), ("b", "a"), ("c", "b"), ("d", None), ("lost", "gone")]
    assert rows(tasks) == [["a", 0], ["b", 1], ["c", 2], ["d", 0], ["lost", 0]]
    assert rows(tasks, "b") == [["a", 0], ["b", 1]]
    assert rows([("a", "b"), ("b", "a"), ("self", "self")]) == [["a", 0], ["b", 1], ["self", 0]]
