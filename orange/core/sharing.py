"""Work that leaves its branch: what became of it, and the ports that revert it, push it and follow it elsewhere.

Next in the flow: `publishing` decides when, `project.publishing` pushes and asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from orange.core.allowance import Refusal
from orange.core.pullrequest import PullRequest

if TYPE_CHECKING:
    from orange.core.notices import Notice


@dataclass(frozen=True, slots=True)
class Publication:
    """What this machine did to publish a branch elsewhere; losing it costs pushing and asking again."""

    #: The commit that was pushed last; None before the first.
    commit: str | None = None
    #: When it was last pushed or looked after, wall-clock seconds.
    tried_at: float = 0.0
    #: How often in a row that failed, and why, in one sentence.
    failures: int = 0
    reason: str | None = None
    #: The pull request's number and address.
    number: int | None = None
    url: str | None = None
    #: What of its reviews and checks the task was told already.
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integrated:
    """The result of integrating a branch, or what it would be."""

    #: The commit on the integrated base that holds the work; None on a conflict.
    commit: str | None
    #: Whether anything had to be merged.
    changed: bool
    #: Files in conflict, relative to the repository.
    conflicts: tuple[str, ...] = ()
    #: The integrated commit it was made on, and the branch's commit that it brings in.
    onto: str | None = None
    tip: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a base would become with a task's work merged in: checked before the base is moved to it."""

    task: str
    base: str
    #: The integrated commit it is made on, and the branch's commit that it brings in.
    onto: str
    tip: str
    #: The merge commit.
    commit: str
    #: Which checks are to pass: their fingerprint.
    checks: str
    #: The run that carries them out, and where.
    run: str
    workspace: str
    #: Since when, RFC 3339 UTC.
    since: str
    #: How many times in a row checking this very merge came to no result before, and why it could not be begun.
    lost: int = 0
    trouble: str | None = None


class Candidates(Protocol):
    """The merges that are being checked: a small file of its own. Losing it costs checking again."""

    def all(self) -> Mapping[str, Candidate]:
        """By task id."""

    def put(self, candidate: Candidate) -> None:
        """Set a task's candidate. Raises StorageFailed."""

    def drop(self, task: str) -> None:
        """Forget a task's candidate. Raises StorageFailed."""

    def coverage(self) -> Mapping[str, Mapping[str, float]]:
        """The percentages that coverage checks named on what was merged last, by base and check."""

    def note_coverage(self, base: str, figures: Mapping[str, float]) -> None:
        """Note those of a base. Raises StorageFailed."""


class Contents(Protocol):
    """What is in commits."""

    def content(self, commit: str, path: str) -> bytes | None:
        """A file of a commit, by its path in the repository; None where it has no such file."""


class Reverting(Protocol):
    """Takes merged work out of an integrated base, and brings it back."""

    def merge_of(self, tip: str, base: str) -> str | None:
        """The merge commit by which orange brought a branch's tip into the integrated base. Raises GitFailed."""

    def rollback(self, merge: str, base: str, message: str) -> Integrated:
        """Revert a merge on the integrated base; unchanged where its work is not in there any more.

        Raises InvalidInput when it is no merge that the base contains, GitFailed.
        """

    def restored(self, branch: str, base: str, merge: str) -> str | None:
        """Make the commit that brings a rolled back merge's work back, to go on from on the task's branch.

        None where there is nothing to bring back, or the branch has such a commit already. Raises GitFailed.
        """


class Remote(Protocol):
    """The remote that a repository is shared through."""

    def addresses(self) -> Sequence[str]:
        """Where the repository's remotes are. Raises GitFailed."""

    def subjects(self, base: str, count: int) -> Sequence[str]:
        """The subjects of a base's latest commits that are no merges. Raises GitFailed."""

    def push(self, branch: str, commit: str, base: str) -> str:
        """Push a task's branch to the remote its base belongs to; returns the remote's name.

        Raises PushRefused, GitFailed.
        """

    def push_base(self, base: str) -> str:
        """Push what is integrated; a remote base that has moved on is taken in first. Returns the remote's name.

        Raises PushRefused, GitFailed.
        """

    def take_remote(self, base: str, commit: str) -> bool:
        """Where the remote's base holds a commit, or its content, take that base in; whether it does.

        Raises PushRefused, GitFailed.
        """


class Cleanups(Protocol):
    """Tasks whose workspace is not kept when they fail, as was asked when they were started."""

    def tasks(self) -> frozenset[str]:
        """The ids of those tasks."""

    def put(self, task: str, *, wanted: bool) -> None:
        """Say whether a task's workspace is not to be kept. Raises StorageFailed."""


class Refusals(Protocol):
    """What providers refused in any of this user's projects: a small file of theirs."""

    def known(self) -> tuple[Refusal, ...]:
        """Return what is known, over or not."""

    def add(self, refused: Iterable[Refusal], now: float) -> None:
        """Add what was refused here, and drop what is over. Raises StorageFailed."""


class Notices(Protocol):
    """How a person is told what needs them."""

    def told(self) -> frozenset[str]:
        """Return the keys of what was told."""

    def keep(self, keys: Iterable[str]) -> None:
        """Keep the keys of what was told. Raises OSError."""

    def tell(self, command: str, notice: Notice) -> str | None:
        """Run the user's command; returns why it failed, in one sentence. Raises OrangeError."""


class Publications(Protocol):
    """What this machine pushed, and when: a small file of its own."""

    def tasks(self) -> Mapping[str, Publication]:
        """By task id."""

    def bases(self) -> Mapping[str, Publication]:
        """The bases with merges that are to be pushed, by name."""

    def put(self, task: str, known: Publication | None) -> None:
        """Set what is known of a task; None forgets it. Raises StorageFailed."""

    def put_base(self, base: str, known: Publication | None) -> None:
        """Set what is known of a base that is to be pushed; None: it was. Raises StorageFailed."""


class Forge(Protocol):
    """Where pull requests are opened and reviewed."""

    def open(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or find the one that is open. Raises ForgeFailed."""

    def look(self, number: int) -> PullRequest:
        """Say how a pull request stands, with its reviews and checks. Raises ForgeFailed."""
