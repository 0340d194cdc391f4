"""Moves a branch forward that somebody has checked out, or a checkout to another branch, where nothing is in the way.

The worktree's index is locked with a lock that is recognisably ours, git works on a copy of the index, and the copy is
renamed into place. What was begun is in a journal first: after a kill `finish` takes every path
whose content is the old or the new one to one side, and touches nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from orange import recordfile
from orange.adapters.git import Git
from orange.adapters.integration import delta, refs
from orange.adapters.integration.checkouts import Checkout
from orange.adapters.integration.delta import Change, Probe
from orange.core.layout import Layout

#: Seconds a fast-forward may take.
_LONG = 1800.0
#: How long a ref's lock is watched before it is taken for one that a kill left, in steps and seconds a step.
_LOOKS, _LOOK = 10, 0.05
_FORWARD = (
    "-c", "submodule.recurse=false", "merge", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--no-squash",
    "--no-verify-signatures", "--no-stat", "--quiet",
)  # fmt: skip
_SWITCH = ("-c", "submodule.recurse=false", "checkout", "--quiet", "--no-overwrite-ignore", "--no-guess")


@dataclass(frozen=True, slots=True)
class Move:
    """A branch on its way: what the journal holds."""

    base: str
    worktree: str
    #: The worktree's git folder.
    admin: str
    #: The branch's commit before; None when it has none yet.
    old: str | None
    new: str
    #: The tree before: `old`, or the empty tree.
    old_tree: str
    #: What ORIG_HEAD said, which git's merge changes.
    orig_head: str | None
    #: The branch that is checked out instead, which is at `new`; None: the branch itself moves there.
    onto: str | None = None

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"{refs.HEADS}{self.base}"

    @property
    def goal(self) -> str:
        """The full name of the branch that is checked out in the end."""
        return f"{refs.HEADS}{self.onto}" if self.onto else self.ref

    def has_arrived(self, head: str | None, at: str | None) -> bool:
        """Whether a checkout with this branch, at this commit, is where it is to be: git moves that last."""
        return at == self.new if self.onto is None else head == self.goal

    @property
    def lock(self) -> str:
        """The lock of the worktree's index."""
        return f"{self.admin}/index.lock"

    @property
    def lock_text(self) -> bytes:
        """What our lock says, so that nobody else's is ever taken for it."""
        onto = f" on {self.onto}" if self.onto else ""
        return f"orange follows {self.base}: {self.old} -> {self.new}{onto}\n".encode("utf-8", "surrogateescape")

    @property
    def aside(self) -> str:
        """The copy of the index."""
        return f"{self.admin}/orange-index"


