"""File events through watchdog, boiled down to "look again". Losing every one of them costs at most one poll."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

log = logging.getLogger("orange.watch")

#: What may mean a change. Without a filter every look of ours at a folder would be an event, and thousands of folders
#: would overflow the queue.
_WANTED: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class _Hint(FileSystemEventHandler):
    def __init__(self, hint: Callable[[], None]) -> None:
        self.hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - what it says differs between editors
        """Pass on that something changed, whatever it was."""
        self.hint()


class FolderWatch:
    """Watches folders recursively. When events are not to be had it says so once, and polling goes on alone."""

    def __init__(self) -> None:
        self._observer: Any = None  # watchdog picks the class at run time
        self._starting: threading.Thread | None = None

    def start(self, folders: Iterable[str], hint: Callable[[], None]) -> None:
        """Begin to watch, in a thread of its own: ten thousand folders take seconds, and polling sees them anyway."""
        self._starting = threading.Thread(target=self._start, args=(tuple(folders), hint), name="watch", daemon=True)
        self._starting.start()

    def _start(self, folders: tuple[str, ...], hint: Callable[[], None]) -> None:
        observer = Observer()
        try:
            for folder in folders:
                observer.schedule(_Hint(hint), folder, recursive=True, event_filter=_WANTED)
            observer.start()
        except OSError as error:
            log.warning("no file events (%s): changes are seen by polling", error)
            return
        self._observer = observer
        hint()

    def stop(self) -> None:
        """End."""
        if self._starting is not None:
            self._starting.join(30.0)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5.0)
            self._observer = None
