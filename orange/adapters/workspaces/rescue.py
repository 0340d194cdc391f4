"""Saving what only a workspace holds to a ref of its own, and reading it back before anyone relies on it.

`refs/orange/rescue/<task id>/<n>` is a commit: its tree is the workspace's files, ignored ones and nested
repositories (their git directories as tar files) included; its parents are the workspace's HEAD and every commit that
no ref reaches.

Next in the flow: `worktrees` cleans or removes the workspace.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.workspaces import folders
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.shadow import Shadow
from orange.adapters.workspaces.site import LONG
from orange.adapters.workspaces.survey import Survey
from orange.core.layout import RESCUE_REFS
from orange.core.problems import GitFailed, WorkspaceKept

_ID = re.compile(rb"\b([0-9a-f]{40}|[0-9a-f]{64})\b")
#: Small files of git's folder for a worktree that may name commits nothing else refers to.
_NAMING = (
    "HEAD", "ORIG_HEAD", "MERGE_HEAD", "MERGE_AUTOSTASH", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "logs/HEAD",
    "rebase-merge/onto", "rebase-merge/orig-head", "rebase-merge/autostash", "rebase-merge/stopped-sha",
    "rebase-apply/orig-head", "rebase-apply/autostash",
)  # fmt: skip
_BY = "orange <orange@localhost>"
#: Bytes of blobs read back at a time.
_PORTION = 32 << 20
#: How many numbers are tried for a new rescue ref.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What to save, and under which name."""

    task: str
    #: Why, in half a sentence: "its workspace was returned".
    why: str
    #: The path and branch, for the message.
    path: str
    branch: str | None
    #: Wall-clock seconds.
    now: int
    #: Most bytes of files that no tree holds.
    limit: int


def save(order: Order, shadow: Shadow, found: Survey, stray: Sequence[str], repository: Git) -> str | None:
    """Save what was surveyed; returns the ref, or None when commits hold everything already.

    Raises WorkspaceKept when it is too much, or does not read back as it was; GitFailed, OSError.
    """
    if not needed(shadow, found, stray):
        return None
    _check_size(order, found)
    contents = dict(_contents(order.path, found))
    parents = _parents(shadow, found, stray)
    commit = _store(order, shadow, found, contents, parents)
    ref = _refer(repository, order.task, commit)
    _read_back(repository, order, ref, shadow.head, contents)
    return ref


def needed(shadow: Shadow, found: Survey, stray: Sequence[str]) -> bool:
    """Whether a workspace holds anything that no commit on a ref holds. Raises GitFailed."""
    if found.extras or found.repositories or found.staged or stray or shadow.head is None:
        return True
    return found.tree != shadow.git.line("rev-parse", f"{shadow.head}^{{tree}}")


