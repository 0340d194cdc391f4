"""Start-up is a feature: what is asked most often imports nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "aiohttp",
    "asyncio",
    "hypothesis",
    "libtmux",
    "markdown_it",
    "multiprocessing",
    "pygit2",
    "pypdf",
    "rich",
    "watchdog",
)
#: Runs one command line and prints, on the last line, which heavy modules it left imported.
_RUN = """
import json, sys
sys.argv = ["orange", *sys.argv[1:]]
from orange.__main__ import main
try:
    status = main()
except SystemExit as ended:
    status = ended.code
print()
print(json.dumps([status, [name for name in HEAVY if name in sys.modules]]))
""".replace("HEAVY", repr(HEAVY))


def _run(repo: Path, *argv: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *argv], cwd=repo, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout, done.stderr
    status, heavy = json.loads(done.stdout.splitlines()[-1])
    return status or 0, heavy


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one task."""
    folder = tmp_path_factory.mktemp("repo")
    for argv in (["git", "init", "-q"], ["git", "commit", "-q", "--allow-empty", "-m", "Begin"]):
        subprocess.run(argv, cwd=folder, check=True)
    for words in (["init"], ["task", "create", "sample", "A sample"]):
        assert _run(folder, *words)[0] == 0
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "task list --ready --json",
        "task list",
        "task show sample --json",
        "task why sample",
        "status --json",
        "task update sample --priority high",
        "--help",
    ],
)
def test_hot_commands_import_nothing_heavy(repo: Path, line: str) -> None:
    """The commands people and agents use all the time leave the daemon's libraries alone."""
    status, heavy = _run(repo, *line.split())
    assert (status, heavy) == (0, [])


def test_the_core_needs_no_click() -> None:
    """Importing what every command needs costs neither click nor YAML."""
    code = "import sys, orange.core.config; print([name for name in ('click', 'yaml') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