class Mover:
    """Moves checked-out branches. Made by who holds the integration lock; `held` is its descriptor."""

    def __init__(
        self, layout: Layout, held: int, env: dict[str, str], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._journal = f"{layout.runtime}/follow.json"
        self._probe = f"{layout.runtime}/probe.index"
        self._keep, self._env, self._pause = (held,), env, pause

    def move(self, base: str, place: Checkout, commits: tuple[str | None, str], old_tree: str) -> str | None:
        """Move the branch from the old to the new commit; the sentence why not, or None. Raises GitFailed."""
        orig = self._git(place.path).query("rev-parse", "--verify", "--quiet", "ORIG_HEAD")
        return self._carry_out(Move(base, place.path, place.admin, *commits, old_tree, orig))

    def switch(self, base: str, place: Checkout, commits: tuple[str, str], onto: str) -> str | None:
        """Check another branch out, from commit to commit; the sentence why not, or None. Raises GitFailed."""
        orig = self._git(place.path).query("rev-parse", "--verify", "--quiet", "ORIG_HEAD")
        return self._carry_out(Move(base, place.path, place.admin, *commits, commits[0], orig, onto))

    def _carry_out(self, move: Move) -> str | None:
        git = self._git(move.worktree)
        found = self._overlap(git, delta.between(git, move.old_tree, move.new), move.old_tree)
        if found:
            return _in_the_way(move, found)
        recordfile.replace(self._journal, json.dumps(asdict(move)).encode())
        if not _lock(move):
            os.unlink(self._journal)
            return f"git is at work in {move.worktree} (its index is locked)"
        refused = self._advance(move)
        if refused:
            self._settle(move, forward=False)
            return f"git cannot move the files in {move.worktree}: {refused}"
        os.rename(move.aside, f"{move.admin}/index")
        self._close(move)
        return None

    def _git(self, worktree: str, env: dict[str, str] | None = None) -> Git:
        return Git(worktree, {**self._env, **(env or {})}, self._keep)

    def _overlap(self, git: Git, changes: Iterable[Change], old_tree: str) -> set[str]:
        """Name the user's changes that are in the way."""
        touched = {change.path: change for change in changes}
        files = {path: change.old for path, change in touched.items() if not change.is_submodule}
        probe = Probe(git.directory, self._probe, self._keep)
        found = probe.differing(files)
        found -= delta.hidden(git) if any(not os.path.lexists(f"{git.directory}/{path}") for path in found) else set()
        found |= touched.keys() & delta.staged(git, old_tree).keys()
        found |= {path for path in touched if touched[path].old is None and _lies_below_a_file(git, path, touched)}
        probe.drop()
        return found

    def _advance(self, move: Move) -> str:
        """Run git's own fast-forward, or checkout, on a copy of the index; what it said against it, or nothing."""
        _copy_index(move)
        options = {
            "GIT_INDEX_FILE": move.aside,
            "GIT_REFLOG_ACTION": "orange: switch" if move.onto else "orange: follow",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"branch.{move.base}.mergeoptions",
            "GIT_CONFIG_VALUE_0": "",
        }
        wanted = (*_SWITCH, move.onto, "--") if move.onto else (*_FORWARD, move.new)
        result = self._git(move.worktree, options).attempt(*wanted, timeout=_LONG)
        if result.status == 0:
            return ""
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        return " ".join(lines[:3]) or "git gave no reason"

    def finish(self) -> tuple[str, ...]:
        """Finish the move that a kill interrupted; sentences about it. Raises GitFailed."""
        try:
            with open(self._journal, encoding="utf-8") as file:
                move = Move(**json.load(file))
        except FileNotFoundError:
            return ()
        except (ValueError, TypeError):
            os.unlink(self._journal)
            return (f"{self._journal} could not be read and was dropped: look at `git status` of your checkouts",)
        return (self._settle(move, forward=True),)

    @property
    def is_open(self) -> bool:
        """Whether a move is still unfinished, so that no other may begin."""
        return os.path.exists(self._journal)

    def _settle(self, move: Move, *, forward: bool) -> str:
        """Take the checkout to the new commit, or back to the old one where a file is neither."""
        if not os.path.isdir(move.worktree) or not os.path.isdir(move.admin):
            os.unlink(self._journal)
            return f"{move.worktree} is gone, in which {move.base} was being moved"
        if not _holds_lock(move) and not _lock(move):
            return f"git is at work in {move.worktree}: {move.base} is finished there when it has ended"
        self._clear_ref_locks(move)
        git = self._git(move.worktree)
        head = git.query("symbolic-ref", "--quiet", "HEAD")
        at = git.ref(head) if head else None
        if head not in {move.ref, move.goal} or at not in {move.old, move.new}:
            self._close(move)
            return f"{move.worktree} was changed since the move of {move.base} began: nothing more is done there"
        return self._take(git, move, arrived=move.has_arrived(head, at), forward=forward)

    def _take(self, git: Git, move: Move, *, arrived: bool, forward: bool) -> str:
        probe = Probe(move.worktree, self._probe, self._keep)
        hidden = delta.hidden(git)
        changes = delta.between(git, move.old_tree, move.new)
        files = [change for change in changes if not change.is_submodule and change.path not in hidden]
        not_old = probe.differing({change.path: change.old for change in files})
        not_new = probe.differing({change.path: change.new for change in files})
        foreign = {change.path for change in files if change.path in not_old & not_new and not probe.is_begun(change)}
        to_new = arrived or (forward and not foreign)
        wrong = (not_new if to_new else not_old) - foreign
        probe.write({c.path: c.new if to_new else c.old for c in files if c.path in wrong})
        probe.drop()
        self._set_index(git, move, changes, to_new=to_new)
        if to_new and not arrived:
            _finish_refs(git, move)
        self._close(move)
        kept = f"; {', '.join(sorted(foreign)[:3])} left as you changed it" if foreign else ""
        return f"{move.base} in {move.worktree} was {'finished' if to_new else 'taken back'} after a kill{kept}"

    def _set_index(self, git: Git, move: Move, changes: Iterable[Change], *, to_new: bool) -> None:
        """Take the entries of the changed paths to one side; what the user staged otherwise stays."""
        staged = delta.staged(git, move.old_tree)
        wanted = {change.path: change.new if to_new else change.old for change in changes}
        sides = {change.path: (change.old, change.new) for change in changes}
        have = {path: staged.get(path, sides[path][0]) for path in wanted}
        wrong = {path: entry for path, entry in wanted.items() if have[path] != entry and have[path] in sides[path]}
        if not wrong:
            return
        _copy_index(move)
        aside = self._git(move.worktree, {"GIT_INDEX_FILE": move.aside})
        left_out = b"".join(os.fsencode(path) + b"\0" for path in delta.hidden(git) & wrong.keys() if wrong[path])
        delta.load(aside, wrong)
        if left_out:
            aside.run("update-index", "-z", "--skip-worktree", "--stdin", stdin=left_out)
        aside.attempt("update-index", "-q", "--refresh")
        os.rename(move.aside, f"{move.admin}/index")

    def _clear_ref_locks(self, move: Move) -> None:
        """Remove the locks of HEAD and the branch that our git left: empty, or with our commit in them, and staying."""
        common = os.path.dirname(os.path.dirname(self._journal))
        ours = {b"", *(f"{text}\n".encode() for text in (move.new, move.old, f"ref: {move.goal}"))}
        for path in (f"{move.admin}/HEAD.lock", f"{move.admin}/ORIG_HEAD.lock", f"{common}/{move.ref}.lock"):
            for _ in range(_LOOKS):
                if _content(path) not in ours:
                    break
                self._pause(_LOOK)
            else:
                os.unlink(path)

    def _close(self, move: Move) -> None:
        """Put back what git's merge changed besides, unlock, and drop the journal."""
        git = self._git(move.worktree)
        if move.old and git.query("rev-parse", "--verify", "--quiet", "ORIG_HEAD") == move.old != move.orig_head:
            if move.orig_head:
                git.run("update-ref", "--no-deref", "ORIG_HEAD", move.orig_head)
            elif os.path.exists(f"{move.admin}/ORIG_HEAD"):
                os.unlink(f"{move.admin}/ORIG_HEAD")
        for path in (move.aside, f"{move.aside}.lock", f"{move.admin}/orange-lock"):
            if os.path.exists(path):
                os.unlink(path)
        if _holds_lock(move):
            os.unlink(move.lock)
        os.unlink(self._journal)
        recordfile.sync_folder(os.path.dirname(self._journal))


def _in_the_way(move: Move, found: set[str]) -> str:
    named = ", ".join(sorted(found)[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    then = f"{move.onto} is checked out then" if move.onto else f"{move.base} follows by itself"
    return f"{move.worktree} has changes of yours in {named}: commit or stash them, and {then}"


def _finish_refs(git: Git, move: Move) -> None:
    """Move what git moves last, whose files are there already."""
    if move.onto:
        git.run("symbolic-ref", "-m", "orange: switch", "HEAD", move.goal)
    else:
        refs.move(git, move.ref, move.new, move.old, "follow")


def _lies_below_a_file(git: Git, path: str, touched: dict[str, Change]) -> bool:
    """Whether a new path would need a folder where the user has a file of their own."""
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return any(delta.is_file(f"{git.directory}/{folder}") and folder not in touched for folder in above)


def _lock(move: Move) -> bool:
    """Lock the index with our own text, at once and whole; False where it is locked already."""
    own = f"{move.admin}/orange-lock"
    with open(own, "wb") as file:
        file.write(move.lock_text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, move.lock)
    except FileExistsError:
        return False
    finally:
        os.unlink(own)
    return True


def _holds_lock(move: Move) -> bool:
    return _content(move.lock) == move.lock_text


def _copy_index(move: Move) -> None:
    """Copy the index with its time: git looks twice at files that are no older than the index."""
    for path in (move.aside, f"{move.aside}.lock"):
        if os.path.exists(path):
            os.unlink(path)
    if os.path.exists(f"{move.admin}/index"):
        shutil.copy2(f"{move.admin}/index", move.aside)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return None
