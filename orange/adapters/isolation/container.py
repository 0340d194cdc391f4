"""Puts an agent's command into a container of podman or docker, and removes containers that were left."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from orange.adapters import process
from orange.adapters.isolation.cages import Surroundings, agents_of, cage_of
from orange.core import container
from orange.core.agents import Command
from orange.core.container import ENGINES, Box, Engine
from orange.core.ports import RunSpec
from orange.core.problems import AgentUnusable, OrangeError
from orange.core.sandbox import Cage

#: Seconds an engine may take to answer.
_PATIENCE = 60.0
#: How an engine is told where its own things are.
_ENGINES_OWN = (
    "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINER_HOST", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_CONFIG",
    "DOCKER_CONTEXT", "DOCKER_HOST", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
)  # fmt: skip
#: What git is to know of its user in there, below the home folder.
_GIT_SETTINGS = (".gitconfig", ".config/git/config")
_ENTER = ("-P", "-m", "orange.adapters.isolation.aboard")


def engine_of(settings: Mapping[str, str | None], env: Mapping[str, str]) -> Engine | None:
    """Find the engine that the settings name; None where it is not there."""
    kind = settings.get("engine") or ENGINES[0]
    path = shutil.which(kind)
    return Engine(kind, path, {name: env[name] for name in _ENGINES_OWN if name in env}) if path else None


def trouble(settings: Mapping[str, str | None], env: Mapping[str, str]) -> str | None:
    """Return why agents cannot be run in containers here, and what to do; None where they can."""
    engine, image = engine_of(settings, env), settings.get("image")
    if engine is None or not image:
        return container.lacking(settings)
    try:
        asked = process.run([*engine.words, "image", "inspect", image], cwd="/", timeout=_PATIENCE)
    except OrangeError as error:
        return error.message
    if asked.status == 0:
        return None
    said = (asked.stderr.strip().splitlines() or [f"exit code {asked.status}"])[-1]
    return f"the image {image} of workspaces.container.image cannot be used ({said}): see `{engine.kind} pull {image}`"


class Containers:
    """The containers of one project."""

    def __init__(self, around: Surroundings, settings: Mapping[str, str | None], project: str) -> None:
        self._around, self._settings, self._project = around, settings, project

    def enclosed(self, spec: RunSpec, command: Command, folder: str) -> Command:
        """Return the command with its container. Raises AgentUnusable where that cannot be done here."""
        engine = engine_of(self._settings, self._around.env)
        if why := trouble(self._settings, self._around.env):
            raise AgentUnusable(why)
        assert engine
        if command.argv[:1] == (sys.executable,) and command.inner is None:
            raise AgentUnusable(f"the agent {spec.agent} is a part of orange and in no image: give the task another")
        cage, box = cage_of(self._around, spec, folder, agents_of(spec)), self._box(engine, spec)
        _check_paths(cage)
        told = (f"{name}={value}" for name, value in sorted(engine.env.items()))
        within = (sys.executable, *_ENTER, engine.kind, engine.path, box.name, cage.folder, *told, "--")
        begin, end = container.begin(engine, box, cage), container.end(engine, box.name)
        return replace(command, within=within, begin=begin, end=end)

    def _box(self, engine: Engine, spec: RunSpec) -> Box:
        env, rootless = self._around.env, engine.kind == "podman" and os.getuid() != 0
        home = env.get("HOME") or "/"
        git = (env.get("GIT_CONFIG_GLOBAL", ""), *(f"{home}/{name}" for name in _GIT_SETTINGS))
        return Box(
            run=spec.run,
            task=spec.task,
            project=self._project,
            image=str(self._settings["image"]),
            home=home,
            user=None if rootless else f"{os.getuid()}:{os.getgid()}",
            read=tuple(dict.fromkeys(path for path in git if os.path.isfile(path))),
            ulimits=tuple(_ulimits()) if engine.kind == "podman" else (),
            memory=self._settings.get("memory"),
            cpus=self._settings.get("cpus"),
        )

    def remove(self, tasks: Collection[str]) -> int:
        """Remove the containers that runs of these tasks left; returns how many. Raises AgentUnusable."""
        engine = engine_of(self._settings, self._around.env)
        if engine is None:
            return 0
        try:
            listed = process.run(container.listing(engine), cwd="/", timeout=_PATIENCE)
            found = container.of_tasks(listed.text, tasks, self._project)
            for name in found:
                process.run(container.end(engine, name), cwd="/", timeout=_PATIENCE)
        except OrangeError as error:
            raise AgentUnusable(error.message) from error
        return len(found)


def _ulimits() -> Iterator[str]:
    """Name limits that podman may set wherever it runs: by default it tries to raise them, which not everybody may."""
    for name, number, most in (("nofile", resource.RLIMIT_NOFILE, 1 << 20), ("nproc", resource.RLIMIT_NPROC, 1 << 14)):
        hard = resource.getrlimit(number)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(hard, most)
        yield f"{name}={limit}:{limit}"


def _check_paths(cage: Cage) -> None:
    """Raises AgentUnusable for a path that cannot be told to an engine."""
    for path in (cage.workspace, cage.common, *cage.own):
        if not container.mountable(path):
            raise AgentUnusable(f"{path} cannot be mounted into a container: its name has a comma, quote or line's end")
