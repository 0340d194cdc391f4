"""Names and refs: which names are branches at all, and what a base's refs point to.

Branch and base names come from task files: one that is no valid branch name never reaches git.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.integration import reffiles
from orange.core.layout import BASE_REFS, RECORDS_BRANCH
from orange.core.problems import GitFailed, InvalidInput

HEADS = "refs/heads/"
_REMOTES = "refs/remotes/"
#: Below this many names git is asked for each; from there on all branches are listed.
_FEW = 64
#: What git forbids in a ref's name (git-check-ref-format), and a leading dash.
_BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|^-|^/|(^|/)\.|\.lock(/|$)|^@$")


def is_name(name: str) -> bool:
    """Whether git takes that for the name of a branch, and nothing in it means anything to git."""
    return bool(name) and not _BAD.search(name) and len(name) < 240


def is_valid(name: str) -> bool:
    """Whether a base or a task's branch may have that name. The records' own branch is neither."""
    return is_name(name) and name not in {RECORDS_BRANCH, "HEAD"}


def check(field: str, name: str) -> str:
    """Return the name if a branch may have it. Raises InvalidInput."""
    if not is_valid(name):
        raise InvalidInput(field, f"{name!r} cannot be the name of a branch")
    return name


@dataclass(frozen=True, slots=True)
class Refs:
    """What some refs pointed to at one instant."""

    found: Mapping[str, str]

    def branch(self, name: str) -> str | None:
        """The commit of a local branch."""
        return self.found.get(f"{HEADS}{name}")

    def integrated(self, base: str) -> str | None:
        """The commit of an integrated base."""
        return self.found.get(f"{BASE_REFS}{base}")

    def users(self, base: str) -> str | None:
        """The user's commit on a base: the local branch's, else that of the remote's, `origin` first."""
        local = self.branch(base) or self.found.get(f"{_REMOTES}origin/{base}")
        if local:
            return local
        others = [ref for ref in self.found if ref.startswith(_REMOTES) and ref.split("/", 3)[-1] == base]
        return self.found[others[0]] if len(others) == 1 else None

    def work(self, base: str) -> str | None:
        """The commit that work on a base is measured against: the integrated base, else the user's."""
        return self.integrated(base) or self.users(base)


def read(git: Git, bases: Iterable[str], branches: Iterable[str] = ()) -> Refs:
    """Read the refs of bases and branches in one call. Names that are none are left out. Raises GitFailed."""
    bases = {name for name in bases if is_valid(name)}
    names = bases | {name for name in branches if is_valid(name)}
    if not names:
        return Refs({})
    heads = [f"{HEADS}{name}" for name in names]
    below = [f"{prefix}{base}" for base in bases for prefix in (BASE_REFS, f"{_REMOTES}*/")]
    found = reffiles.read(git.directory, (*heads, *below))
    if found is None:
        found = git.refs(*(heads if len(names) < _FEW else [HEADS]), *below)
    return Refs(found)


class Moved(Exception):
    """A ref was moved by somebody else in between. Never leaves the package: one looks again."""


def move(git: Git, ref: str, new: str, old: str | None, reason: str) -> None:
    """Move a ref from `old` (None: it does not exist) to `new`, if it is still there. Raises Moved, GitFailed."""
    arguments = ("update-ref", "--create-reflog", "-m", f"orange: {reason}", ref, new, old or "0" * len(new))
    result = git.attempt("-c", "core.fsync=committed,reference", "-c", "core.filesRefLockTimeout=2000", *arguments)
    if result.status == 0:
        return
    if git.ref(ref) != old:
        raise Moved
    raise GitFailed(("git", *arguments), result.status, result.stderr)
