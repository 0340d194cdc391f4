"""File events through watchdog, boiled down to "look again". Losing every one of them costs at most one poll."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

log = logging.getLogger("orange.watch")

#: Kinds of events that never mean a change.
_SILENT = frozenset({"opened", "closed_no_write"})


class _Hint(FileSystemEventHandler):
    def __init__(self, hint: Callable[[], None]) -> None:
        self.hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass on that something changed, whatever it was: event types mean nothing across editors."""
        if event.event_type not in _SILENT:
            self.hint()


class FolderWatch:
    """Watches folders recursively. When events are not to be had it says so once, and polling goes on alone."""

    def __init__(self) -> None:
        self._observer: Observer | None = None  # type: ignore[valid-type]  # watchdog picks the class at run time

    def start(self, folders: Iterable[str], hint: Callable[[], None]) -> None:
        """Begin to watch."""
        observer = Observer()
        try:
            for folder in folders:
                observer.schedule(_Hint(hint), folder, recursive=True)
            observer.start()
        except OSError as error:
            log.warning("no file events (%s): changes are seen by polling", error)
            return
        self._observer = observer

    def stop(self) -> None:
        """End."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5.0)
            self._observer = None
