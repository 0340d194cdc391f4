"""One browser and one stage for all that is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.place import PATIENCE
from tests.browser.stage import Stage, browsing, program, staged


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; where none is installed, nothing here is tried."""
    if program() is None:
        pytest.skip("no browser: the dashboard is not tried (`make system` installs chromium)")
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A project in which people review."""
    with staged(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    """A page that was let in; at its end it has told of no error, and asked nobody but the daemon."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(f"sessionStorage.setItem('orange.token', '{stage.api.token}')")
    found = context.new_page()
    errors: list[str] = []
    asked: list[str] = []
    found.on("pageerror", lambda error: errors.append(str(error)))
    found.on("request", lambda request: asked.append(request.url))
    found.goto(stage.url)
    found.get_by_role("navigation", name="Views").wait_for()
    yield found
    context.close()
    assert (errors, [url for url in asked if not url.startswith(stage.url)]) == ([], [])
