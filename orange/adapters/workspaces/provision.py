"""What a fresh workspace is given besides the branch's files: copies and links of ignored files, and hooks.

Nothing is ever taken from outside the main checkout, put outside the workspace, or put over a file that is there.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orange.adapters import process
from orange.adapters.workspaces import folders
from orange.core.problems import HookFailed
from orange.core.settings import HookSettings

#: Lines of a failed hook's output that are shown.
_LINES = 5
_NEVER = (".git", ".orange")


@dataclass(frozen=True, slots=True)
class Provided:
    """What a workspace was given."""

    #: Paths relative to the workspace.
    paths: tuple[str, ...] = ()
    #: What was not given and why, in one sentence each.
    notes: tuple[str, ...] = ()


def provide(main: str, workspace: str, copy: Sequence[str], link: Sequence[str]) -> Provided:
    """Copy and link what the settings name from the main checkout into a workspace. Raises OSError."""
    paths: list[str] = []
    notes: list[str] = []
    for setting, patterns, give in (("copy", copy, _copy), ("link", link, _link)):
        for pattern in patterns:
            for path in _matches(main, pattern):
                reason = _refusal(main, workspace, path)
                if reason:
                    notes.append(f"workspaces.{setting}: {path} was left out: {reason}")
                    continue
                if not os.path.lexists(f"{workspace}/{path}"):
                    os.makedirs(os.path.dirname(f"{workspace}/{path}"), exist_ok=True)
                    give(f"{main}/{path}", f"{workspace}/{path}")
                # Also what an interrupted attempt gave: nobody has worked here yet.
                paths += [path, *_below(workspace, path)]
    return Provided(tuple(paths), tuple(notes))


def _matches(main: str, pattern: str) -> list[str]:
    """Paths in the main checkout that a pattern names, relative; `..` is seen to by `_refusal`."""
    if os.path.isabs(pattern):
        return [pattern]
    found = glob.glob(pattern, root_dir=main, recursive=True, include_hidden=True)
    return sorted({os.path.normpath(path) for path in found})


def _refusal(main: str, workspace: str, path: str) -> str | None:
    """Why a path may not be given, in half a sentence, or None."""
    first = path.partition("/")[0]
    if os.path.isabs(path) or first in {"..", "."}:
        return "it is not inside the main checkout"
    if first in _NEVER:
        return "it is not a file of the project"
    if not _inside(f"{main}/{path}", main):
        return "it leads out of the main checkout"
    if not _inside(os.path.dirname(f"{workspace}/{path}"), workspace):
        return "it would be put outside the workspace"
    return None


def _inside(path: str, folder: str) -> bool:
    real, root = os.path.realpath(path), os.path.realpath(folder)
    return real == root or real.startswith(f"{root}/")


def _below(workspace: str, path: str) -> list[str]:
    place = f"{workspace}/{path}"
    return (
        [] if os.path.islink(place) or not os.path.isdir(place) else [f"{path}/{e.path}" for e in folders.walk(place)]
    )


def _link(source: str, target: str) -> None:
    os.symlink(source, target)


def _copy(source: str, target: str) -> None:
    """Copy a file or folder so that it is there whole or not at all. Links inside a folder stay links."""
    part = f"{target}.orange-part"
    folders.remove(part)
    if os.path.isdir(source):
        shutil.copytree(os.path.realpath(source), part, symlinks=True)
    elif os.path.isfile(source):
        shutil.copy(source, part)
    else:
        return
    os.rename(part, target)


def run_hook(hooks: HookSettings, name: str, folder: str, env: Mapping[str, str]) -> None:
    """Run one hook in a workspace, if it is set. Raises HookFailed with its last lines."""
    command = getattr(hooks, name)
    if not command:
        return
    try:
        ended = process.shell(command, cwd=folder, env=env, timeout=hooks.timeout)
    except process.TimedOut as error:
        raise HookFailed(name, f"took longer than {hooks.timeout} s and was ended", "") from error
    if ended.status != 0:
        raise HookFailed(name, f"failed ({ended.status})", "; ".join(_last_lines(ended)))


def _last_lines(ended: process.Result) -> Iterator[str]:
    lines = [*ended.text.splitlines(), *ended.stderr.splitlines()]
    shown = [line.strip() for line in lines if line.strip()][-_LINES:]
    return iter(line.encode("utf-8", "replace").decode() for line in shown)
