"""Putting a workspace on its task's branch, and taking the base into it.

A branch that exists is never reset: it is checked out, then the base is merged in. These calls work in the worktree
itself, with every command of the repository's own configuration taken out of their reach.

Next in the flow: `provision` copies and links files, the session starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orange.adapters.git import Git, clear_stale_lock
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import spares
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.site import LONG, WORKERS, Site, step
from orange.core.layout import RECORDS_BRANCH
from orange.core.problems import BranchUnusable, GitFailed, WorkspaceStepFailed

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MERGE = (
    "--no-edit", "--commit", "--ff", "--no-squash", "--no-stat", "--no-verify", "--no-verify-signatures",
    "--no-autostash", "--no-log", "--no-overwrite-ignore",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Branch:
    """A task's branch before its workspace is made."""

    name: str
    #: Its commit.
    tip: str
    #: Whether it was there before.
    existed: bool

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/heads/{self.name}"


def prepare(site: Site, name: str, start_point: str, path: str, held: int) -> Branch:
    """Make sure the branch exists and may be checked out at `path`. Raises BranchUnusable, GitFailed."""
    _check_name(name)
    git = site.git(held)
    ref = f"refs/heads/{name}"
    # Most branches are new: try to make it first, and look only where that does not go.
    likely = _COMMIT.fullmatch(start_point) and not os.path.exists(f"{site.common}/{ref}")
    refused = _make(git, ref, start_point, site.clock.now()) if likely else None
    if refused == "":
        return Branch(name, start_point, existed=False)
    found = git.run(
        "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=f"{ref}\n{start_point}^{{commit}}\n".encode()
    )
    tip, start = (line.split(" ") for line in found.text.splitlines())
    if start[-1] != "commit":
        raise BranchUnusable(name, f"the commit {start_point} it should start from does not exist")
    if tip[-1] == "commit":
        _check_free(site, name, path)
        return Branch(name, tip[0], existed=True)
    refused = refused or _make(git, ref, start[0], site.clock.now())
    if refused:
        raise BranchUnusable(name, refused)
    return Branch(name, start[0], existed=False)


def _make(git: Git, ref: str, commit: str, now: float) -> str:
    """Make a branch that does not exist; returns why git refused, or nothing."""
    clear_stale_lock(git.directory, ref, now)
    made = git.attempt("update-ref", "--create-reflog", "-m", "orange: new branch", ref, commit, "0" * len(commit))
    if made.status == 0:
        return ""
    return made.stderr.strip().removeprefix("fatal: ") or "git refused to make it"


def _check_name(name: str) -> None:
    if name in {RECORDS_BRANCH, "HEAD", ""} or name.startswith("-") or re.search(r"\s", name):
        raise BranchUnusable(name, "that name is reserved or not a branch name")


def _check_free(site: Site, name: str, path: str) -> None:
    """Refuse a branch that another worktree has checked out, the user's own above all."""
    checkouts = [*admins.scan(site.common)]
    if site.layout.root != site.common:
        checkouts.append(replace(admins.read(site.common), path=site.layout.root))
    for found in checkouts:
        if found.branch == f"refs/heads/{name}" and found.path != path:
            raise BranchUnusable(name, f"it is checked out at {found.path}: switch that checkout to another branch")


def attach(site: Site, admin: Admin, branch: Branch, path: str, held: int) -> None:
    """Check the branch out in a clean worktree. Raises WorkspaceFailed."""
    if admin.branch == branch.ref:
        return
    workers = ("-c", f"checkout.workers={WORKERS}")
    with step(path, f"checking out {branch.name}"):
        if branch.existed or admin.commit is None:
            # Git itself refuses a branch that a rebase or bisection elsewhere has taken.
            git = worktree_git(site, admin, path, held)
            git.run(*workers, "switch", "--quiet", "--no-guess", branch.name, timeout=LONG)
            return
        if admin.commit != branch.tip:
            git = worktree_git(site, admin, path, held)
            git.run(*workers, "read-tree", "-m", "-u", admin.commit, branch.tip, timeout=LONG)
        admins.attach(admin, branch.ref, branch.tip, site.clock.now())


def lacks(site: Site, branch: Branch, start_point: str) -> bool:
    """Whether the branch has not taken the start point in yet. Raises GitFailed."""
    if branch.tip == start_point:
        return False
    ended = site.git().attempt("merge-base", "--is-ancestor", start_point, branch.tip)
    if ended.status > 1:
        raise GitFailed(ended.argv, ended.status, ended.stderr)
    return ended.status == 1


def merge(site: Site, admin: Admin, branch: str, start_point: str, held: int) -> tuple[str, ...]:
    """Merge the start point into the branch checked out; returns the files in conflict, which are left as they are.

    Raises WorkspaceFailed.
    """
    path = str(admin.path)
    git = worktree_git(site, admin, path, held)
    with step(path, "merging the base"):
        ended = git.attempt("merge", *_MERGE, "-m", f"Merge the base into {branch}", start_point, timeout=LONG)
        found = conflicts(admin, path)
    if ended.status != 0 and not found:
        said = ended.stderr.strip() or ended.text.strip()
        raise WorkspaceStepFailed(path, "merging the base", said.splitlines()[0] if said else "no message")
    return found


def conflicts(admin: Admin, path: str) -> tuple[str, ...]:
    """Files in conflict. Raises GitFailed."""
    fields = Git(path, {"GIT_DIR": admin.folder}).fields("ls-files", "--unmerged", "-z")
    return tuple(dict.fromkeys(field.partition("\t")[2] for field in fields))


def worktree_git(site: Site, admin: Admin, path: str, held: int) -> Git:
    """Git in a worktree, with nothing of the repository's own configuration run. Raises GitFailed."""
    config = spares.look_config(site, admin)
    return Git(path, {"GIT_DIR": admin.folder, "GIT_WORK_TREE": path, **config.neutral(), **config.identity()}, (held,))


def restore(site: Site, admin: Admin, path: str, held: int, provided: Sequence[str] = ()) -> None:
    """Undo what a kill left of a checkout or merge of ours; no ref moves. Raises WorkspaceFailed."""
    with step(path, "undoing an interrupted merge"):
        admins.end_operation(admin)
        git = worktree_git(site, replace(admin, path=path), path, held)
        git.run("read-tree", "--reset", "-u", "HEAD", timeout=LONG)
        spared = [word for name in provided for word in ("-e", f"/{name}")]
        git.run("clean", "-fd", "--quiet", *spared, timeout=LONG)
