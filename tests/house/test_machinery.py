"""The machinery around the program: its scripts say plainly what a machine lacks, and its targets are all explained."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_executable_and_parse(script: Path) -> None:
    """Each script can be started, is understood by bash, and stops at the first failure."""
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert re.search(r"^set -eu", script.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_target_is_explained() -> None:
    """`make help` names every target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    said = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not [target for target in targets[1].split() if target != "help" and not re.search(rf"\b{target}\b", said)]


def _machine(folder: Path, programs: dict[str, str]) -> dict[str, str]:
    """Make a machine that has bash, a few small programs and the given scripts, and nothing else."""
    for name in ("bash", "cat", "dirname", "env", "grep", "head", "rm", "sed"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, body in programs.items():
        (folder / name).write_text(f"#!{folder}/bash\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def _run(script: Path, env: dict[str, str], *words: str) -> tuple[int, str]:
    bash = shutil.which("bash") or "bash"
    done = subprocess.run([bash, script, *words], env=env, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr.strip()


def test_missing_programs_are_named(tmp_path: Path) -> None:
    """A plain user is told what to install; what is only useful does not stop anything."""
    env = _machine(tmp_path, {"id": "echo 1000", "apt-get": "exit 1", "git": "", "ps": ""})
    status, said = _run(ROOT / ".ci" / "system", env)
    assert status == 1
    assert said.splitlines()[0] == (
        "orange needs tmux, which is not installed: run `apt-get install tmux` and try again"
    )
    _machine_gains(tmp_path, "tmux")
    assert _run(ROOT / ".ci" / "system", env, "needed") == (0, "")
    status, said = _run(ROOT / ".ci" / "system", env)
    assert (status, said.splitlines()) == (
        0,
        [
            f"{name} is not installed; some tests will be skipped (`apt-get install {name}`)"
            for name in (
                *(("bubblewrap", "podman", "runc") if sys.platform == "linux" else ()),
                "strace",
                "gh",
                "chromium",
            )
        ],
    )


def _machine_gains(folder: Path, program: str) -> None:
    (folder / program).write_text(f"#!{folder}/bash\n", encoding="utf-8")
    (folder / program).chmod(0o755)


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ('[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1',
         "orange needs Python 3.11 or newer as python3 (found: Python 3.9.2)"),
        ("case $2 in *ensurepip*) exit 1;; esac",
         "cannot make virtual environments: run `apt-get install python3-venv`"),
    ],
)  # fmt: skip
def test_unfit_python_is_named(tmp_path: Path, python: str, said: str) -> None:
    """A Python that is too old, or lacks venv, is named with what to do about it."""
    machine, clone = tmp_path / "bin", tmp_path / "clone"
    machine.mkdir()
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "venv", clone / ".ci" / "venv")
    status, complaint = _run(clone / ".ci" / "venv", _machine(machine, {"python3": python, "id": "echo 1000"}))
    assert status == 1
    assert said in complaint


def test_a_wheel_has_all_that_is_no_module(tmp_path: Path) -> None:
    """What orange reads beside its modules is part of what is installed."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    data = [path for folder in ("pipelines", "prompts") for path in (ROOT / "orange" / folder).iterdir()]
    data += [path for path in (ROOT / "orange" / "web" / "static").rglob("*") if path.is_file()]
    assert len(data) > 20
    assert {path.relative_to(ROOT).as_posix() for path in data} <= names
