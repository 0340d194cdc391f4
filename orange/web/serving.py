"""Serving: aiohttp's side of the port, loaded when somebody first knocks. Next in the flow: `app`."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from orange.web.app import Api
from orange.web.operation import Face

#: Seconds requests under way may take when the daemon stops.
SHUTDOWN = 5.0
#: Bytes of a request's first line: every query that is described fits.
LONGEST_LINE = 1 << 20
#: Connections that wait to be taken.
BACKLOG = 128
#: Requests carried out at the same time.
_THREADS = 8


def serve(face: Face, listening: socket.socket, told: socket.socket) -> None:
    """Serve until the other end of `told` is closed; what is under way then ends first."""
    asyncio.run(_serve(face, listening, told))


async def _serve(face: Face, listening: socket.socket, told: socket.socket) -> None:
    with ThreadPoolExecutor(_THREADS, "request") as pool:
        application = Api(face, pool).application()
        log = logging.getLogger("orange.web")
        log.addFilter(_worth_saying)
        runner = web.AppRunner(
            application,
            access_log=None,
            logger=log,
            handle_signals=False,
            shutdown_timeout=SHUTDOWN,
            max_line_size=LONGEST_LINE,
        )
        await runner.setup()
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        await _readable(told)
        await runner.cleanup()


def _worth_saying(record: logging.LogRecord) -> bool:
    """Whether a line belongs in the log: bytes that are no HTTP are answered, and anybody may send them."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


async def _readable(link: socket.socket) -> None:
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(link, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(link)
