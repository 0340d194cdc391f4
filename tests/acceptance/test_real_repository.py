"""Ten tasks on a real code base, under a checkout that a person is in the middle of changing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import configure, fresh_home
from tests.acceptance.place import Place

#: A published code base of more than 3 000 files, fetched by name with the ordinary package client.
PACKAGE = "django==5.2.8"


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the real code base; skips, saying so, where the package index cannot be reached."""
    folder = tmp_path_factory.mktemp("code")
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-d",
        str(folder),
        PACKAGE,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"{PACKAGE} cannot be fetched here: {done.stderr.strip().splitlines()[-1:]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "tree")
    return folder / "tree"


@pytest.fixture
def busy(code: Path, tmp_path: Path) -> Iterator[Place]:
    """The real code base as a repository whose checkout is in use: staged, unstaged, untracked, ignored, stashed."""
    with fresh_home() as home:
        place = Place(tmp_path / "repo", home)
        subprocess.run(["cp", "-r", str(code), str(place.repo)], check=True)
        place.git("init", "-q")
        (place.repo / ".gitignore").write_text("*.pyc\nlocal.cfg\n")
        place.git("add", "-A")
        place.git("commit", "-q", "-m", "Begin")
        assert len(place.git("ls-files").splitlines()) >= 2000
        (place.repo / "django" / "apps" / "__init__.py").write_text("# stashed\n")
        place.git("stash", "-q")
        (place.repo / "django" / "shortcuts.py").write_text("# unstaged\n")
        (place.repo / "django" / "__main__.py").write_text("# staged\n")
        place.git("add", "django/__main__.py")
        (place.repo / "notes.txt").write_text("untracked\n")
        (place.repo / "local.cfg").write_text("ignored\n")
        place.orange("init")
        configure(place, "agent: script\nreview: {by: none}\nworkspaces: {copy: []}\n")
        yield place
        place.close()


def witness(place: Place) -> dict[str, str]:
    """Everything of the user's checkout that must not change."""
    return {
        "head": place.git("symbolic-ref", "HEAD"),
        "staged": place.git("diff", "--cached"),
        "unstaged": place.git("diff"),
        "untracked": place.git("ls-files", "--others", "--exclude-standard"),
        "ignored": (place.repo / "local.cfg").read_text() + place.git("ls-files", "-o", "-i", "--exclude-standard"),
        "stash": place.git("stash", "list", "--format=%H"),
        "config": (place.repo / ".git" / "config").read_text(),
        "hooks": "\n".join(sorted(path.name for path in (place.repo / ".git" / "hooks").iterdir())),
    }


def diamond(place: Place) -> list[str]:
    """Ten tasks: one root, eight in the middle, one that needs all of them."""
    root = place.create("root", "write orange_root.txt root\ncommit Root")
    middle = [
        place.create(
            f"part-{n}", f"require orange_root.txt\nwrite orange_part{n}.txt {n}\ncommit Part {n}", "--blocked-by", root
        )
        for n in range(8)
    ]
    needs = [word for task in middle for word in ("--blocked-by", task)]
    wanted = "\n".join(f"require orange_part{n}.txt" for n in range(8))
    last = place.create("last", f"{wanted}\nwrite orange_last.txt last\ncommit Last", *needs)
    return [root, *middle, last]


def test_ten_tasks_run_while_the_checkout_is_in_use(busy: Place) -> None:
    """The user's staged, unstaged, untracked, ignored and stashed work is untouched, and their branch follows."""
    tasks = diamond(busy)
    before = witness(busy)
    busy.start()
    busy.until(lambda: set(busy.statuses().values()) == {"done"}, "all ten done", 240)
    busy.until(
        lambda: busy.git("rev-parse", "main") == busy.git("rev-parse", "refs/orange/base/main"), "the branch to follow"
    )
    busy.until(lambda: witness(busy) == before, "the checkout to have followed")
    merges = busy.git("log", "--merges", "--format=%s", "refs/orange/base/main").splitlines()
    assert len(merges) == len(tasks)
    assert (busy.repo / "orange_last.txt").read_text().strip() == "last"


def test_an_overlapping_edit_delays_the_branch_but_not_the_graph(busy: Place) -> None:
    """A file that the user has changed is never overwritten: the branch waits, status says why, all tasks are done."""
    (busy.repo / "orange_part3.txt").write_text("mine\n")
    diamond(busy)
    before = witness(busy)
    busy.start()
    busy.until(lambda: set(busy.statuses().values()) == {"done"}, "all ten done", 240)

    def reason() -> str:
        projects = busy.orange("status", "--json").json["projects"]
        return str(projects[0]["base"]["reason"])

    busy.until(lambda: "orange_part3.txt" in reason(), "status to say what is in the way")
    assert witness(busy) == before
    assert (busy.repo / "orange_part3.txt").read_text() == "mine\n"
    assert "orange_last.txt" in busy.git("ls-tree", "--name-only", "refs/orange/base/main")
