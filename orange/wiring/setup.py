"""Making a project of a repository, checking a machine, and trusting what arrived from elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from orange.adapters import locate, planted, process, trust
from orange.adapters.git import Git
from orange.core import runfiles
from orange.core.layout import Layout
from orange.core.pipelines import fingerprint
from orange.core.problems import NotAProject, OrangeError
from orange.project.claims import check_person
from orange.wiring import Wired, current_home, find_speaker, open_parts

#: The oldest git whose `merge-tree --write-tree` and worktree repair orange relies on.
GIT_NEEDED = (2, 38)
#: The oldest tmux whose exact targets and session variables orange relies on.
TMUX_NEEDED = (3, 1)


def init_project(path: str, remote: str | None) -> dict[str, Any]:
    """Make the repository a project. Raises NotAProject outside of a repository, and what `records.ensure` refuses."""
    from orange.adapters import records

    layout = locate.find(path)
    if layout is None:
        raise NotAProject(os.path.abspath(path))
    result = records.ensure(layout, remote, os.urandom(8).hex())
    if result.arrived:
        _note_arrival(layout)
    return {
        "project": {"name": os.path.basename(layout.root), "path": layout.root},
        "created": result.created,
        "message": result.message,
    }


def _note_arrival(layout: Layout) -> None:
    parts = Wired(layout, current_home())
    of_pipelines = fingerprint(parts.pipelines.commands())
    trust.arrived(layout, parts.store.read().tasks, parts.configuration.commands(), of_pipelines)


def trust_project(path: str) -> dict[str, Any]:
    """Trust the tasks and commands that arrived with the clone, and what runs left behind. Raises NotAllowed."""
    parts = open_parts(path)
    check_person(find_speaker(parts.layout, path), "trust what arrived or was left behind")
    found = trust.trust(parts.layout)
    planted.forget(parts.layout)
    parts.nudge()
    return {"tasks": sorted(found.tasks), "commands": bool(found.commands or found.pipelines)}


def agents(path: str) -> list[dict[str, Any]]:
    """List the agents of this machine."""
    return open_parts(path).agents()


def doctor(path: str) -> list[dict[str, Any]]:
    """Check this machine and this project; each check says what to do when it fails."""
    return [_checked(name, check) for name, check in _checks(path)]


def _checks(path: str) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "git", lambda: _version("git", GIT_NEEDED, "--version")
    yield "tmux", lambda: _version("tmux", TMUX_NEEDED, "-V")
    layout = locate.find(path)
    if layout is None or not os.path.isdir(layout.tree):
        return
    parts = open_parts(path)
    yield "repository", lambda: Git(layout.common).line("rev-parse", "--git-dir")
    yield "records", lambda: _records(parts)
    yield "config", lambda: _config(parts)
    yield "agent", lambda: _agent(parts)
    if parts.settings().workspaces.isolation == runfiles.SANDBOX:
        yield "sandbox", _sandbox
    if parts.settings().workspaces.isolation == runfiles.CONTAINER:
        yield "container", lambda: _container(parts)
    yield "daemon", lambda: _daemon(parts)


class CheckFailed(OrangeError):
    """A check of the doctor that found something to do."""

    code = "check_failed"

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _checked(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "message": check(), "hint": ""}
    except OrangeError as failed:
        return {"check": name, "ok": False, "message": failed.message, "hint": getattr(failed, "hint", "")}


def _sandbox() -> str:
    from orange.adapters.isolation import sandbox

    if why := sandbox.trouble():
        raise CheckFailed(why, "install bubblewrap, and let your user make user namespaces")
    return "agents run in bubblewrap"


def _container(parts: Wired) -> str:
    from orange.adapters.isolation import container

    settings = parts.settings().workspaces.container
    if why := container.trouble(settings, os.environ):
        raise CheckFailed(why, "install the engine, and set workspaces.container.image to an image that is there")
    return f"agents run in containers of {settings.get('image')}"


def _version(program: str, needed: tuple[int, int], flag: str) -> str:
    if shutil.which(program) is None:
        raise CheckFailed(f"{program} is not installed", f"install the package {program}")
    text = process.run([program, flag], timeout=10.0).text.strip()
    digits = [int(word) for word in "".join(c if c.isdigit() else " " for c in text).split()][:2]
    if tuple(digits) < needed:
        wanted = ".".join(map(str, needed))
        raise CheckFailed(f"{text} is too old", f"upgrade {program} to {wanted} or newer")
    return text


def _records(parts: Wired) -> str:
    board = parts.store.read()
    if board.problems:
        first = board.problems[0]
        raise CheckFailed(
            f"{len(board.problems)} problem(s), first {first.path}:{first.line} {first.message}", first.hint
        )
    return f"{len(board.tasks)} tasks, all readable"


def _config(parts: Wired) -> str:
    problems = (*parts.configuration.problems(), *parts.pipelines.problems())
    if problems:
        raise CheckFailed(f"{problems[0].path}:{problems[0].line} {problems[0].message}", problems[0].hint)
    return "every setting and pipeline is understood"


def _agent(parts: Wired) -> str:
    name = parts.settings().agent
    if name not in parts.capabilities():
        raise CheckFailed(f"the default agent {name!r} cannot be used here", "`orange agents` says why")
    return f"the default agent {name} is usable"


def _daemon(parts: Wired) -> str:
    if not parts.daemon_running():
        raise CheckFailed("the daemon is not running", "orange daemon start")
    return "the daemon is running"
