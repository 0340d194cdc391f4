"""The run's folder, as its supervisor writes it: marker, identities, stage events, logs, reports.

Only the marker and the result are synced to the disk: what a power cut takes of the rest, nobody decides by.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

from orange import proctable, recordfile
from orange.core import redact, runfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str, now: Callable[[], float]) -> None:
        self.root = path
        self._now = now
        #: What is masked in its logs and reports.
        self.secrets = redact.SHAPES
        #: What `stage` recorded, for the summary.
        self.stages: list[dict[str, object]] = []

    def path(self, name: str) -> str:
        """The path of one of its files."""
        return f"{self.root}/{name}"

    def has(self, name: str) -> bool:
        """Whether the file exists."""
        return os.path.exists(self.path(name))

    def launch(self) -> bool:
        """Make the exclusive marker, for good; False when this run was started before. Raises OSError."""
        marker = {"at": self._now(), "pid": os.getpid()}
        return recordfile.create(self.path(runfiles.LAUNCHED), json.dumps(marker).encode())

    def identify(self, agent: int | None = None) -> None:
        """Record who the supervisor is, and the agent's program. Raises OSError."""
        record: dict[str, object] = proctable.identify(os.getpid())._asdict()
        record["agent"] = None if agent is None else proctable.identify(agent)._asdict()
        self.write_json(runfiles.SUPERVISOR, record)

    def read_json(self, name: str) -> dict[str, object]:
        """Read a file that may not be there; empty where it is missing or makes no sense."""
        try:
            with open(self.path(name), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_json(self, name: str, value: Mapping[str, object], *, sync: bool = False) -> None:
        """Replace a file; secrets are masked. Raises OSError."""
        self.write_text(
            name, json.dumps(self.secrets.mask_value(value), indent=1, ensure_ascii=False) + "\n", sync=sync
        )

    def write_text(self, name: str, text: str, *, sync: bool = False) -> None:
        """Replace a file; secrets are masked. Raises OSError."""
        data = self.secrets.mask_bytes(text.encode("utf-8", "surrogateescape"))
        self.write(name, data, sync=sync)

    def write(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Replace a file, in a folder below if it says so, as it is. Raises OSError."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        recordfile.replace(path, data, sync=sync)

    def append(self, name: str, text: str) -> None:
        """Add to a log; secrets are masked. A full disk loses the line, not the run."""
        path = self.path(name)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(path, "ab") as file:
                file.write(self.secrets.mask_bytes(text.encode("utf-8", "surrogateescape")))

    def note(self, stage: str, text: str) -> None:
        """Add a line to a stage's log."""
        self.append(f"{runfiles.LOGS}/{stage}.log", f"{self.stamp()} {text}\n")

    def stamp(self) -> str:
        """The time, RFC 3339 UTC."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._now()))

    @contextlib.contextmanager
    def stage(self, stage: str, step: str | None = None) -> Iterator[Stage]:
        """Record that a stage or step starts, and how it ends."""
        begun = self._now()
        self._event(stage, step, "started")
        state = Stage()
        try:
            yield state
        except BaseException:
            state.failed = state.failed or "interrupted"
            raise
        finally:
            status = "failed" if state.failed else "finished"
            self._event(stage, step, status, state.failed, state.outcome)
            taken = round(self._now() - begun, 3)
            self.stages.append({"stage": stage, "step": step, "status": status, "seconds": taken})

    def _event(
        self, stage: str, step: str | None, status: str, message: str | None = None, outcome: str | None = None
    ) -> None:
        event = {"at": self.stamp(), "stage": stage, "step": step, "status": status, "message": message}
        if outcome:
            event["outcome"] = outcome
        self.append(runfiles.STAGES, json.dumps(event, ensure_ascii=False) + "\n")


class Stage:
    """What a stage came to."""

    def __init__(self) -> None:
        #: Why it failed, in one sentence; None while it did not.
        self.failed: str | None = None
        #: In a pipeline's own word; None for what is no step of it.
        self.outcome: str | None = None
