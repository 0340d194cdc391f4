"""Server-sent events: the feed over HTTP, each follower at their own pace.

A stream begins with `reset` unless it goes on where another one ended (`Last-Event-ID`): read everything, then follow.
Next in the flow: the client.
"""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from orange.web.feed import Feed, Told

#: Seconds between signs of life.
HEARTBEAT = 15.0
#: Milliseconds after which a client comes back.
_AGAIN = 2000
#: Followers at the same time.
_MOST = 1000
_RESET = Told("reset", {})


async def stream(request: web.Request, feed: Feed, project: str | None) -> web.StreamResponse:
    """Send the feed until the client leaves or the daemon ends."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    news, loop = asyncio.Event(), asyncio.get_running_loop()
    key = feed.follow(lambda: _wake(loop, news))
    try:
        place = feed.place(request.headers.get("Last-Event-ID"))
        await response.prepare(request)
        await response.write(f"retry: {_AGAIN}\n\n".encode())
        while not feed.closed:
            news.clear()
            found = feed.after(place) if place is not None else None
            if found is None:
                place = feed.end()
                await response.write(_line(feed, place, _RESET))
                continue
            for place, event in found:
                if project in {None, event.data.get("project")}:
                    await response.write(_line(feed, place, event))
            if not found:
                await _wait(news, response)
    except ConnectionResetError:
        pass  # the client has left
    finally:
        feed.leave(key)
    return response


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)


async def _wait(news: asyncio.Event, response: web.StreamResponse) -> None:
    """Wait for something new; show now and then that the line is up."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            await news.wait()
    except TimeoutError:
        await response.write(b": still here\n\n")


def _line(feed: Feed, number: int, event: Told) -> bytes:
    data = json.dumps(event.data, separators=(",", ":"))
    return f"id: {feed.name(number)}\nevent: {event.type}\ndata: {data}\n\n".encode()
