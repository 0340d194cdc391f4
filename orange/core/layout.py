"""Where a project's things lie, as pure path arithmetic. `adapters.locate` finds the two roots it starts from."""

from __future__ import annotations

from dataclasses import dataclass

#: The orphan branch that holds the task records. Not `orange`: that would forbid branches `orange/...`.
RECORDS_BRANCH = "orange-tasks"
RECORDS_REF = f"refs/heads/{RECORDS_BRANCH}"
#: Integrated bases lie below this.
BASE_REFS = "refs/orange/base/"
#: Rescued work lies below this, as `<task id>/<n>`.
RESCUE_REFS = "refs/orange/rescue/"


@dataclass(frozen=True, slots=True)
class Layout:
    """The absolute paths of one project."""

    #: The folder people call the repository: the main worktree, or the git directory of a bare repository.
    root: str
    #: The git directory all worktrees share.
    common: str

    @property
    def tree(self) -> str:
        """The detached worktree that holds the task files: `<repo>/.orange`."""
        return f"{self.root}/.orange"

    @property
    def config(self) -> str:
        """The project's configuration file."""
        return f"{self.tree}/config.yaml"

    @property
    def good_config(self) -> str:
        """The configuration as it was when nothing was wrong in it."""
        return f"{self.runtime}/config.good.yaml"

    @property
    def runtime(self) -> str:
        """Machine-local, never versioned."""
        return f"{self.common}/orange"

    @property
    def lock(self) -> str:
        """The project lock: a file that is never replaced nor removed."""
        return f"{self.runtime}/lock"

    @property
    def git_lock(self) -> str:
        """The repository-wide lock around worktree add, remove, prune and fetch."""
        return f"{self.runtime}/git.lock"

    @property
    def journal(self) -> str:
        """The folder of journal entries: own writes not yet in history."""
        return f"{self.runtime}/journal"

    @property
    def index(self) -> str:
        """The cache of parsed tasks; may be deleted at any time."""
        return f"{self.runtime}/index"

    @property
    def runs(self) -> str:
        """One folder a run."""
        return f"{self.runtime}/runs"

    @property
    def quick(self) -> str:
        """The records of quick actions."""
        return f"{self.runtime}/quick"

    @property
    def host_id(self) -> str:
        """The file with this clone's random id."""
        return f"{self.runtime}/host"

    @property
    def dispatch(self) -> str:
        """The file that says whether dispatch is paused, by whom and why."""
        return f"{self.runtime}/dispatch.json"

    def workspaces(self, root: str | None) -> str:
        """The folder of the workspaces: the configured one, else `<repo>.workspaces` beside the repository."""
        if not root:
            return f"{self.root}.workspaces"
        return root if root.startswith("/") else f"{self.root}/{root}"
