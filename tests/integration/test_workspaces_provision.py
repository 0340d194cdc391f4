"""What a fresh workspace is given: copies, links, hooks, ports."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.workspaces.occupants import Occupant, parse_lsof
from orange.adapters.workspaces.tcpports import Ports, is_free
from orange.core.problems import HookFailed, PortsExhausted
from tests.integration.workspaces_place import OTHER, TASK, place


def test_ignored_files_are_copied(tmp_path: Path) -> None:
    """Paths and globs are taken from the main checkout, contents and permissions included."""
    here = place(tmp_path, copy=(".env", "config/**/*.log", "node_modules"))
    here.repo.write({".env": "A=1", "config/deep/x.log": "x", "node_modules/m/y": "y", "config/not.txt": "no"})
    os.chmod(f"{here.repo.path}/.env", 0o600)
    workspace = here.acquire()
    assert workspace.read(".env") == b"A=1"
    assert os.stat(f"{workspace.path}/.env").st_mode & 0o777 == 0o600
    assert workspace.read("config/deep/x.log") == b"x"
    assert workspace.read("node_modules/m/y") == b"y"
    assert not os.path.exists(f"{workspace.path}/config/not.txt")


def test_copies_are_made_once(tmp_path: Path) -> None:
    """What the agent changed or removed is not given again while the workspace stands."""
    here = place(tmp_path, copy=(".env",))
    here.repo.write({".env": "A=1"})
    workspace = here.acquire()
    workspace.write({".env": "A=2"})
    here.acquire()
    assert workspace.read(".env") == b"A=2"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A file of the branch is never replaced by a copy."""
    here = place(tmp_path, copy=("README.md",), link=("src",))
    here.repo.write({"README.md": "edited in the main checkout"})
    workspace = here.acquire()
    assert workspace.git("status", "--porcelain") == ""


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    """A pattern or a link that leads out of the main checkout is left out, and said so."""
    (tmp_path / "outside.txt").write_text("private")
    here = place(tmp_path, copy=("../outside.txt", str(tmp_path / "outside.txt"), "out", ".git/config", ".orange"))
    here.repo.write({".orange/x": "x"})
    os.symlink(tmp_path / "outside.txt", f"{here.repo.path}/out")
    bound = here.bound()
    assert sorted(os.listdir(bound.path)) == [".git", ".gitignore", "README.md", "src"]
    assert len(bound.notes) == 5
    assert "out was left out: it leads out of the main checkout" in " ".join(bound.notes)


def test_nothing_is_put_outside(tmp_path: Path) -> None:
    """A folder that the branch turned into a link does not take a copy out of the workspace."""
    here = place(tmp_path, copy=("local/x.log",))
    outside = tmp_path / "outside"
    outside.mkdir()
    here.repo.write({"local/x.log": "x"})
    os.symlink(outside, tmp_path / "link")
    blob = here.repo.git("hash-object", "-w", "--stdin", stdin=os.fsencode(outside))
    tree = here.repo.git("mktree", stdin=f"120000 blob {blob}\tlocal\n".encode())
    commit = here.repo.git("commit-tree", "-m", "Link", "-p", "HEAD", tree)
    bound = here.bound(start=commit)
    assert list(outside.iterdir()) == []
    assert "outside the workspace" in bound.notes[0]


def test_links_lead_to_the_main_checkout(tmp_path: Path) -> None:
    """A linked folder is the main checkout's own, and returning the workspace leaves it there."""
    here = place(tmp_path, link=("node_modules",))
    here.repo.write({"node_modules/m": "m"})
    workspace = here.acquire()
    assert os.readlink(f"{workspace.path}/node_modules") == f"{here.repo.path}/node_modules"
    assert here.workspaces.release(workspace.path) == ()
    assert here.repo.read("node_modules/m") == b"m"
    assert not os.path.lexists(here.spare() / "node_modules")


def test_after_create_runs_once_in_a_new_workspace(tmp_path: Path) -> None:
    """The hook runs in the workspace with its variables, once, and again only after the workspace was returned."""
    here = place(tmp_path, after_create='echo "$ORANGE_TASK $ORANGE_WORKSPACE $(pwd)" >> ../ran; cat .env > seen.log')
    here.repo.write({".env": "A=1"})
    workspace = here.acquire()
    here.acquire()
    ran = Path(f"{here.repo.path}.workspaces/ran")
    assert ran.read_text() == f"{TASK.id} {workspace.path} {workspace.path}\n"
    assert workspace.read("seen.log") == b"A=1"
    here.workspaces.release(workspace.path)
    here.acquire()
    assert ran.read_text().count("\n") == 2


def test_a_failing_after_create_fails_the_acquiring(tmp_path: Path) -> None:
    """The error names the hook and its last lines; the hook runs again at the next attempt."""
    here = place(tmp_path, after_create="echo one; echo 'no npm here' >&2; test -e ../allowed")
    with pytest.raises(HookFailed, match=r"after_create failed \(1\): one; no npm here"):
        here.acquire()
    Path(f"{here.repo.path}.workspaces/allowed").touch()
    assert here.acquire().git("status", "--porcelain") == ""


def test_a_slow_hook_is_ended(tmp_path: Path) -> None:
    """A hook that takes too long is ended and named."""
    here = place(tmp_path, after_create="sleep 60", timeout=1)
    with pytest.raises(HookFailed, match="longer than 1 s"):
        here.acquire()


def test_hooks_know_nothing_of_a_surrounding_git(tmp_path: Path) -> None:
    """Variables of a git hook that orange itself may run in do not reach a workspace's hook."""
    here = place(tmp_path, after_create="git rev-parse --show-toplevel > seen.log")
    here = replace(here, environ={**os.environ, "GIT_DIR": here.repo.common, "GIT_INDEX_FILE": "/nowhere"})
    workspace = here.acquire()
    assert workspace.read("seen.log").decode().strip() == workspace.path


