"""What every test stands on: a world of its own, and counts that `make torture` raises.

Nothing of the person's or machine's settings reaches a test: home, XDG folders, git's configuration and the variables
of a surrounding agent, tmux or hook are replaced before anything is imported, and again for each test beyond unit.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

#: Set by whatever surrounds us, by prefix: none of it may be seen by a test.
_INSIDE = ("GIT_", "XDG_", "TMUX", "ORANGE_", "CLAUDE", "CODEX_", "GEMINI_", "OPENCODE", "FEATURE_PRD_")
_KEPT = frozenset({"ORANGE_TORTURE"})
_GIT_CONFIG = """[user]
\tname = Ada Tester
\temail = ada@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[safe]
\tdirectory = *
"""

settings.register_profile("orange", deadline=None, database=None, max_examples=30)
settings.register_profile("torture", deadline=None, database=None, max_examples=1000)
settings.load_profile("torture" if os.environ.get("ORANGE_TORTURE") else "orange")


def hermetic(home: str) -> dict[str, str]:
    """Make a home folder, and the environment of somebody who has nothing but it."""
    folders = {
        "HOME": home,
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_STATE_HOME": f"{home}/.local/state",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_RUNTIME_DIR": f"{home}/run",
    }
    for folder in folders.values():
        os.makedirs(folder, mode=0o700, exist_ok=True)
    config = f"{home}/.gitconfig"
    with open(config, "w", encoding="utf-8") as file:
        file.write(_GIT_CONFIG)
    kept = {k: v for k, v in os.environ.items() if k in _KEPT or not k.startswith(_INSIDE)}
    return {**kept, **folders, "GIT_CONFIG_GLOBAL": config, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def _replace_environment(with_: dict[str, str]) -> dict[str, str]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(with_)
    return before


def pytest_configure(config: pytest.Config) -> None:
    """Enter a world of the session's own before any test module is imported."""
    home = tempfile.mkdtemp(prefix="o-")  # short: sockets below it must stay within 108 bytes
    before = _replace_environment(hermetic(home))

    def leave() -> None:
        _replace_environment(before)
        shutil.rmtree(home, ignore_errors=True)

    config.add_cleanup(leave)
    gc.disable()  # until all tests are collected: none of it is garbage


def pytest_collection_finish() -> None:
    """Keep what was collected out of every later search for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_world() -> Iterator[None]:
    """Give every test beyond unit a home of its own, and let none leave the environment or folder changed."""
    home, folder = tempfile.mkdtemp(prefix="o-"), os.getcwd()
    before = _replace_environment(hermetic(home))
    yield
    _replace_environment(before)
    os.chdir(folder)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def times() -> Callable[[int], int]:
    """Return a function from a count to the count to use: itself, or as many times more as `make torture` asks for."""
    factor = int(os.environ.get("ORANGE_TORTURE", "1"))
    return lambda count: count * factor
