"""Merges without a checkout: `git merge-tree` writes the tree, `commit-tree` the commit; nobody's files are touched.

Trial merges and diffs run in a small git directory of orange's own that only borrows the repository's objects: no
merge driver, diff program or attribute planted in the repository's configuration has a say. The `.gitattributes` at
the top of the tree that is merged into does (`*.log merge=union`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orange import recordfile
from orange.adapters.git import Git, Identity
from orange.core.layout import Layout
from orange.core.problems import GitFailed

_DURABLE = ("-c", "core.fsync=committed,reference")
_MERGE = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories")
_CONFIG = {
    "sha1": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    "sha256": "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n",
}
#: Seconds a merge may take.
_LONG = 600.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a merge would give."""

    #: The tree; with conflict marks in it where there are conflicts.
    tree: str
    conflicts: tuple[str, ...] = ()


class Merger:
    """Tries merges and makes their commits."""

    def __init__(self, layout: Layout, now: Callable[[], float]) -> None:
        self._git = Git(layout.common)
        self._common = layout.common
        self._folder = f"{layout.runtime}/merge.git"
        self._attributes = f"{layout.runtime}/merge.attributes"
        self._now = now
        self._who: Identity | None = None
        self._opened: Git | None = None

    def trial(self, ours: str, theirs: str) -> Trial:
        """Try one merge. Raises GitFailed."""
        arguments = (*_DURABLE, *_MERGE, "-z", ours, theirs)
        result = self._with_attributes(ours).attempt(*arguments, timeout=_LONG)
        if result.status not in {0, 1}:  # a partial clone's missing objects come only through its own configuration
            result = self._git.attempt(*arguments, timeout=_LONG)
        if result.status not in {0, 1}:
            raise GitFailed(("git", *_MERGE, ours, theirs), result.status, result.stderr)
        tree, *conflicts = (os.fsdecode(field) for field in result.stdout.split(b"\0") if field)
        return Trial(tree, tuple(conflicts))

    def trials(self, ours: str, branches: Sequence[str]) -> list[Trial | None]:
        """Try many merges into one commit, by one process where git can; None where one could not be tried."""
        return self.pairs(ours, [(ours, theirs) for theirs in branches])

    def pairs(self, attributes: str, pairs: Sequence[tuple[str, str]]) -> list[Trial | None]:
        """Try many merges likewise, each of two commits, with the attributes of another commit's tree in force."""
        if len(pairs) > 1:
            lines = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs)
            result = self._with_attributes(attributes).attempt(*_MERGE, "--stdin", stdin=lines.encode(), timeout=_LONG)
            found = list(_parsed(result.stdout))
            if result.status in {0, 1} and len(found) == len(pairs):
                return list(found)
        return [self._attempt(ours, theirs) for ours, theirs in pairs]

    def _attempt(self, ours: str, theirs: str) -> Trial | None:
        try:
            return self.trial(ours, theirs)
        except GitFailed:
            return None

    def commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Make a commit by the user's configured identity, or orange's own. Raises GitFailed."""
        git = Git(self._common, self.who().env(self._now()))
        origins = [argument for parent in parents for argument in ("-p", parent)]
        text = message.replace("\0", "").rstrip().encode("utf-8", "replace") + b"\n"
        options = (*_DURABLE, "-c", "i18n.commitEncoding=UTF-8")
        return git.run(*options, "commit-tree", tree, *origins, "-F", "-", stdin=text).text.strip()

    def who(self) -> Identity:
        """Who commits: the user's configured identity, or orange's own."""
        if self._who is None:
            self._who = self._git.identity()
        return self._who

    def empty_tree(self) -> str:
        """Write the empty tree; returns its id."""
        return self._git.run("hash-object", "-w", "-t", "tree", "--stdin", stdin=b"").text.strip()

    def tree(self, commit: str) -> str:
        """Return a commit's tree. Raises GitFailed."""
        return self._git.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")

    def diff(self, old: str | None, new: str) -> str:
        """Show what changed since two commits parted up to the second, as a patch. Raises GitFailed."""
        parted = self._git.query("merge-base", old, new) if old else None
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--binary", "--src-prefix=a/", "--dst-prefix=b/")
        arguments = ("diff", *options, "--end-of-options", parted or self.empty_tree(), new, "--")
        result = self._aside().attempt(*arguments, timeout=_LONG)
        if result.status != 0:
            result = self._git.run(*arguments, timeout=_LONG)
        return result.stdout.decode("utf-8", "replace")

    def _aside(self) -> Git:
        """The git directory of our own, made on first use."""
        if self._opened is None:
            if not os.path.exists(f"{self._folder}/HEAD"):
                self._make()
            env = {"GIT_DIR": self._folder, "GIT_OBJECT_DIRECTORY": f"{self._common}/objects"}
            if os.path.exists(f"{self._common}/shallow"):
                env["GIT_SHALLOW_FILE"] = f"{self._common}/shallow"
            self._opened = Git(self._folder, env)
        return self._opened

    def _make(self) -> None:
        """Write the git directory: by hand, since a `git init` that is killed leaves a lock that stops the next one."""
        algorithm = self._git.line("rev-parse", "--show-object-format")
        for name in ("objects", "refs"):
            os.makedirs(f"{self._folder}/{name}", exist_ok=True)
        recordfile.replace(f"{self._folder}/config", _CONFIG[algorithm].encode(), sync=False)
        recordfile.replace(f"{self._folder}/HEAD", b"ref: refs/heads/none\n", sync=False)

    def _with_attributes(self, commit: str) -> Git:
        """The same, with the attributes of a tree in force: git takes them from files of a worktree only."""
        git = self._aside()
        blob = self._git.query("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:.gitattributes")
        if blob is None:
            return git
        folder = f"{self._attributes}/{blob}"
        if not os.path.exists(f"{folder}/.gitattributes"):
            os.makedirs(folder, exist_ok=True)
            text = self._git.run("cat-file", "blob", blob).stdout
            recordfile.replace(f"{folder}/.gitattributes", text, sync=False)
        return Git(folder, {**(git.env or {}), "GIT_WORK_TREE": folder})


def _parsed(answer: bytes) -> Iterator[Trial]:
    """Read what `--stdin` prints: a status, the tree, conflicting files, and an empty field, for each merge."""
    fields = iter(answer.split(b"\0"))
    for status in fields:
        if status:
            tree = next(fields).decode()
            yield Trial(tree, tuple(os.fsdecode(field) for field in iter(lambda: next(fields), b"")))