def stray_commits(admin: Admin, repository: Git, branch: str | None, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Commits that only git's folder of a worktree knows: made on a detached HEAD, or on branches since deleted.

    What was amended or reset away on the task's branch stays in the branch's own log. Raises GitFailed.
    """
    names = {name for file in _NAMING for name in _ids(f"{admin.folder}/{file}")} | set(also)
    for ref in {admin.branch, _noted_branch(admin), f"refs/heads/{branch}"} - {None}:
        names -= _ids(f"{repository.directory}/logs/{ref}")
    commits = _commits(repository, names)
    if not commits:
        return ()
    given = "\n".join(commits).encode()
    found = repository.run("rev-list", "--stdin", "--not", "--glob=refs/*", stdin=given, timeout=LONG)
    unreached = set(found.text.split())
    lost = [commit for commit in commits if commit in unreached]
    if len(lost) < 2:
        return tuple(lost)
    return tuple(repository.run("merge-base", "--independent", *lost).text.split())


def _noted_branch(admin: Admin) -> str | None:
    """The branch a rebase in progress will go back to."""
    return folders.first_line(f"{admin.folder}/rebase-merge/head-name") or None


def _ids(path: str) -> set[str]:
    try:
        return {name.decode() for name in _ID.findall(folders.read(path)) if name.strip(b"0")}
    except OSError:
        return set()


def _commits(repository: Git, names: set[str]) -> list[str]:
    if not names:
        return []
    lines = repository.run("cat-file", "--batch-check", stdin="\n".join(sorted(names)).encode()).text.splitlines()
    return [line.split()[0] for line in lines if line.split()[1:2] == ["commit"]]


def _check_size(order: Order, found: Survey) -> None:
    weights = found.weights
    total = sum(weights.values())
    if total > order.limit:
        largest = ", ".join(sorted(weights, key=lambda path: -weights[path])[:3])
        reason = f"its ignored files ({total >> 20} MiB) exceed what can be saved ({order.limit >> 20} MiB)"
        raise WorkspaceKept(order.path, f"{reason}; the largest are {largest}: remove what is not needed")


def _contents(path: str, found: Survey) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Path -> mode and bytes of everything that is saved besides the tree."""
    for name, entry in found.extras.items():
        mode = entry.status.st_mode
        kind = "120000" if mode & 0o170000 == 0o120000 else "100755" if mode & 0o100 else "100644"
        yield name, (kind, folders.read(f"{path}/{name}"))
    for repository in found.repositories:
        if repository.git_dir:
            yield repository.stored, ("100644", repository.archive())


def _parents(shadow: Shadow, found: Survey, stray: Sequence[str]) -> list[str]:
    parents = [shadow.head] if shadow.head else []
    if found.staged:
        given = [word for parent in parents for word in ("-p", parent)]
        message = b"The index of the workspace"
        env = {**(shadow.git.env or {}), **_identity(shadow, parents)}
        parents.append(
            Git(shadow.git.directory, env).run("commit-tree", *given, found.staged, stdin=message).text.strip()
        )
    return [*parents, *(commit for commit in stray if commit not in parents)]


def _identity(shadow: Shadow, parents: list[str]) -> dict[str, str]:
    """Who commits the index and when: always the same for the same, so that saving it again makes no other commit."""
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    date = shadow.git.line("show", "--no-patch", "--format=%ct", parents[0]) if parents else "1"
    return people | {f"GIT_{who}_DATE": f"{date} +0000" for who in ("AUTHOR", "COMMITTER")}


_PERSON = {"NAME": "orange", "EMAIL": "orange@localhost"}


def _store(
    order: Order, shadow: Shadow, found: Survey, contents: dict[str, tuple[str, bytes]], parents: list[str]
) -> str:
    """Make the commit in one stream, which also puts the files that no tree holds into the repository."""
    lines = [
        f"commit refs/rescue\ncommitter {_BY} {order.now} +0000\n".encode(),
        _data(_message(order, found).encode()),
    ]
    lines += [f"{'merge' if number else 'from'} {parent}\n".encode() for number, parent in enumerate(parents)]
    lines.append(f'M 040000 {found.tree} ""\n'.encode())
    for path, (mode, data) in contents.items():
        lines += [f"M {mode} inline ".encode(), _quoted(path), b"\n", _data(data)]
    shadow.git.run("fast-import", "--quiet", "--force", "--done", stdin=b"".join([*lines, b"done\n"]), timeout=LONG)
    return shadow.git.line("rev-parse", "--verify", "refs/rescue")


def _message(order: Order, found: Survey) -> str:
    counts = {
        "files not committed": len(found.changes.changed) + len(found.changes.untracked) + len(found.changes.unmerged),
        "ignored or nested files": len(found.extras),
        "nested repositories": len(found.repositories),
    }
    held = "\n".join(f"{number} {what}" for what, number in counts.items() if number)
    where = f"Workspace: {order.path}\nBranch: {order.branch or 'none'}\n"
    return f"Work of task {order.task} that no branch holds\n\nSaved because {order.why}.\n\n{where}{held}\n"


def _data(data: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(data), data)


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + raw + b'"'


def _refer(repository: Git, task: str, commit: str) -> str:
    """Give the commit the task's next rescue ref; an equal one that is there already is used again."""
    below = f"{RESCUE_REFS}{task}/"
    form = "--format=%(refname) %(tree) %(parent)"
    wanted = repository.line("log", "-1", "--format=%T %P", commit)
    known = [line.split(" ", 1) for line in repository.run("for-each-ref", form, below).text.splitlines()]
    for ref, content in known:
        if content.strip() == wanted.strip():
            return ref
    numbers = [int(ref.removeprefix(below)) for ref, _ in known if ref.removeprefix(below).isdigit()]
    first = max(numbers, default=0) + 1
    # A number whose lock a killed git left behind is skipped.
    for ref in (f"{below}{number}" for number in range(first, first + _TRIES)):
        made = repository.attempt("-c", "core.fsync=committed", "update-ref", ref, commit, "0" * len(commit))
        if made.status == 0:
            return ref
    raise GitFailed(made.argv, made.status, made.stderr)


def _read_back(
    repository: Git, order: Order, ref: str, head: str | None, contents: dict[str, tuple[str, bytes]]
) -> None:
    """Read every blob that the rescue added, and compare. Raises WorkspaceKept."""
    stored = _blobs(repository, ref)
    wrong = [path for path, (_, data) in contents.items() if stored.get(path) != _blob(data, stored.get(path, ""))]
    known = set(_blobs(repository, head).values()) if head else set()
    wrong += _unreadable(repository, {path: blob for path, blob in stored.items() if blob not in known})
    if wrong:
        raise WorkspaceKept(order.path, f"{wrong[0]} could not be read back from {ref}")


def _blobs(repository: Git, commit: str) -> dict[str, str]:
    fields = (field.partition("\t") for field in repository.fields("ls-tree", "-r", "-z", commit))
    return {path: meta.split()[2] for meta, _, path in fields if meta.split()[1] == "blob"}


def _unreadable(repository: Git, entries: dict[str, str]) -> list[str]:
    paths = {blob: path for path, blob in entries.items()}
    sizes = _sizes(repository, list(paths))
    bad = [paths[blob] for blob in paths if blob not in sizes]
    for portion in _portions(sizes):
        output = repository.run("cat-file", "--batch", stdin="\n".join(portion).encode(), timeout=LONG).stdout
        offset = 0
        for blob in portion:
            start = output.index(b"\n", offset) + 1
            data = output[start : start + sizes[blob]]
            offset = start + sizes[blob] + 1
            if _blob(data, blob) != blob:
                bad.append(paths[blob])
    return bad


def _sizes(repository: Git, blobs: list[str]) -> dict[str, int]:
    if not blobs:
        return {}
    lines = repository.run("cat-file", "--batch-check", stdin="\n".join(blobs).encode()).text.splitlines()
    found = (line.split() for line in lines)
    return {words[0]: int(words[2]) for words in found if words[1] == "blob"}


def _portions(sizes: dict[str, int]) -> Iterator[list[str]]:
    portion: list[str] = []
    weight = 0
    for blob, size in sizes.items():
        portion.append(blob)
        weight += size
        if weight > _PORTION:
            yield portion
            portion, weight = [], 0
    if portion:
        yield portion


def _blob(data: bytes, like: str) -> str:
    """The id git gives to a blob, in the hash that `like` is in."""
    algorithm = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return algorithm(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
