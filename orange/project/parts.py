"""The parts a project is made of, as the facade sees them. `wiring` makes them; each is made when first used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from orange.core.allowance import Terms
from orange.core.layout import Layout
from orange.core.pages.model import PageReader
from orange.core.ports import Clock, Configuration, Containers, Executor, Integration, Pipelines, Runs, Workspaces
from orange.core.problems import Problem
from orange.core.quick import QuickRuns
from orange.core.settings import Settings
from orange.core.sharing import Candidates, Cleanups, Forge, Notices, Publications, Refusals
from orange.core.storeports import TaskStore
from orange.core.usage import Usage

if TYPE_CHECKING:
    from orange.core.plans.asking import Foreground
    from orange.core.service.runpages import RunFolders
    from orange.core.service.webhooks import Deliveries


class Parts(Protocol):
    """One repository's adapters and facts."""

    @property
    def layout(self) -> Layout:
        """Where things lie."""

    @property
    def name(self) -> str:
        """The project's name: its folder's."""

    @property
    def host(self) -> str:
        """This clone's random id."""

    @property
    def clock(self) -> Clock:
        """Time."""

    @property
    def store(self) -> TaskStore:
        """The task files."""

    @property
    def integration(self) -> Integration:
        """The integrated bases."""

    @property
    def workspaces(self) -> Workspaces:
        """The worktrees."""

    @property
    def executor(self) -> Executor:
        """The sessions."""

    @property
    def runs(self) -> Runs:
        """The runs' records."""

    @property
    def quick(self) -> QuickRuns:
        """The records of quick actions."""

    @property
    def foreground(self) -> Foreground:
        """Runs that a command waits for."""

    @property
    def cleanups(self) -> Cleanups:
        """Tasks whose workspace is not kept when they fail."""

    @property
    def usage(self) -> Usage:
        """What runs used."""

    @property
    def deliveries(self) -> Deliveries:
        """Sends webhooks, and keeps how far they are."""

    @property
    def folders(self) -> RunFolders:
        """What lies in the folders of runs."""

    def agents(self) -> list[dict[str, object]]:
        """List the agents of this machine: `name`, `usable`, `version`, and the `reason` why not."""

    @property
    def containers(self) -> Containers:
        """The containers agents run in."""

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines and prompt templates."""

    @property
    def publications(self) -> Publications:
        """What was pushed."""

    @property
    def refusals(self) -> Refusals:
        """What providers refused in any of the user's projects."""

    @property
    def notices(self) -> Notices:
        """How a person is told what needs them."""

    @property
    def candidates(self) -> Candidates:
        """The merges that are being checked."""

    @property
    def forge(self) -> Forge:
        """Where pull requests are."""

    @property
    def pages(self) -> PageReader:
        """What reads PDFs."""

    @property
    def terms(self) -> Terms:
        """What was agreed for this run of the daemon."""

    def settings(self) -> Settings:
        """Return the effective configuration; an invalid file keeps its last good values."""

    @property
    def configuration(self) -> Configuration:
        """The configuration files."""

    def capabilities(self) -> frozenset[str]:
        """Return what this machine can do: usable agents, `git`, `docker`, labels; lower case."""

    def revealed(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """Return variables with what their references refer to. Raises OrangeError."""

    def random(self, count: int) -> bytes:
        """Return that many random bytes."""

    def planted(self) -> tuple[Problem, ...]:
        """Return what agents left behind for git to run, as far as it is there and nobody has looked at it."""

    def untrusted(self) -> Mapping[str, str]:
        """Return what arrived from elsewhere and waits for `orange trust`: task id -> what waits."""

    def show_records(self) -> None:
        """Bring the records' own git view up to date, so that a plain `git -C .orange status` agrees."""

    def daemon_running(self) -> bool:
        """Return whether the daemon serves this machine's projects."""

    def nudge(self) -> bool:
        """Tell the daemon to look again; False when none is running."""
