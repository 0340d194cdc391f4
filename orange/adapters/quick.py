"""The records of quick actions: `<runtime>/quick/<id>.json` and `<id>.patch`, and the refs that hold their changes.

Next in the flow: `project.quick` writes them, the reconciler reads those that are open at each look.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from orange import recordfile
from orange.adapters.git import Git, repository_lock
from orange.core import redact, runfiles
from orange.core.layout import RESCUE_REFS, Layout
from orange.core.model import Outcome
from orange.core.problems import GitFailed, InvalidInput, StorageFailed
from orange.core.quick import OVER, QuickRun, State

#: Characters of an agent's output that are read, from its end.
_TAIL = 65_536


class FileQuickRuns:
    """Satisfies `core.quick.QuickRuns`."""

    def __init__(self, layout: Layout, secrets: redact.Secrets = redact.SHAPES) -> None:
        self._layout, self._root, self._secrets = layout, layout.quick, secrets
        self._git = Git(layout.common, {"GIT_DIR": layout.common})
        #: Ids of those that need nothing any more.
        self._settled: set[str] = set()

    def all(self) -> tuple[QuickRun, ...]:
        """Every one that can be understood, the oldest first."""
        found = (_read(f"{self._root}/{quick_id}.json") for quick_id in self._ids())
        return tuple(sorted((one for one in found if one), key=lambda quick: (quick.created_at, quick.id)))

    def open(self) -> tuple[QuickRun, ...]:
        """Those that are not over, or still have a workspace."""
        found = (_read(f"{self._root}/{quick_id}.json") for quick_id in self._ids() if quick_id not in self._settled)
        known = sorted((one for one in found if one), key=lambda quick: (quick.created_at, quick.id))
        self._settled |= {quick.id for quick in known if quick.status in OVER and not quick.workspace}
        return tuple(quick for quick in known if quick.id not in self._settled)

    def _ids(self) -> list[str]:
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return []
        return [name.removesuffix(".json") for name in names if name.endswith(".json")]

    def add(self, quick: QuickRun) -> None:
        """Record a new one. Raises StorageFailed."""
        self._write(quick)

    def change(self, quick_id: str, change: Callable[[QuickRun], QuickRun]) -> QuickRun:
        """Write what `change` makes of it; nobody else writes meanwhile. Raises InvalidInput, StorageFailed."""
        with repository_lock(f"{self._root}/lock"):
            known = _read(f"{self._root}/{quick_id}.json")
            if known is None:
                raise InvalidInput("quick action", f"the record of {quick_id} cannot be read")
            changed = change(known)
            if changed != known:
                self._write(changed)
            return changed

    def _write(self, quick: QuickRun) -> None:
        path = f"{self._root}/{quick.id}.json"
        told = self._secrets.mask_value({"format": 1, **asdict(quick)})
        try:
            os.makedirs(self._root, mode=0o700, exist_ok=True)
            recordfile.replace(path, (json.dumps(told, indent=1) + "\n").encode())
        except OSError as error:
            raise StorageFailed(path, error.strerror or str(error)) from error

    def keep_patch(self, quick_id: str, patch: str) -> str:
        """Keep what it changed, secrets masked; returns the file's path. Raises StorageFailed."""
        path = f"{self._root}/{quick_id}.patch"
        try:
            recordfile.replace(path, self._secrets.mask_bytes(patch.encode("utf-8", "surrogateescape")))
        except OSError as error:
            raise StorageFailed(path, error.strerror or str(error)) from error
        return path

    def log(self, quick_id: str) -> str:
        """What its agent said, as far back as is worth showing."""
        try:
            with open(f"{self._layout.runs}/{quick_id}-q1/{runfiles.OUTPUT}", "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def rescue(self, quick_id: str, branch: str, start: str | None) -> str | None:
        """Give its branch's commit a rescue ref, read back; None where it has nothing beyond `start`."""
        tip = self._git.ref(f"refs/heads/{branch}")
        below = f"{RESCUE_REFS}{quick_id}/"
        if tip is None or tip == start:
            return None
        known = self._git.refs(below)
        same = next((ref for ref, commit in known.items() if commit == tip), None)
        if same:
            return same
        numbers = [int(ref.removeprefix(below)) for ref in known if ref.removeprefix(below).isdigit()]
        ref = f"{below}{max(numbers, default=0) + 1}"
        made = self._git.run("-c", "core.fsync=committed", "update-ref", ref, tip, "0" * len(tip))
        if self._git.ref(ref) != tip:
            raise GitFailed(made.argv, made.status, f"{ref} could not be read back")
        return ref

    def drop_branch(self, branch: str, rescue: str | None, start: str | None) -> None:
        """Remove its branch, if what it holds is kept by the rescue ref or is its start."""
        tip = self._git.ref(f"refs/heads/{branch}")
        kept = self._git.ref(rescue) if rescue else start
        if tip is not None and tip == kept:
            self._git.run("update-ref", "-d", f"refs/heads/{branch}", tip)

    def offer(self, rescue: str, branch: str) -> None:
        """Make the branch, at what the rescue ref holds; one that is there stays as it is."""
        commit = self._git.line("rev-parse", "--verify", "--end-of-options", rescue)
        if self._git.ref(f"refs/heads/{branch}") is None:
            self._git.run("-c", "core.fsync=committed", "update-ref", f"refs/heads/{branch}", commit, "0" * len(commit))


def _read(path: str) -> QuickRun | None:
    told: dict[str, Any] = recordfile.values(path) or {}
    try:
        values = {field.name: told[field.name] for field in fields(QuickRun)}
        values["status"] = State(values["status"])
        values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    except (KeyError, ValueError):
        return None
    return QuickRun(**values)