def test_a_failing_before_remove_is_only_told(tmp_path: Path) -> None:
    """The workspace is returned all the same, after the hook ran in it."""
    here = place(tmp_path, before_remove="touch made.log; echo down; exit 3")
    workspace = here.acquire()
    said = here.workspaces.release(workspace.path)
    assert said[0] == "the hook workspaces.hooks.before_remove failed (3): down"
    assert "made.log" in here.repo.tree(here.rescues()[0])


def test_ports_are_the_tasks_own(tmp_path: Path) -> None:
    """Each task has ports of its own, the same ones every time, until its workspace is returned."""
    here = place(tmp_path)
    here.acquire()
    mine = here.workspaces.ports(TASK, 2)
    others = here.workspaces.ports(OTHER, 2)
    assert len({*mine, *others}) == 4
    assert here.workspaces.ports(TASK, 2) == mine
    here.workspaces.release(here.workspaces.path_for(TASK))
    assert here.workspaces.ports(replace(OTHER, id="z" * 8), 2) == mine


def test_a_port_in_use_is_not_given(tmp_path: Path) -> None:
    """A port that something listens on is passed over, for a task that had it too."""
    ports = Ports(str(tmp_path / "ports.json"), "one")
    (port,) = ports.reserve("a", 1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        assert not is_free(port)
        assert ports.reserve("a", 1) != (port,)


def test_projects_share_one_registry(tmp_path: Path) -> None:
    """Two projects with one registry never get the same port, and clean up only their own."""
    one, two = (_project(tmp_path, name) for name in ("one", "one:a"))
    mine = one.reserve("a", 3)
    assert not {*mine} & {*two.reserve("a", 3)}
    two.keep_only(list)
    assert one.reserve("a", 3) == mine
    others = two.reserve("b", 1)
    one.keep_only(list)
    assert {*two.reserve("c", 3)} & {*mine}
    assert two.reserve("b", 1) == others


def test_the_ports_of_a_project_that_is_gone_are_given_again(tmp_path: Path) -> None:
    """A repository that was deleted holds nothing; one that cannot be looked at may still be there."""
    dead, alive = _project(tmp_path, "dead"), _project(tmp_path, "alive")
    freed = dead.reserve("a", 2)
    kept = alive.reserve("a", 1)
    (tmp_path / "dead").rmdir()
    (tmp_path / "alive").rmdir()
    (tmp_path / "alive").symlink_to("alive")
    given = _project(tmp_path, "new").reserve("a", 3)
    assert {*given} & {*freed}
    assert not {*given} & {*kept}


def test_giving_ports_back_leaves_no_trace_where_none_were_reserved(tmp_path: Path) -> None:
    """A user whose workspaces have no ports gets no registry."""
    ports = Ports(str(tmp_path / "state" / "ports.json"), str(tmp_path))
    ports.release("a")
    ports.keep_only(list)
    assert not (tmp_path / "state").exists()


def test_a_spoilt_registry_is_begun_anew(tmp_path: Path) -> None:
    """What is no registry holds no reservation, and does not stop anything."""
    ports = _project(tmp_path, "one")
    (tmp_path / "ports.json").write_text('{"one": [')
    assert len(ports.reserve("a", 2)) == 2
    (tmp_path / "ports.json").write_text('{"one": [21000]}')
    ports.release("a")
    assert len(ports.reserve("a", 2)) == 2


def _project(folder: Path, name: str) -> Ports:
    """A project's view of the registry."""
    (folder / name).mkdir(exist_ok=True)
    return Ports(str(folder / "ports.json"), str(folder / name))


def test_running_out_of_ports_names_the_range(tmp_path: Path) -> None:
    """Where there are not enough, the range is named and nothing is reserved."""
    ports = Ports(str(tmp_path / "ports.json"), "one")
    ports.reserve("a", 2, 29990, 29993)
    with pytest.raises(PortsExhausted, match="between 29990 and 29993"):
        ports.reserve("b", 3, 29990, 29993)
    assert len(ports.reserve("c", 2, 29990, 29993)) == 2


def test_ports_are_reserved_once_among_many_processes(tmp_path: Path) -> None:
    """Processes of two projects that reserve at the same time never get the same port."""
    code = (
        "import sys; from orange.adapters.workspaces.tcpports import Ports\n"
        "p = Ports(sys.argv[1], sys.argv[3])\n"
        "for n in range(5): print(*p.reserve(f'{sys.argv[2]}-{n}', 2))"
    )
    pids, outputs = [], []
    for number in range(6):
        outputs.append(tmp_path / f"out{number}")
        fd = os.open(outputs[-1], os.O_WRONLY | os.O_CREAT)
        project = tmp_path / f"project-{number % 2}"
        project.mkdir(exist_ok=True)
        argv = [sys.executable, "-c", code, str(tmp_path / "ports.json"), str(number), str(project)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        pids.append(os.posix_spawn(sys.executable, argv, env, file_actions=[(os.POSIX_SPAWN_DUP2, fd, 1)]))
        os.close(fd)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 6
    given = [port for output in outputs for port in output.read_text().split()]
    assert len(given) == len(set(given)) == 60


def test_processes_are_found_without_proc() -> None:
    """Where there is no /proc, current directories are read from lsof."""
    text = "p1\ncinit\nfcwd\nn/\np77\ncvim\nfcwd\nn/w/a/src\n"
    assert parse_lsof(text, ("/w/a/",)) == Occupant(77, "vim")
    assert parse_lsof(text, ("/w/b/",)) is None
    assert parse_lsof("", ("/w/",)) is None
