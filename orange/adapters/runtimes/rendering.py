"""How an agent's events look in a terminal and its log: plain lines, nothing that a terminal would obey."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TextIO

from orange.adapters.runtimes.events import Began, Called, Ended, Event, Failed, Limited, Returned, Said
from orange.core.present import visible, visible_line

#: Lines of a tool's answer that are shown, and characters of each; the stream's file has all of it.
LINES, WIDTH = 12, 400


class Page:
    """What is shown of one conversation."""

    def __init__(self, agent: str, out: TextIO) -> None:
        self._agent, self._out = agent, out
        self._within = False
        self._session = ""

    def show(self, events: Iterable[Event]) -> None:
        """Show events as they come."""
        for event in events:
            if isinstance(event, Began):
                self._begin(event)
            elif isinstance(event, Said) and event.part:
                self._out.write(visible(event.text))
                self._within = True
            elif text := self._text(event):
                self._line(text)
            elif isinstance(event, Ended) and self._within:
                self._line("")
        self._out.flush()

    def _begin(self, event: Began) -> None:
        """Show which conversation this is, once; some programs say so at every step."""
        if event.session != self._session:
            self._session = event.session
            self._line(
                visible_line(f"[{self._agent} {event.model or ''}".rstrip() + f", conversation {event.session}]")
            )

    def stray(self, line: bytes) -> None:
        """Show what is no line of the stream."""
        self._line(visible(line.decode("utf-8", "replace"))[:WIDTH])
        self._out.flush()

    def _line(self, text: str) -> None:
        self._out.write(("\n" if self._within else "") + (text and text + "\n"))
        self._within = False

    def _text(self, event: Event) -> str:
        match event:
            case Returned():
                return _excerpt(event)
            case Said(text):
                pass
            case Called(tool, what):
                text = f"> {tool}: {what}"[: LINES * WIDTH]
            case Limited(until):
                end = time.strftime("%H:%M:%S", time.localtime(until)) if until else "later"
                text = f"! the provider refuses to go on until {end}"
            case Failed(message):
                text = f"! {message}"
            case _:
                return ""
        return visible(text)


def _excerpt(event: Returned) -> str:
    lines = visible(event.text.strip("\n")).split("\n")
    mark = "  ! " if event.failed else "  | "
    shown = [mark + line[:WIDTH] for line in lines[:LINES]]
    return "\n".join([*shown, f"{mark}... {len(lines) - LINES} more lines"] if len(lines) > LINES else shown)
