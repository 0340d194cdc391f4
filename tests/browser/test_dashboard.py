"""The dashboard as a person uses it, in a real browser with a real daemon."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.place import PATIENCE
from tests.browser.stage import TASKS, VIEWS, Stage, furnish, show

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
expect.set_options(timeout=60_000)


def test_from_a_form_to_merged(stage: Stage, page: Page) -> None:
    """Create, start, see it come to review without asking, comment, request changes, approve, merged."""
    page.get_by_role("link", name="New task").click()
    page.get_by_label("Instructions").fill("# Greet people\n\n```script\nwrite a.txt hello\ncommit Add a\n```\n")
    page.get_by_label("Priority").select_option("high")
    page.get_by_label("Labels").fill("ui, first")
    page.get_by_role("button", name="Keep in the backlog").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Greet people")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    task = page.url.partition("?")[0].rpartition("/")[2]
    made = stage.get(f"{TASKS}/{task}")["task"]
    assert (made["type"], made["priority"], made["labels"]) == ("task", "high", ["ui", "first"])
    page.get_by_role("button", name="Comment on line 1 of a.txt").click()
    page.get_by_label("Comment on line 1", exact=True).fill("Say to whom.")
    page.get_by_role("button", name="Keep comment").click()
    expect(page.get_by_text("goes with the decision")).to_be_visible()
    page.get_by_role("button", name="Request changes").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Not yet.")
    page.get_by_role("button", name="Send").click()
    stage.place.until(lambda: stage.get(f"{TASKS}/{task}")["task"]["claim"]["epoch"] == 2, "the second run")
    stage.until(task, "reviewing")
    said = [event["data"].get("text") for event in stage.get(f"{TASKS}/{task}/events")["events"]]
    assert "Say to whom." in said
    expect(page.get_by_text("goes with the decision")).to_have_count(0)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".state.done")).to_have_text("Done")
    stage.place.until((stage.place.repo / "a.txt").exists, "the work to be in the person's own branch")


def test_a_run_is_watched_as_it_goes(stage: Stage, page: Page) -> None:
    """What a run says is on the task's page while it is at work, and its colours are no text."""
    go = stage.place.home / "go"
    script = [r"run printf '\033[31mfirst\033[0m\n'", f"run while [ ! -e {go} ]; do sleep 0.1; done", "say second"]
    task = stage.make("Speak twice", script, status="pending")
    page.goto(f"{stage.url}tasks/{task}")
    said = page.get_by_role("region", name="What its latest run says").locator("pre")
    expect(said).to_contain_text("first")
    assert stage.status(task) == "working"
    expect(said).not_to_contain_text("second")
    go.touch()
    expect(said).to_contain_text("second")
    assert "[31m" not in said.inner_text()


def test_a_document_is_previewed_and_imported(stage: Stage, page: Page) -> None:
    """Tasks, what they wait for, what is held back and the waves are shown first; then all of them are made."""
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("The document").fill("# Shop\n\n## Basket\n\n- Keep a basket\n\n## Till\n\nDepends on Basket.\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Waves")).to_be_visible()
    expect(page.get_by_role("region", name="What waits for what")).to_contain_text("Till waits for")
    assert "Till" not in {task["title"] for task in stage.get(TASKS)["tasks"]}
    page.get_by_role("button", name="Make these tasks").click()
    expect(page.locator(".card", has_text="Till").first).to_be_visible()
    assert "Till" in {task["title"] for task in stage.get(TASKS)["tasks"]}


def test_a_quick_action_becomes_a_task(stage: Stage, page: Page) -> None:
    """It is done once and is no task; promoted, it is one."""
    page.get_by_role("link", name="Quick action").click()
    page.get_by_label("What is to be done once?").fill(
        "Try it out\n\n```script\nwrite try.txt tried\ncommit Try\n```\n"
    )
    page.get_by_role("button", name="Do it once").click()
    expect(page.locator(".quick .state.completed")).to_be_visible()
    assert "Try it out" not in {task["title"] for task in stage.get(TASKS)["tasks"]}
    page.get_by_role("button", name="Make a task of Try it out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Try it out")


def test_the_daemon_may_be_restarted(stage: Stage, page: Page) -> None:
    """The page says that the daemon is gone; when it is back the page is right by itself, with what came meanwhile."""
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    stage.place.daemons[-1].kill()
    stage.place.daemons[-1].wait()
    expect(page.get_by_text("the daemon does not answer")).to_be_visible()
    stage.place.create("made-meanwhile", "", "--backlog")
    stage.place.start("--registered")
    expect(page.get_by_role("link", name="Made meanwhile")).to_be_visible()
    expect(page.get_by_text("live", exact=True)).to_be_visible()


