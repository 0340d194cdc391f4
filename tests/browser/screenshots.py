"""Pictures of every view, to be looked at: `python -m tests.browser.screenshots FOLDER` (or `make screenshots`)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

from playwright.sync_api import Browser, Page

from tests.browser.stage import VIEWS, Stage, browsing, furnish, show, staged

Scheme: TypeAlias = Literal["light", "dark"]
#: Widths of the window: a screen's and a telephone's.
WIDTHS = {1280: 800, 390: 844}


def main(folder: str = "build/screenshots") -> int:
    """Take the pictures; returns the exit code."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, staged(Path(root)) as stage, browsing() as browser:
        made = furnish(stage)
        for width in WIDTHS:
            schemes: tuple[Scheme, ...] = ("light", "dark") if width == 1280 else ("light",)
            for scheme in schemes:
                _take(_page(browser, width, scheme), stage, made, target / f"{width}-{scheme}")
    sys.stdout.write(f"wrote {len(list(target.iterdir()))} pictures to {target}\n")
    return 0


def _page(browser: Browser, width: int, scheme: Scheme) -> Page:
    return browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme).new_page()


def _take(page: Page, stage: Stage, made: dict[str, str], name: Path) -> None:
    """Take a picture of each view in one window."""
    page.goto(stage.url)
    page.get_by_text("lets you in").wait_for()
    page.screenshot(path=f"{name}-outside.png")
    stage.enter(page)
    tasks = {f"/tasks/{made[key]}": f"task-{key}" for key in ("review", "question", "waiting", "parent")}
    for path, view in {**{view: view[1:] or "board" for view in VIEWS}, **tasks}.items():
        show(page, path)
        page.screenshot(path=f"{name}-{view}.png", full_page=True)
    show(page, f"/tasks/{made['review']}")
    page.get_by_role("button", name="Comment on line 1 of greet.py").click()
    page.screenshot(path=f"{name}-comment.png", full_page=True)
    show(page, "/")
    page.get_by_role("button", name="Move Measure how many stay").click()
    page.screenshot(path=f"{name}-move.png")
    page.close()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
