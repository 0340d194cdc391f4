"""Puts an agent's command into a bubblewrap sandbox: finds out what there is to show, hide and write."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import orange
from orange.adapters import process
from orange.core import sandbox
from orange.core.agents import Command
from orange.core.home import Home
from orange.core.layout import Layout
from orange.core.ports import RunSpec
from orange.core.problems import AgentUnusable, OrangeError

_MISSING = (
    "workspaces.isolation is sandbox, and bubblewrap is not installed: install it (`apt-get install bubblewrap`, or "
    "your system's package of that name), or set workspaces.isolation to worktree"
)
#: Without it no host is found; what it leads to may lie where all is hidden.
_RESOLVER = "/etc/resolv.conf"
#: The smallest sandbox that needs what every one needs.
_PROBE = (
    "bwrap",
    "--unshare-user-try",
    "--unshare-pid",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "true",
)


def trouble() -> str | None:
    """Return why agents cannot be run in a sandbox here, and what to do; None where they can."""
    if shutil.which("bwrap") is None:
        return _MISSING
    try:
        tried = process.run(_PROBE, cwd="/", timeout=10.0)
    except OrangeError as error:
        return error.message
    if tried.status == 0:
        return None
    said = (tried.stderr.strip().splitlines() or [f"exit code {tried.status}"])[-1]
    return (
        f"workspaces.isolation is sandbox, and bubblewrap does not work here ({said}): let your user make user "
        "namespaces (sysctl, AppArmor or the container around decide that), or set workspaces.isolation to worktree"
    )


class Sandbox:
    """The sandboxes of one project."""

    def __init__(self, layout: Layout, home: Home, env: Mapping[str, str]) -> None:
        self._layout, self._home, self._env = layout, home, env

    def enclosed(self, spec: RunSpec, command: Command, folder: str) -> Command:
        """Return the command with its sandbox. Raises AgentUnusable where that cannot be done here."""
        if why := trouble():
            raise AgentUnusable(why)
        cage = self._cage(spec, os.path.realpath(folder))
        os.makedirs(sandbox.mailbox(cage.folder), mode=0o700, exist_ok=True)
        for place in sandbox.branch_folders(cage):
            os.makedirs(place, exist_ok=True)
        cage = replace(cage, others=tuple(_others(cage)))
        return replace(command, within=sandbox.bubblewrap(cage))

    def _cage(self, spec: RunSpec, folder: str) -> sandbox.Cage:
        if spec.branch and "/" not in spec.branch:
            raise AgentUnusable(
                f"in a sandbox the branches of tasks need a folder of their own, and {spec.branch!r} has none: "
                "set branches.pattern to one such as orange/{name}-{id}"
            )
        env = {"HOME": "/", **self._env, **spec.agent_settings.env}
        home, package = self._env.get("HOME") or "/", os.path.dirname(os.path.dirname(orange.__file__))
        for folder_of_its_own in sandbox.own_folders(spec.agent, env):
            os.makedirs(folder_of_its_own, mode=0o700, exist_ok=True)
        secret = [f"{home}/{name}" for name in sandbox.CREDENTIALS]
        places = [self._layout.tree, self._home.sockets, self._home.state, self._home.config, *secret]
        more = [f"{home}{path[1:]}" if path.startswith("~/") else path for path in spec.writable]
        runtime = self._env.get("XDG_RUNTIME_DIR")
        hidden = _there([*([runtime] if runtime else []), *places])
        return sandbox.Cage(
            workspace=os.path.realpath(spec.workspace),
            common=os.path.realpath(self._layout.common),
            admin=_admin(spec.workspace),
            branch=f"refs/heads/{spec.branch}" if spec.branch else None,
            folder=folder,
            shown=_there([_RESOLVER, home, self._layout.root, sys.prefix, sys.base_prefix, package]),
            hidden=tuple(path for path in hidden if os.path.isdir(path)),
            hidden_files=tuple(path for path in hidden if not os.path.isdir(path)),
            own=_there([*sandbox.own_folders(spec.agent, env), *sandbox.own_files(spec.agent, env), *more]),
            network=spec.network,
        )


def _admin(workspace: str) -> str:
    """Return a worktree's own folder in the git directory. Raises AgentUnusable."""
    try:
        with open(f"{workspace}/.git", encoding="utf-8", errors="surrogateescape") as file:
            told = file.read().strip()
    except OSError:
        told = ""
    if not told.startswith("gitdir: "):
        raise AgentUnusable(f"{workspace} is no git worktree, which a sandbox needs")
    return os.path.realpath(os.path.join(workspace, told.removeprefix("gitdir: ")))


def _others(cage: sandbox.Cage) -> Iterator[str]:
    """Yield the files of the other branches' refs that lie beside the own one."""
    for folder in sandbox.branch_folders(cage)[:1]:
        for where, _, names in os.walk(folder):
            paths = (f"{where}/{name}" for name in sorted(names) if not name.endswith(".lock"))
            yield from (path for path in paths if path != f"{cage.common}/{cage.branch}")


def _there(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the real paths of what exists, once each."""
    return tuple(dict.fromkeys(os.path.realpath(path) for path in paths if os.path.exists(path)))
