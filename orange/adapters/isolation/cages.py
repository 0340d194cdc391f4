"""Finds out what a run's enclosure shows, hides and lets be written: the same for a sandbox and for a container."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orange
from orange.core import sandbox
from orange.core.home import Home
from orange.core.layout import Layout
from orange.core.ports import RunSpec
from orange.core.problems import AgentUnusable
from orange.core.sandbox import Cage

#: Without it no host is found; what it leads to may lie where all is hidden.
_RESOLVER = "/etc/resolv.conf"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One project and its user."""

    layout: Layout
    home: Home
    env: Mapping[str, str]


def cage_of(around: Surroundings, spec: RunSpec, folder: str, agents: Iterable[str]) -> Cage:
    """Gather what the enclosure of these agents in a run is made of, and make what must be there.

    Raises AgentUnusable, OSError.
    """
    cage = _cage(around, spec, os.path.realpath(folder), tuple(agents))
    os.makedirs(sandbox.mailbox(cage.folder), mode=0o700, exist_ok=True)
    for place in sandbox.branch_folders(cage):
        os.makedirs(place, exist_ok=True)
    return replace(cage, others=tuple(_others(cage)))


def agents_of(spec: RunSpec) -> tuple[str, ...]:
    """Return the agents that work in a run: its own, and those of single steps."""
    steps = spec.course.specs.values() if spec.course else ()
    return tuple(dict.fromkeys([spec.agent, *(step.agent for step in steps)]))


def _cage(around: Surroundings, spec: RunSpec, folder: str, agents: tuple[str, ...]) -> Cage:
    if spec.branch and "/" not in spec.branch:
        raise AgentUnusable(
            f"in a {spec.isolation} the branches of tasks need a folder of their own, and {spec.branch!r} has none: "
            "set branches.pattern to one such as orange/{name}-{id}"
        )
    layout, env = around.layout, {"HOME": "/", **around.env, **spec.agent_settings.env}
    home, package = around.env.get("HOME") or "/", os.path.dirname(os.path.dirname(orange.__file__))
    own_folders = [place for agent in agents for place in sandbox.own_folders(agent, env)]
    for folder_of_its_own in own_folders:
        os.makedirs(folder_of_its_own, mode=0o700, exist_ok=True)
    secret = [f"{home}/{name}" for name in sandbox.CREDENTIALS]
    places = [layout.tree, around.home.sockets, around.home.state, around.home.config, *secret]
    more = [f"{home}{path[1:]}" if path.startswith("~/") else path for path in spec.writable]
    runtime = around.env.get("XDG_RUNTIME_DIR")
    hidden = there([*([runtime] if runtime else []), *places])
    own_files = [place for agent in agents for place in sandbox.own_files(agent, env)]
    return Cage(
        workspace=os.path.realpath(spec.workspace),
        common=os.path.realpath(layout.common),
        admin=_admin(spec.workspace, spec.isolation),
        branch=f"refs/heads/{spec.branch}" if spec.branch else None,
        folder=folder,
        shown=there([_RESOLVER, home, layout.root, sys.prefix, sys.base_prefix, package]),
        hidden=tuple(path for path in hidden if os.path.isdir(path)),
        hidden_files=tuple(path for path in hidden if not os.path.isdir(path)),
        own=there([*own_folders, *own_files, *more]),
        network=spec.network,
    )


def _admin(workspace: str, isolation: str) -> str:
    """Return a worktree's own folder in the git directory. Raises AgentUnusable."""
    try:
        with open(f"{workspace}/.git", encoding="utf-8", errors="surrogateescape") as file:
            told = file.read().strip()
    except OSError:
        told = ""
    if not told.startswith("gitdir: "):
        raise AgentUnusable(f"{workspace} is no git worktree, which a {isolation} needs")
    return os.path.realpath(os.path.join(workspace, told.removeprefix("gitdir: ")))


def _others(cage: Cage) -> Iterator[str]:
    """Yield the files of the other branches' refs that lie beside the own one."""
    for folder in sandbox.branch_folders(cage)[:1]:
        for where, _, names in os.walk(folder):
            paths = (f"{where}/{name}" for name in sorted(names) if not name.endswith(".lock"))
            yield from (path for path in paths if path != f"{cage.common}/{cage.branch}")


def there(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the real paths of what exists, once each."""
    return tuple(dict.fromkeys(os.path.realpath(path) for path in paths if os.path.exists(path)))
