"""Serving: aiohttp's side of the port, loaded when somebody first knocks. Next in the flow: `app`."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from orange.web.app import Api
from orange.web.operation import Face

#: Seconds requests under way may take when the daemon stops.
SHUTDOWN = 5.0
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
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        await _readable(told)
        await runner.cleanup()


async def _readable(link: socket.socket) -> None:
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(link, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(link)
