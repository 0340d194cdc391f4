"""The place every acceptance test starts from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.place import Place
from tests.acceptance.programs import folder, furnish, required, settings
from tests.model.server import Model, serving

IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"


@contextmanager
def fresh_home() -> Iterator[Path]:
    """Make a user's home: private, and short because sockets live below it."""
    home = Path(tempfile.mkdtemp(prefix="o-"))
    (home / "run").mkdir(mode=0o700)
    (home / "gitconfig").write_text(IDENTITY)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_place(folder: Path) -> Iterator[Place]:
    """Make a repository below a folder with one commit, initialised for the scripted agent, review off."""
    with fresh_home() as home:
        found = Place(folder / "repo", home)
        found.repo.mkdir()
        found.git("init", "-q")
        (found.repo / "README.md").write_text("# Sample\n")
        found.git("add", "README.md")
        found.git("commit", "-q", "-m", "Begin")
        found.orange("init")
        configure(found, "agent: script\nreview: {by: none}\n")
        try:
            yield found
        finally:
            found.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fresh repository with one commit, initialised for the scripted agent, review off."""
    with fresh_place(tmp_path) as found:
        yield found


def configure(place: Place, text: str) -> None:
    """Write the project's configuration."""
    (place.repo / ".orange" / "config.yaml").write_text(f"format: 1\n{text}")


@pytest.fixture
def model() -> Iterator[Model]:
    """A model that carries out the commands of its prompts."""
    required()
    with serving() as found:
        yield found


@pytest.fixture
def agents(model: Model) -> Iterator[Place]:
    """A project whose user has all four programs; Gemini ignores files of settings below a folder like `/tmp`."""
    with tempfile.TemporaryDirectory(dir=folder().parents[2]) as root, fresh_place(Path(root)) as place:
        furnish(place, model.url)
        configure(place, f"limits: {{stall: 2m}}\nreview: {{by: human}}\n{settings(model.url)}")
        place.orange("config", "set", "--user", "limits.max_agents", "4")
        yield place
