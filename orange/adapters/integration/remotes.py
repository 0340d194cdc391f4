"""The remote that a repository is shared through: pushing to it, and taking in what others merged there."""

from __future__ import annotations

from orange.adapters.git import Git, repository_lock
from orange.adapters.integration.bases import Bases
from orange.adapters.integration.refs import HEADS
from orange.core.layout import Layout
from orange.core.problems import GitFailed, PushRefused

#: Seconds a transfer may take.
_LONG = 300.0
#: What git prints for a ref that was not moved because the remote has commits that are not here.
_BEHIND = ("(fetch first)", "(non-fast-forward)")


class Remotes:
    """Talks to the remote of a base."""

    def __init__(self, layout: Layout, git: Git, bases: Bases) -> None:
        self._layout, self._git, self._bases = layout, git, bases

    def addresses(self) -> list[str]:
        """Where the repository's remotes are. Raises GitFailed."""
        found = self._git.attempt("config", "--get-regexp", r"^remote\..*\.url$")
        return [line.partition(" ")[2] for line in found.text.splitlines()]

    def push(self, base: str, commit: str, branch: str) -> str:
        """Push a commit to a branch of the base's remote, never by force; returns the remote's name.

        Raises PushRefused, GitFailed.
        """
        remote = self._of(base)
        if not self._try(remote, commit, branch):
            message = f"{branch} has commits on {remote} that are not here: run `git pull {remote} {branch}` on it"
            raise PushRefused(message)
        return remote

    def push_base(self, base: str) -> str:
        """Push what is integrated, with the remote's own commits taken in; returns the remote's name."""
        remote = self._of(base)
        if not self._try(remote, self._integrated(base), base):
            theirs = self._fetched(remote, base)
            if theirs:
                self._take_in(base, theirs)
            if not self._try(remote, self._integrated(base), base):
                raise PushRefused(f"{base} keeps being moved on {remote} by somebody else")
        return remote

    def take_remote(self, base: str, commit: str) -> bool:
        """Where the remote's base holds a commit, or its content, take that base in; whether it does."""
        theirs = self._fetched(self._of(base), base)
        if theirs is None or not (self._bases.contains(theirs, commit) or self._has_content(theirs, commit)):
            return False
        self._take_in(base, theirs)
        return True

    def _has_content(self, theirs: str, commit: str) -> bool:
        """Whether merging would change nothing, as after a squash."""
        trial = self._bases.merger.trial(theirs, commit)
        return not trial.conflicts and trial.tree == self._bases.merger.tree(theirs)

    def _take_in(self, base: str, theirs: str) -> None:
        with self._bases.alone():
            if not self._bases.retry(lambda: self._bases.take_from(base, theirs, f"Merge the remote's {base}")):
                raise PushRefused(
                    f"{base} on the remote conflicts with what is integrated here: merge it into {base} by hand"
                )

    def _integrated(self, base: str) -> str:
        with self._bases.alone():
            return self._bases.retry(lambda: self._bases.take_in(base)).integrated

    def _of(self, base: str) -> str:
        """Name the remote a base is pushed to, as git would choose it. Raises PushRefused."""
        keys = (f"branch.{base}.pushRemote", "remote.pushDefault", f"branch.{base}.remote")
        known = self._git.line("remote").splitlines()
        wanted = [found for key in keys if (found := self._git.query("config", "--get", key))]
        chosen = next((name for name in (*wanted, "origin") if name in known), known[0] if len(known) == 1 else None)
        if chosen is None:
            which = f"none of {', '.join(known)} is its remote" if known else "the repository has no remote"
            raise PushRefused(f"there is nowhere to push {base} to: {which} (`git remote add origin URL`)")
        return chosen

    def _try(self, remote: str, commit: str, branch: str) -> bool:
        """Push; False where the remote has commits that are not here. Raises PushRefused."""
        arguments = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
        spec = f"{commit}:{HEADS}{branch}"
        result = self._git.attempt(*arguments, "--end-of-options", remote, spec, timeout=_LONG)
        if result.status == 0:
            return True
        refused = [line for line in result.text.splitlines() if line.startswith("!")]
        if any(line.endswith(_BEHIND) for line in refused):
            return False
        why = refused[0].split("\t")[-1] if refused else result.stderr.strip().splitlines()[:1]
        raise PushRefused(f"pushing {branch} to {remote} failed: {why if isinstance(why, str) else ' '.join(why)}")

    def _fetched(self, remote: str, base: str) -> str | None:
        """Fetch a base; returns the remote's commit, None where it has no such branch. Raises PushRefused."""
        ref = f"{HEADS}{base}"
        listed = self._git.attempt("ls-remote", "--end-of-options", remote, ref, timeout=_LONG)
        if listed.status != 0:
            raise PushRefused(f"{remote} could not be reached: {' '.join(listed.stderr.split())[:200]}")
        commit = next((line.split("\t")[0] for line in listed.text.splitlines() if line.endswith(f"\t{ref}")), None)
        if commit and self._git.attempt("cat-file", "-e", f"{commit}^{{commit}}").status != 0:
            with repository_lock(self._layout.git_lock):
                options = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
                fetched = self._git.attempt(*options, "--end-of-options", remote, ref, timeout=_LONG)
            if fetched.status != 0:
                raise GitFailed(("git", "fetch", remote, ref), fetched.status, fetched.stderr)
        return commit
