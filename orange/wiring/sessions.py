"""The user's sessions: noted by the daemon, shown to people with what their runs used."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping

from orange import proctable
from orange.adapters import locate, sessionlog
from orange.adapters.usage import FileUsage
from orange.core import sessions, usage
from orange.core.home import Home
from orange.core.names import new_id
from orange.core.problems import InvalidInput
from orange.core.sessions import Session
from orange.core.usage import Used
from orange.project import dispatching


def begin(home: Home, options: Mapping[str, object]) -> str:
    """Note that this process begins a session, and return its id. Raises StorageFailed."""
    made = new_id(os.urandom(16))
    process = [*proctable.identify(os.getpid())]
    note(home, made, {"kind": "began", "id": made, "at": time.time(), "process": process, "options": dict(options)})
    return made


def note(home: Home, session: str, *lines: Mapping[str, object]) -> None:
    """Note what happened in a session. Raises StorageFailed."""
    sessionlog.add(home, session, list(lines))


def every(home: Home) -> list[dict[str, object]]:
    """Return every session as JSON, the latest first."""
    found = (sessions.fold(lines) for lines in sessionlog.every(home))
    return [_view(one) for one in sorted((one for one in found if one), key=lambda one: one.began, reverse=True)]


def one(home: Home, session: str) -> dict[str, object]:
    """Return one session as JSON, by its id or a beginning of it that no other has. Raises InvalidInput."""
    known = [found for lines in sessionlog.every(home) if (found := sessions.fold(lines))]
    named = [found for found in known if len(session) >= 4 and found.id.startswith(session)]
    if len(named) != 1:
        what = "may be any of " + ", ".join(sorted(found.id for found in named)) if named else "is no session"
        raise InvalidInput("session", f"{session!r} {what}: `orange session list` shows them")
    return _view(named[0])


def _view(session: Session) -> dict[str, object]:
    alive = session.ended is None and proctable.alive(proctable.Identity(*session.process)) is not False
    used = (found for root, runs in session.runs.items() for found in _used(root, runs))
    paused = alive and any(map(_is_paused, session.runs))
    state = sessions.status(session, alive=alive, paused=paused)
    return sessions.view(session, state, usage.add(used, time.time()).bill)


def _used(root: str, runs: Iterable[str]) -> Iterator[Used]:
    """Yield what runs used; nothing of a project that is not there any more."""
    layout = locate.find(root)
    if layout:
        records = FileUsage(layout)
        yield from (used for run in runs if (used := records.of(run)))


def _is_paused(root: str) -> bool:
    layout = locate.find(root)
    return layout is not None and bool(dispatching.read(layout.dispatch).get("paused"))
