"""What an agent sees of the machine in a sandbox, as the command line of bubblewrap.

Everything can be read but what is hidden; what can be written is the workspace, what committing in it needs, the
agent's own folders and an empty /tmp. The order counts: a later rule covers an earlier one.

Next in the flow: `adapters.isolation.sandbox` puts it before the agent's command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orange.core import runfiles

#: Below a user's home: what logs a person in somewhere. An agent that needs one is given it by reference.
CREDENTIALS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".npmrc", ".pypirc",
    ".vault-token", ".password-store", ".config/gh", ".config/glab-cli", ".config/gcloud", ".config/git/credentials",
    ".config/op", ".local/share/keyrings", ".mozilla", ".config/google-chrome", ".config/chromium",
)  # fmt: skip
#: Where programs put what is theirs alone: empty, writable, gone with the run.
_EMPTY = ("/tmp", "/var/tmp", "/run")  # noqa: S108 - mount points


@dataclass(frozen=True, slots=True)
class Cage:
    """One run's sandbox. All paths are absolute and real."""

    workspace: str
    #: The git directory that all worktrees share, and the workspace's own folder in it.
    common: str
    admin: str
    #: Full name of the branch the workspace is on; None where nothing is to be committed.
    branch: str | None
    #: The run's folder.
    folder: str
    #: Existing folders to show although they lie where all is hidden (the programs themselves).
    shown: tuple[str, ...]
    #: Existing folders, and existing files, that nobody in there may read.
    hidden: tuple[str, ...]
    hidden_files: tuple[str, ...]
    #: Existing files and folders of the agent's own that it may write.
    own: tuple[str, ...]
    #: Existing files with the refs of other branches, beside that of the workspace's own.
    others: tuple[str, ...] = ()
    #: Whether it reaches the network.
    network: bool = True


def bubblewrap(cage: Cage) -> tuple[str, ...]:
    """Return the words that stand before the command."""
    return tuple(_words(cage))


def _words(cage: Cage) -> Iterator[str]:
    yield from ("bwrap", "--die-with-parent", "--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
    yield from ("--unshare-cgroup-try",)
    if not cage.network:
        yield "--unshare-net"
    yield from ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
    for folder in _EMPTY:
        yield from ("--tmpfs", folder)
    for path in (*cage.shown, cage.common):
        yield from ("--ro-bind-try", path, path)
    for folder in (*cage.hidden, f"{cage.common}/orange"):
        yield from ("--tmpfs", folder)
    for path in cage.hidden_files:
        yield from ("--ro-bind", "/dev/null", path)
    yield from ("--ro-bind", cage.folder, cage.folder)
    for path in (*cage.own, mailbox(cage.folder), cage.workspace, *committing(cage)):
        yield from ("--bind", path, path)
    yield from _fixed(cage)
    yield from ("--chdir", cage.workspace, "--")


def own_folders(agent: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return where an agent keeps its login, settings and conversations, by an environment that has a HOME."""
    home = env["HOME"]
    match agent:
        case "claude":
            return (env.get("CLAUDE_CONFIG_DIR") or f"{home}/.claude",)
        case "codex":
            return (env.get("CODEX_HOME") or f"{home}/.codex",)
        case "gemini":
            return (f"{env.get('GEMINI_CLI_HOME') or home}/.gemini",)
        case "opencode":
            kinds = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
            found = (env.get(f"XDG_{kind}_HOME") or f"{home}/{usual}" for kind, usual in kinds.items())
            return tuple(f"{folder}/opencode" for folder in found)
    return ()


def own_files(agent: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the single files of an agent's own beside its folders."""
    return (f"{env['HOME']}/.claude.json",) if agent == "claude" and not env.get("CLAUDE_CONFIG_DIR") else ()


def mailbox(folder: str) -> str:
    """Return the folder through which a run's agent reaches orange."""
    return f"{folder}/{runfiles.MAILBOX}"


def branch_folders(cage: Cage) -> tuple[str, ...]:
    """Return the folders of the branch's ref and of its log: git renames a new file over the old one in there."""
    if cage.branch is None:
        return ()
    folder = cage.branch.rpartition("/")[0]
    return f"{cage.common}/{folder}", f"{cage.common}/logs/{folder}"


def committing(cage: Cage) -> tuple[str, ...]:
    """Return the folders in the git directory that committing writes to."""
    return f"{cage.common}/objects", cage.admin, *branch_folders(cage)


def pointers(cage: Cage) -> tuple[str, ...]:
    """Return the files by which git finds a worktree's settings."""
    return f"{cage.workspace}/.git", f"{cage.admin}/commondir", f"{cage.admin}/gitdir"


def _fixed(cage: Cage) -> Iterator[str]:
    """Yield what stays as it is within what can be written: other branches, old packs, where git finds its settings."""
    for path in pointers(cage):
        yield from ("--ro-bind", path, path)
    for path in (f"{cage.common}/objects/pack", f"{cage.common}/objects/info", *cage.others):
        yield from ("--ro-bind-try", path, path)
    yield from ("--ro-bind", "/dev/null", f"{cage.admin}/config.worktree")
