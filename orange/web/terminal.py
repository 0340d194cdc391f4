"""A run's screen over a WebSocket: what it has said lately, then what it says, until it has ended. Nothing is typed.

A browser cannot send a header with a WebSocket: the token comes as one of the protocols offered (`bearer.TOKEN`),
beside `orange.screen`, which is the one that is chosen. Next in the flow: a terminal emulator in the page.
"""

from __future__ import annotations

import asyncio
import os
from typing import BinaryIO

from aiohttp import WSMsgType, web

from orange.project.logs import Screen

PROTOCOL = "orange.screen"
#: Bytes of what was said before that are sent, and of one message.
_BEFORE, _PART = 256 << 10, 64 << 10
#: Seconds between looks at a file that grows.
_PACE = 0.1
#: Seconds between signs of life.
_HEARTBEAT = 20.0


async def terminal(request: web.Request, screen: Screen) -> web.StreamResponse:
    """Send a screen until its run has ended or the client leaves."""
    socket = web.WebSocketResponse(protocols=(PROTOCOL,), heartbeat=_HEARTBEAT, max_msg_size=1024)
    if not socket.can_prepare(request).ok:
        raise web.HTTPUpgradeRequired
    await socket.prepare(request)
    showing = asyncio.ensure_future(_show(socket, screen))
    try:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
    return socket


async def _show(socket: web.WebSocketResponse, screen: Screen) -> None:
    loop = asyncio.get_running_loop()
    with await loop.run_in_executor(None, _opened, screen.path) as file:
        while not socket.closed:
            ended = await loop.run_in_executor(None, screen.ended)
            part = await loop.run_in_executor(None, file.read, _PART)
            if part:
                await socket.send_bytes(part)
            elif ended:
                await socket.close(message=b"the run has ended")
            else:
                await asyncio.sleep(_PACE)


def _opened(path: str) -> BinaryIO:
    """Open the file near its end, at the beginning of a line."""
    file = open(path, "rb")  # noqa: SIM115 - the caller closes it
    behind = os.fstat(file.fileno()).st_size - _BEFORE
    if behind > 0:
        file.seek(behind)
        file.readline()
    return file
