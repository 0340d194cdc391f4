"""The only place that picks adapters. Each is made when it is first used, so that a command pays for what it needs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from orange.adapters import daemon_socket, locate
from orange.core import effective, runfiles
from orange.core.agents import Command
from orange.core.allowance import EVERYTHING
from orange.core.home import Home
from orange.core.home import home as _home
from orange.core.layout import Layout
from orange.core.lifecycle import Actor
from orange.core.ports import Executor, Integration, Runs, RunSpec, Workspaces
from orange.core.problems import DaemonUnavailable, NotAProject, Problem
from orange.core.quick import QuickRuns
from orange.core.reviews import task_of
from orange.core.settings import Settings
from orange.core.sharing import Candidates, Cleanups, Forge, Notices, Publications, Refusals
from orange.core.storeports import TaskStore
from orange.core.usage import Usage
from orange.project.requests import Speaker

if TYPE_CHECKING:
    from orange.adapters.configuration import Configuration
    from orange.adapters.isolation.cages import Surroundings
    from orange.adapters.isolation.container import Containers
    from orange.adapters.pipelines import FilePipelines
    from orange.core.pages.model import PageReader
    from orange.core.plans.asking import Foreground
    from orange.core.redact import Secrets
    from orange.core.service.runpages import RunFolders
    from orange.core.service.webhooks import Deliveries
    from orange.project import Project


Part = TypeVar("Part")


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Wall-clock seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class Wired:
    """The parts of one project, made lazily. Satisfies `orange.project.parts.Parts`."""

    def __init__(self, layout: Layout, home: Home, *, daemon: bool = False) -> None:
        self.layout, self.home, self.is_daemon = layout, home, daemon
        self.clock = SystemClock()
        self.terms = EVERYTHING
        #: Part -> the settings it was made with, and the part.
        self._parts: dict[str, tuple[object, Any]] = {}

    @property
    def name(self) -> str:
        """The project's name: its folder's."""
        return os.path.basename(self.layout.root)

    @cached_property
    def host(self) -> str:
        """This clone's random id."""
        with open(self.layout.host_id, encoding="utf-8") as file:
            return file.read().strip()

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration files."""
        from orange.adapters.configuration import Configuration

        return Configuration(self.layout, self.home, os.environ)

    @cached_property
    def pipelines(self) -> FilePipelines:
        """The pipelines and prompt templates."""
        from orange.adapters.pipelines import FilePipelines

        return FilePipelines(self.layout)

    @cached_property
    def store(self) -> TaskStore:
        """The task files; a command records history itself, the daemon in batches."""
        from orange.adapters.history import open_history
        from orange.adapters.store.files import FileStore

        history = open_history(self.layout, batches=self.is_daemon)
        return FileStore(self.layout, history, self.clock, autorecord=not self.is_daemon, secrets=self.secrets)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Sends webhooks, and keeps how far they are."""
        from orange.adapters.webhooks import HttpDeliveries

        return HttpDeliveries(self.layout)

    @cached_property
    def folders(self) -> RunFolders:
        """What lies in the folders of runs."""
        from orange.adapters.runfolders import FileRunFolders

        return FileRunFolders(self.layout, self.secrets)

    def agents(self) -> list[dict[str, object]]:
        """List the agents of this machine."""
        from orange.wiring import agentlist

        return agentlist.shown(self.layout, self.settings())

    @cached_property
    def secrets(self) -> Secrets:
        """What is never written: the secret values of this process's environment, and what looks like a token."""
        from orange.core import redact

        return redact.of_environment(os.environ)

    @property
    def integration(self) -> Integration:
        """The integrated bases; made anew when the settings it depends on have changed."""
        settings = self.settings()
        return self._of_settings("integration", (settings.base, settings.workspaces.root), self._make_integration)

    def _make_integration(self) -> Integration:
        from orange.adapters.integration import GitIntegration

        settings = self.settings()
        return GitIntegration(self.layout, settings.base, workspaces=settings.workspaces.root)

    @property
    def workspaces(self) -> Workspaces:
        """The worktrees; made anew when their settings have changed."""
        return self._of_settings("workspaces", self.settings().workspaces, self._make_workspaces)

    def _make_workspaces(self) -> Workspaces:
        from orange.adapters.integration.switching import Switcher
        from orange.adapters.workspaces import InPlaceWorkspaces, WorktreeWorkspaces

        given = self.settings().workspaces
        worktrees = WorktreeWorkspaces(self.layout, given, self.clock, ports_file=self.home.ports)
        return InPlaceWorkspaces(worktrees, Switcher(self.layout, self.clock.now))

    def _of_settings(self, name: str, key: object, make: Callable[[], Part]) -> Part:
        known = self._parts.get(name)
        if known is None or known[0] != key:
            known = self._parts[name] = (key, make())
        return known[1]

    @cached_property
    def executor(self) -> Executor:
        """The tmux sessions."""
        from orange.adapters.sessions import TmuxExecutor

        return TmuxExecutor(self.layout, self.home.sockets, sys.executable, os.environ)

    @cached_property
    def runs(self) -> Runs:
        """The runs' records."""
        from orange.adapters.runs import FileRuns

        return FileRuns(self.layout, self._command, secrets=self.secrets)

    @cached_property
    def quick(self) -> QuickRuns:
        """The records of quick actions."""
        from orange.adapters.quick import FileQuickRuns

        return FileQuickRuns(self.layout, self.secrets)

    @cached_property
    def foreground(self) -> Foreground:
        """Runs that this process waits for."""
        from orange.adapters.foreground import ChildRuns

        return ChildRuns(self.layout, sys.executable, os.environ)

    @cached_property
    def cleanups(self) -> Cleanups:
        """Tasks whose workspace is not kept when they fail."""
        from orange.adapters.cleanups import FileCleanups

        return FileCleanups(self.layout)

    @cached_property
    def usage(self) -> Usage:
        """What runs used."""
        from orange.adapters.usage import FileUsage

        return FileUsage(self.layout)

    def _command(self, spec: RunSpec, prompt_file: str) -> Command:
        """Ask a run's agent for its program, within what is to enclose it. Raises InvalidInput, AgentUnusable."""
        command = _agent_command(spec, prompt_file)
        folder = os.path.dirname(prompt_file)
        if spec.isolation == runfiles.CONTAINER:
            return self.containers.enclosed(spec, command, folder)
        if spec.isolation == runfiles.SANDBOX:
            from orange.adapters.isolation.sandbox import Sandbox

            return Sandbox(self._surroundings()).enclosed(spec, command, folder)
        return command

    def _surroundings(self) -> Surroundings:
        from orange.adapters.isolation.cages import Surroundings

        return Surroundings(self.layout, self.home, os.environ)

    @property
    def containers(self) -> Containers:
        """The containers."""
        from orange.adapters.isolation.container import Containers

        return Containers(self._surroundings(), self.settings().workspaces.container, self.host)

    @cached_property
    def publications(self) -> Publications:
        """What was pushed."""
        from orange.adapters.publications import FilePublications

        return FilePublications(self.layout)

    @cached_property
    def refusals(self) -> Refusals:
        """What providers refused."""
        from orange.adapters.refusals import FileRefusals

        return FileRefusals(self.home.refusals, self.layout.root)

    @cached_property
    def notices(self) -> Notices:
        """The user's own command."""
        from orange.adapters.notices import CommandNotices

        return CommandNotices(self.layout, os.environ)

    @cached_property
    def candidates(self) -> Candidates:
        """The merges that are being checked."""
        from orange.adapters.candidates import FileCandidates

        return FileCandidates(self.layout)

    @cached_property
    def forge(self) -> Forge:
        """GitHub, through its program."""
        from orange.adapters.forge import GitHub

        return GitHub(self.layout.root)

    @cached_property
    def pages(self) -> PageReader:
        """PDFs, read by a child process."""
        from orange.adapters.pages.pdf import PdfPages

        return PdfPages()

    def settings(self) -> Settings:
        """Return the effective configuration, as far as this run of the daemon was not told otherwise."""
        settings = effective.agreed(self.configuration.settings(), self.terms)
        own = os.path.isdir(f"{self.layout.tree}/pipelines")
        return self.pipelines.completed(settings) if own else settings

    def capabilities(self) -> frozenset[str]:
        """Return what this machine can do."""
        from orange.adapters.capabilities import detect

        return detect(self.settings())

    def planted(self) -> tuple[Problem, ...]:
        """Return what agents left behind for git to run, as far as it is there and nobody has looked at it."""
        from orange.adapters import planted

        return planted.problems(self.layout)

    def untrusted(self) -> Mapping[str, str]:
        """Return the tasks that wait for `orange trust`."""
        from orange.adapters.trust import untrusted_tasks

        return untrusted_tasks(self.layout)

    def revealed(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """Return variables with what their references refer to. Raises OrangeError."""
        from orange.adapters import secretplaces

        return secretplaces.resolved(env, os.environ)

    def random(self, count: int) -> bytes:
        """Return random bytes."""
        return os.urandom(count)

    def show_records(self) -> None:
        """Bring HEAD and index of `.orange` to the tip of the records."""
        from orange.adapters import records

        records.refresh_checkout(self.layout)

    def daemon_running(self) -> bool:
        """Whether the daemon is up (it is, where these are its own parts)."""
        return self.is_daemon or daemon_socket.running(self.home.socket)

    def nudge(self) -> bool:
        """Tell the daemon to look again."""
        if self.is_daemon:
            return True
        try:
            daemon_socket.call(self.home.socket, "look", timeout=2.0)
        except DaemonUnavailable:
            return False
        return True


def current_home() -> Home:
    """Return this user's folders."""
    return _home(os.environ, os.getuid())


def open_parts(path: str, home: Home | None = None, *, daemon: bool = False) -> Wired:
    """Find the project a path belongs to, and heal its folder of records where that is gone. Raises NotAProject."""
    layout = locate.find(path)
    if layout is None or not os.path.exists(layout.host_id):
        raise NotAProject(os.path.abspath(path))
    if daemon or not os.path.exists(f"{layout.tree}/.git"):
        heal(layout)
    return Wired(layout, home or current_home(), daemon=daemon)


def heal(layout: Layout) -> None:
    """Mend what a kill or a `git clean` left of the project's folder of records. Raises OrangeError."""
    from orange.adapters import records

    records.heal(layout, os.urandom(8).hex())


def _agent_command(spec: RunSpec, prompt_file: str) -> Command:
    """Ask a run's agent for its program; a run of checks has none. Raises AgentUnusable for an unknown agent."""
    from orange.adapters.runtimes import registry as agents

    return agents.command(spec, prompt_file) if spec.agent else Command((), {})


def open_project(path: str, speaker: Speaker | None = None) -> Project:
    """Open the project a path belongs to, for whoever really speaks. Raises NotAProject."""
    from orange.project import Project

    parts = open_parts(path)
    return Project(parts, speaker or find_speaker(parts.layout, path))


def find_speaker(layout: Layout, path: str) -> Speaker:
    """Find out who speaks: the run whose process tree this is, else a person, perhaps inside a workspace."""
    from orange.adapters import speaker

    run = speaker.run_of_process(layout, os.getpid())
    if run:
        return Speaker(Actor.AGENT, run, task_of(run), run)
    return Speaker(Actor.PERSON, speaker.user_name(), speaker.task_of_folder(layout, path))


def init_project(path: str, remote: str | None) -> dict[str, Any]:
    """Make the repository a project."""
    from orange.wiring import setup

    return setup.init_project(path, remote)


def doctor(path: str) -> list[dict[str, Any]]:
    """Check the machine and the project."""
    from orange.wiring import setup

    return setup.doctor(path)


def agents(path: str) -> list[dict[str, Any]]:
    """List the agents of this machine."""
    from orange.wiring import setup

    return setup.agents(path)


def trust(path: str) -> dict[str, Any]:
    """Trust what arrived from elsewhere."""
    from orange.wiring import setup

    return setup.trust_project(path)
