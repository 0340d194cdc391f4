"""A browser, and a project with something of everything to look at."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.api import Client, client
from tests.acceptance.conftest import configure, fresh_place
from tests.acceptance.place import Place

TASKS = "/api/v2/tasks"
VIEWS = ("/", "/list", "/tree", "/new", "/quick", "/import", "/execution")
#: Names under which the browser is installed.
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Find the browser; None where there is none."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program(), args=["--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Stage:
    """A project whose daemon shows it."""

    place: Place
    api: Client

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        return f"http://127.0.0.1:{self.api.port}/"

    def link(self) -> str:
        """Ask for an address that lets one page in."""
        return str(self.place.orange("dashboard", "--json").json["dashboard"]["url"])

    def enter(self, page: Page) -> None:
        """Let a page in."""
        page.goto(self.link())
        page.get_by_role("navigation", name="Views").wait_for()

    def get(self, path: str) -> Any:
        """Read something of the project; another one may be served, too."""
        return self.api.get(f"{path}?project=repo")

    def post(self, path: str, value: object = None, status: int = 200) -> Any:
        """Do something in the project."""
        return self.api.post(f"{path}?project=repo", value, status)

    def make(self, title: str, script: Sequence[str] = (), **more: object) -> str:
        """Create a task for the scripted agent; it is in the backlog unless told."""
        body = f"Do it.\n\n```script\n{chr(10).join(script)}\n```\n" if script else more.pop("body", "")
        return str(self.post(TASKS, {"title": title, "body": body, **more}, 201)["task"]["id"])

    def status(self, task: str) -> str:
        """Return where a task is."""
        return str(self.get(f"{TASKS}/{task}")["task"]["status"])

    def until(self, task: str, status: str) -> None:
        """Wait until a task is there."""
        self.place.until(lambda: self.status(task) == status, f"{task} to be {status}")


def show(page: Page, path: str) -> None:
    """Go to a view, and wait until everything is read."""
    page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path)
    page.locator("main h1").wait_for()
    page.get_by_text("Reading…").wait_for(state="detached")


def _free_port() -> int:
    """Find a port that nobody else takes while a daemon is restarted: none of those given out by themselves."""
    for port in range(20000 + os.getpid() % 10000, 30000):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)):
                return port
    return 0


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Make a project in which people review, with its daemon."""
    with fresh_place(folder) as place:
        configure(place, "agent: script\nreview: {by: human}\n")
        place.orange("config", "set", "--user", "daemon.port", str(_free_port()))
        place.start("--registered")
        place.orange("daemon", "start")
        yield Stage(place, client(place))
        assert "Traceback" not in (place.home / "daemon.out").read_text()


def furnish(stage: Stage) -> dict[str, str]:
    """Put something of everything there; afterwards nothing moves by itself."""
    made = {
        "review": stage.make("Greet whoever comes in", GREETING, status="pending", labels=["ui"], priority="high"),
        "question": stage.make("Choose a colour", ["ask Orange, or blue?"], status="pending", priority="critical"),
        "part": stage.make("Store accounts", ["write store.txt accounts", "commit Store accounts"], status="pending"),
    }
    for name, status in (("review", "reviewing"), ("question", "stuck"), ("part", "reviewing")):
        stage.until(made[name], status)
    stage.post(f"{TASKS}/{made['part']}/approve")
    stage.until(made["part"], "done")
    stage.post("/api/v2/daemon/pause", {"reason": "for a look around"})
    made["parent"] = stage.make("Let people log in", status="pending", type="feature", labels=["auth", "backend"])
    for title in ("Page to log in", "Sessions that end"):
        made[title] = stage.make(title, status="pending", parent=made["parent"], labels=["auth"])
    stage.post(f"{TASKS}/{made['parent']}/transition", {"status": "delegated"})
    waiting = stage.make("Measure how many stay", status="pending", blocked_by=[made["Page to log in"]], agent="script")
    made |= {"waiting": waiting, "backlog": stage.make("Think about a logo", priority="low", labels=["someday"])}
    made["cancelled"] = stage.make("A page for fax machines")
    stage.post(f"{TASKS}/{made['cancelled']}/cancel")
    broken = Path(stage.place.repo, ".orange", "tasks", "broken-zzzzzzzz")
    broken.mkdir(exist_ok=True)
    (broken / "TASK.md").write_text("---\nid: zzzzzzzz\nstatus: [\n---\n")
    return made


GREETING = [
    "write greet.py <<",
    "def greet(name: str) -> str:",
    '    return f"Hello, {name}!"',
    ">>",
    "commit Greet by name",
]
