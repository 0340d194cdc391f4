"""Agents that other packages offer are found among what is installed, and cost nothing where there are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = "import json, sys; from orange.adapters.runtimes.registry import RUNTIMES as r; "
AGENT = """
from orange.core.agents import Command, Found
name = "{name}"
def detect(settings, which): return Found(name, True, "1", None)
def command(spec, prompt_file): return Command(("true",), {{}})
"""


def said(path: str, code: str) -> object:
    """Run a program that prints JSON, with a folder or archive on its import path."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW + code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def package(folder: Path, name: str, text: str) -> None:
    """Install a package that offers an agent."""
    (folder / f"{name}.py").write_text(text)
    (folder / f"{name}-1.0.dist-info").mkdir()
    (folder / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(f"[orange.agents]\n{name} = {name}\n")


def test_an_agent_of_another_package_is_one_of_orange(tmp_path: Path) -> None:
    """One that lacks something, or cannot be imported, says so; none takes the place of orange's own."""
    package(tmp_path, "good", AGENT.format(name="good"))
    package(tmp_path, "half", "name = 'half'\n")
    package(tmp_path, "torn", "import no_such_module\n")
    package(tmp_path, "script", AGENT.format(name="script"))
    found = said(str(tmp_path), "print(json.dumps({n: type(a).__name__ for n, a in r.items()}))")
    assert isinstance(found, dict)
    assert (found["good"], found["half"], found["torn"]) == ("module", "Broken", "Broken")
    assert said(str(tmp_path), "print(json.dumps(r['script'].__name__))") == "orange.adapters.runtimes.script"


@pytest.mark.parametrize("empty", ["folder", "nothing"])
def test_without_such_packages_nothing_is_looked_up(tmp_path: Path, empty: str) -> None:
    """The library that reads what is installed is not even imported."""
    path = tmp_path if empty == "folder" else tmp_path / "missing"
    assert said(str(path), "print(json.dumps('importlib.metadata' in sys.modules))") is False
