"""What the unit tests do without: they touch neither files nor the environment, so one world serves them all."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_world() -> None:
    """Stay in the session's own world."""