def test_a_link_lets_in_once(stage: Stage, browser: Browser) -> None:
    """Without a link the page says how to get one; a used one says so; what was let in stays in when loaded again."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(stage.url)
    expect(page.get_by_text("orange dashboard")).to_be_visible()
    link = stage.link()
    page.goto(link)
    expect(page.get_by_role("heading", name="Board")).to_be_visible()
    assert "code" not in page.url
    page.reload()
    expect(page.get_by_role("heading", name="Board")).to_be_visible()
    assert page.context.cookies() == []
    other = browser.new_page()
    other.goto(link)
    expect(other.get_by_role("alert")).to_contain_text("used before")
    other.close()
    page.close()


def test_illegal_moves_are_refused_with_the_reason(stage: Stage, page: Page) -> None:
    """A drop where a task may not go says why and changes nothing; by keyboard the same is told before."""
    task = stage.make("Stay where you are")
    card = page.locator(f"[data-task={task}]")
    card.drag_to(page.locator("[aria-labelledby=column-done]"))
    expect(page.get_by_role("log")).to_contain_text("a backlog task cannot become done; it can become pending")
    assert stage.status(task) == "backlog"
    card.get_by_role("link").press("m")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="In review")).to_be_disabled()
    expect(dialog).to_contain_text("cannot become reviewing")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert stage.status(task) == "backlog"


@pytest.fixture
def paused(stage: Stage) -> Iterator[None]:
    """Nothing is started meanwhile."""
    stage.post("/api/v2/daemon/pause")
    yield
    stage.post("/api/v2/daemon/resume")


@pytest.mark.usefixtures("paused")
def test_by_keyboard_alone(stage: Stage, page: Page) -> None:
    """Filter, go to a card, move it, and take that back, without a mouse."""
    task = stage.make("Reached by keys", priority="critical")
    other = stage.make("Reached by keys, too", priority="low")
    page.keyboard.press("/")
    page.keyboard.type("reached by")
    expect(page.locator(".card")).to_have_count(2)
    assert "q=reached" in page.url
    page.locator(f"[data-task={task}]").get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"[data-task={other}]").get_by_role("link")).to_be_focused()
    page.keyboard.press("m")
    page.get_by_role("dialog").get_by_role("button", name="Ready").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[aria-labelledby=column-ready]").get_by_text("Reached by keys, too")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[aria-labelledby=column-backlog]").get_by_text("Reached by keys, too")).to_be_visible()
    assert stage.status(other) == "backlog"


HOSTILE = [
    "<img src=x onerror=\"document.title='run'\">",
    "<script>document.title='run'</script>",
    "[click](javascript:document.title='run')",
    "<svg/onload=document.title='run'>\"'><b>",
    "{{constructor.constructor('document.title=1')()}}${document.title='run'}",
]


def test_what_tasks_say_is_never_run(stage: Stage, page: Page) -> None:
    """Markup and addresses in titles, bodies, labels and file names are shown as they were written, in every view."""
    task = stage.make(HOSTILE[0], [f"write <img> {HOSTILE[1]}", "commit x"], status="pending", labels=HOSTILE)
    stage.until(task, "reviewing")
    stage.make(HOSTILE[1], body="\n".join(HOSTILE), parent=task)
    for path in (*VIEWS, f"/tasks/{task}"):
        page.goto(f"{stage.url}{path[1:]}")
        page.locator("main h1").wait_for()
        if path not in {"/new", "/quick", "/import", "/execution"}:
            expect(page.locator("main a, main h1", has_text=HOSTILE[0]).first).to_be_visible()
        assert page.locator("#page img, #page script, #page svg, [href^=javascript]").count() == 0
        assert not page.title().startswith("run")
    expect(page.locator(".line", has_text=HOSTILE[1])).to_have_count(1)
    stage.post(f"{TASKS}/{task}/cancel")


def test_every_view_is_accessible(stage: Stage, browser: Browser) -> None:
    """axe-core finds nothing to complain about in any view, in both themes."""
    made = furnish(stage)
    _check_views(stage, browser, made, "light", {})
    # what is no matter of colours is the same in the other theme
    _check_views(stage, browser, made, "dark", {"runOnly": ["color-contrast"]})
    stage.post("/api/v2/daemon/resume")


def _check_views(
    stage: Stage, browser: Browser, made: Mapping[str, str], scheme: Any, options: Mapping[str, object]
) -> None:
    context = browser.new_context(color_scheme=scheme)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto(stage.url)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    _check(page, "outside", options)
    stage.enter(page)
    for path in (*VIEWS, *(f"/tasks/{made[name]}" for name in ("review", "question", "waiting", "parent"))):
        show(page, path)
        _check(page, path, options)
    show(page, "/")
    page.get_by_role("button", name="Move Think about a logo").click()
    _check(page, "the dialog", options)
    context.close()


def _check(page: Page, where: str, options: Mapping[str, object]) -> None:
    found: list[Mapping[str, Any]] = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    assert [(where, one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_projects_are_switched(stage: Stage, page: Page) -> None:
    """With a second project there is a switch, and its address shows that project at once."""
    second = stage.place.repo.parent / "second"
    second.mkdir()
    stage.place.git("init", "-q", cwd=second)
    stage.place.git("commit", "-q", "--allow-empty", "-m", "Begin", cwd=second)
    stage.place.orange("init", cwd=second)
    stage.place.create("over-there", "", "--backlog", cwd=second)
    stage.place.orange("daemon", "start", cwd=second)
    switch = page.get_by_label("Project")
    switch.select_option("second")
    expect(page.get_by_role("link", name="Over there")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Over there")).to_be_visible()
    page.get_by_role("link", name="Over there").click()
    page.get_by_role("button", name="Cancel task").click()
    expect(page.locator("main .state")).to_have_text("Cancelled")
    switch.select_option("repo")
    expect(page.get_by_role("link", name="Over there")).to_have_count(0)
    link = stage.place.orange("dashboard", "--json", cwd=second).json["dashboard"]["url"]
    assert "?project=second#code=" in link


def test_vendored_files_are_what_they_were() -> None:
    """Files of others are kept unchanged, with their licences."""
    for folder in (Path("orange/web/static/vendor"), AXE.parent):
        listed = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
        there = {path.name for path in folder.iterdir()} - {"SHA256SUMS", "README.md"}
        assert set(listed) == there
        for name, digest in listed.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
