"""File events through watchdog, boiled down to "look at this". Losing every one of them costs at most one poll."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
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

#: Told which file changed, by its path below the folder; None where it could be any.
Edited = Callable[[str | None], None]

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
    def __init__(self, folder: str, edited: Edited) -> None:
        self.folder, self.edited = folder, edited

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass on where something changed; what exactly differs between editors."""
        if event.is_directory:
            self.edited(None)  # what is in it came or went without events of its own
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self.edited(os.path.relpath(os.fsdecode(path), self.folder))


class FolderWatch:
    """Watches a folder recursively. When events are not to be had it says so once, and polling goes on alone."""

    def __init__(self) -> None:
        self._observer: Any = None  # watchdog picks the class at run time
        self._starting: threading.Thread | None = None

    def start(self, folder: str, edited: Edited) -> None:
        """Begin to watch, in a thread of its own: ten thousand folders take seconds, and polling sees them anyway."""
        self._starting = threading.Thread(target=self._start, args=(folder, edited), name="watch", daemon=True)
        self._starting.start()

    def _start(self, folder: str, edited: Edited) -> None:
        observer = Observer()
        try:
            observer.schedule(_Hint(folder, edited), folder, recursive=True, event_filter=_WANTED)
            observer.start()
        except OSError as error:
            log.warning("no file events (%s): changes are seen by polling", error)
            return
        self._observer = observer
        edited(None)

    def stop(self) -> None:
        """End."""
        if self._starting is not None:
            self._starting.join(30.0)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5.0)
            self._observer = None
