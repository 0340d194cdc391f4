"""Tells a person what needs them, each thing once and beside everything else: slow or broken, it holds nothing up."""

from __future__ import annotations

import logging
from collections.abc import Callable

from orange.core.graph import Graph
from orange.core.notices import Notice, notices
from orange.core.problems import OrangeError
from orange.project.parts import Parts

log = logging.getLogger("orange.reconciler")

#: Runs slow work under keys, unless work under one of them is under way.
Begin = Callable[[tuple[str, ...], Callable[[], None]], bool]


class Notifier:
    """Tells what one project has to tell."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: What was last said against the command, so that it is said once.
        self._complaint: str | None = None

    def look(self, graph: Graph, begin: Begin) -> None:
        """See what is to be told, and begin to tell it."""
        settings = self._parts.settings()
        command = settings.notify_command
        if command is None:
            return
        found = {notice.key: notice for notice in notices(graph, settings)}
        if found.keys() != self._parts.notices.told():
            begin(("notify",), lambda: self._tell(command, found))

    def _tell(self, command: str, found: dict[str, Notice]) -> None:
        told = self._parts.notices.told() & found.keys()
        for key, notice in found.items():
            if key not in told:
                self._complain(self._try(command, notice))
                told |= {key}
                self._parts.notices.keep(told)
        self._parts.notices.keep(told)

    def _try(self, command: str, notice: Notice) -> str | None:
        try:
            return self._parts.notices.tell(command, notice)
        except OrangeError as failed:
            return failed.message

    def _complain(self, reason: str | None) -> None:
        if reason is not None and reason != self._complaint:
            log.warning("%s: notify.command: %s", self._parts.name, reason)
        self._complaint = reason
