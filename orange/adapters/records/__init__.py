"""Makes and heals `.orange`: the branch `orange-tasks`, and the detached worktree that shows its files.

`ensure` is `orange init`, and the healing at daemon start: it looks at what is there and makes what is missing, in
an order that a kill at any instant leaves healable; what it did not make, it never removes.

Next in the flow: the store reads and writes the files; `history` commits them; `refresh_checkout` lets a plain
`git -C .orange status` agree.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from orange import recordfile
from orange.adapters.git import Git, repository_lock
from orange.adapters.records import base, branch, tree
from orange.adapters.records.branch import Branch
from orange.adapters.records.refresh import refresh_checkout
from orange.adapters.records.tree import Mended
from orange.core.layout import Layout
from orange.core.problems import NotAProject, StorageFailed

__all__ = ["InitResult", "ensure", "heal", "refresh_checkout"]

_EXCLUDE = b"/.orange/"


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `ensure` found and did."""

    #: Whether this clone was no orange project before.
    created: bool
    #: Whether the records came from elsewhere, so that nobody on this machine has judged them yet.
    arrived: bool
    #: Whether the task files were written anew from the branch: what the journal holds beyond it comes on top again.
    restored: bool
    #: One sentence for people.
    message: str
    #: Sentences worth knowing besides.
    notes: tuple[str, ...] = ()


def ensure(layout: Layout, remote: str | None, host_id: str, *, now: Callable[[], float] = time.time) -> InitResult:
    """Make what is missing of the project; `host_id` is a random id, taken where the clone has none yet.

    Raises TreeInTheWay, BranchInTheWay, RemoteUnclear, NewerFormat, StorageFailed, GitFailed; nothing is destroyed.
    """
    try:
        with repository_lock(layout.git_lock) as held:
            return _ensure(layout, Git(layout.common, keep=(held,)), remote, host_id, now)
    except OSError as error:
        raise StorageFailed(error.filename or layout.tree, error.strerror or str(error)) from error


def heal(layout: Layout, host_id: str, *, now: Callable[[], float] = time.time) -> InitResult:
    """Mend what is left of a project, as at daemon start. Raises NotAProject where there is nothing to mend."""
    known = os.path.isdir(layout.tree) or os.path.exists(layout.host_id)
    if not known and branch.local(Git(layout.common)) is None:
        raise NotAProject(layout.root)
    return ensure(layout, None, host_id, now=now)


def _ensure(layout: Layout, git: Git, remote: str | None, host_id: str, now: Callable[[], float]) -> InitResult:
    tree.drop_remains(layout)
    place = tree.survey(layout)
    found = branch.ensure(git, remote, place, now())
    if layout.root != layout.common:
        _exclude(f"{layout.common}/info/exclude")
    mended = tree.ensure(layout, git, place, found.tip)
    base.note(layout, git)
    new_here = recordfile.create(layout.host_id, f"{host_id}\n".encode())
    arrived = new_here and not found.made
    notes = (*found.notes, *_names_taken(git))
    return InitResult(
        new_here,
        arrived,
        mended is Mended.FILLED and not found.made,
        _message(layout, found, mended, new_here=new_here),
        notes,
    )


def _message(layout: Layout, found: Branch, mended: Mended, *, new_here: bool) -> str:
    if found.remote:
        return f"{layout.root} is an orange project now; its tasks come from the remote {found.remote}"
    if found.made or new_here:
        return f"{layout.root} is an orange project now"
    if mended is Mended.NOTHING:
        return f"{layout.root} already is an orange project: nothing to do"
    return f"{layout.root} already was an orange project: {mended.value}"


def _exclude(path: str) -> None:
    """Keep `git add -A` from recording `.orange` as a submodule, by one line of the repository's own exclude file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a+b") as file:
        file.seek(0)
        text = file.read()
        if _EXCLUDE not in text.splitlines():
            gap = b"\n" if text and not text.endswith(b"\n") else b""
            file.write(gap + _EXCLUDE + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _names_taken(git: Git) -> tuple[str, ...]:
    if git.ref("refs/heads/orange") is None:
        return ()
    return ("a branch is called `orange`, so none can be called `orange/...`: rename it, or set `branches.pattern`",)
