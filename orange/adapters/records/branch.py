"""Finds the branch `orange-tasks` here or on a remote, or makes it with its first commit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.process import TimedOut
from orange.adapters.records.tree import Place
from orange.core.layout import RECORDS_BRANCH, RECORDS_REF
from orange.core.problems import BranchInTheWay, GitFailed, NewerFormat, RemoteUnclear
from orange.core.settings import Settings

_FORMAT = re.compile(rb"^format:[ \t]*([0-9]+)", re.MULTILINE)
#: How long a remote may take to say whether it has the branch, and to send it, in seconds.
_ASK, _FETCH = 20.0, 300.0

_CONFIG = b"""\
# The configuration of this orange project. `orange config show` lists every key with its value and where it is from.
format: 1
"""
_README = b"""\
# Tasks

This branch holds the task files of orange, checked out as the folder `.orange` of the repository.
Each folder below `tasks/` is a task: edit its `TASK.md` freely. `orange --help` explains the rest.
"""


@dataclass(frozen=True, slots=True)
class Branch:
    """The branch, as it was found or made."""

    tip: str
    #: Whether it was begun now.
    made: bool = False
    #: The remote it was taken from now.
    remote: str | None = None
    notes: tuple[str, ...] = ()


def local(git: Git) -> str | None:
    """Return the commit of the branch here, or None. Raises GitFailed."""
    return git.ref(RECORDS_REF)


def ensure(git: Git, remote: str | None, place: Place, now: float) -> Branch:
    """Find the branch here, in what the worktree last showed, or on a remote; else begin it.

    Raises BranchInTheWay, RemoteUnclear, NewerFormat, GitFailed.
    """
    tip = local(git)
    if tip:
        _check(git, tip)
        return Branch(tip)
    if place.head and git.query("cat-file", "-e", f"{place.head}:config.yaml") is not None:
        _set(git, place.head)
        return Branch(place.head, notes=(f"the branch {RECORDS_BRANCH} was gone and is back at {place.head[:12]}",))
    source, notes = _source(git, remote)
    if source is None:
        return Branch(_begin(git, now), made=True, notes=notes)
    tip = git.line("rev-parse", "--verify", f"refs/remotes/{source}/{RECORDS_BRANCH}^{{commit}}")
    _check(git, tip)
    _set(git, tip)
    git.run("config", f"branch.{RECORDS_BRANCH}.remote", source)
    git.run("config", f"branch.{RECORDS_BRANCH}.merge", RECORDS_REF)
    return Branch(tip, remote=source, notes=notes)


def _check(git: Git, tip: str) -> None:
    """Refuse a branch that holds something else, or what a newer orange wrote."""
    config = git.attempt("cat-file", "blob", f"{tip}:config.yaml")
    found = _FORMAT.search(config.stdout) if config.status == 0 else None
    if found is None:
        git.run("cat-file", "-e", f"{tip}^{{tree}}")
        raise BranchInTheWay(RECORDS_BRANCH)
    known = Settings().format
    if int(found[1]) > known:
        raise NewerFormat(int(found[1]), known)


def _set(git: Git, tip: str) -> None:
    git.run("update-ref", "-m", "orange: init", RECORDS_REF, tip, "0" * len(tip))


def _source(git: Git, remote: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Choose the remote to take the branch from, with it fetched; None where there is none."""
    remotes = git.line("remote").split()
    if remote is not None and remote not in remotes:
        raise RemoteUnclear(f"no remote is called {remote!r} (there are: {', '.join(remotes) or 'none'})")
    known = git.refs(*(f"refs/remotes/{name}/{RECORDS_BRANCH}" for name in remotes)) if remotes else {}
    having = [name for name in remotes if f"refs/remotes/{name}/{RECORDS_BRANCH}" in known]
    if remote in having or (remote is None and len(having) == 1):
        return remote or having[0], ()
    if remote is None and having:
        raise RemoteUnclear(f"several remotes have a branch {RECORDS_BRANCH} ({', '.join(having)}): say --remote NAME")
    asked = remote or (remotes[0] if len(remotes) == 1 else "origin" if "origin" in remotes else None)
    return _ask(git, asked, must=remote is not None) if asked else (None, ())


def _ask(git: Git, remote: str, *, must: bool) -> tuple[str | None, tuple[str, ...]]:
    """Ask a remote whose branches are not (all) fetched; one that does not answer is an error only if named."""
    try:
        if not _has(git, remote):
            return None, ()
        _fetch(git, remote)
    except (TimedOut, GitFailed) as failed:
        if must:
            raise
        said = failed.message.splitlines()[0]
        return None, (f"the remote {remote} could not be asked whether it has the project's tasks: {said}",)
    return remote, ()


def _has(git: Git, remote: str) -> bool:
    ask = ("ls-remote", "--exit-code", "--heads", remote, RECORDS_REF)
    answer = git.attempt(*ask, timeout=_ASK)
    if answer.status not in {0, 2}:
        raise GitFailed(("git", *ask), answer.status, answer.stderr)
    return answer.status == 0


def _fetch(git: Git, remote: str) -> None:
    options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    refspec = f"+{RECORDS_REF}:refs/remotes/{remote}/{RECORDS_BRANCH}"
    git.run("fetch", "-q", *options, remote, refspec, timeout=_FETCH)


def _begin(git: Git, now: float) -> str:
    """Make the orphan branch with its first commit. Raises GitFailed, also when somebody else just made it."""
    files = {"README.md": _README, "config.yaml": _CONFIG}
    blobs = {name: git.run("hash-object", "-w", "--stdin", stdin=data).text.strip() for name, data in files.items()}
    listing = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in blobs.items())
    made = git.run("mktree", stdin=listing.encode()).text.strip()
    by = Git(git.directory, git.identity().env(now), git.keep)
    tip = by.line("-c", "i18n.commitEncoding=UTF-8", "commit-tree", made, "-m", "Begin the task records")
    _set(git, tip)
    return tip
