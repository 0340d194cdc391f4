"""The application: lets a request in, checks its parts, has it carried out in a thread, and answers.

Next in the flow: an operation's `run`, and through it the project facade.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from aiohttp import web

from orange.core.imports import jsontext
from orange.core.problems import InvalidInput, OrangeError
from orange.core.service.admission import SAFE, Knock, Scope, admit
from orange.core.service.shapes import Items
from orange.web import problems
from orange.web.once import Once
from orange.web.operation import NOTHING, Answer, Face, Kind, Operation, Request
from orange.web.pages import POLICY, REST, Pages
from orange.web.routes import OPERATIONS
from orange.web.stream import stream
from orange.web.terminal import terminal

#: Seconds in which a body must have come.
PATIENCE = 30.0
#: The longest of the clients' own names for a request, and of an ETag that is asked for.
_LONGEST_NAME = 200
#: On every answer: nothing of it is kept, framed, sniffed or loaded by another page.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Unreadable(OrangeError):
    """A request whose body cannot be read."""

    code = "unreadable"

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


class Api:
    """The HTTP API over one face."""

    def __init__(self, face: Face, pool: ThreadPoolExecutor) -> None:
        self.face, self.pool, self.once = face, pool, Once()

    def application(self) -> web.Application:
        """Make the application."""

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guard])
        for operation in OPERATIONS:
            handler, path = self._handler(operation), operation.path.replace("{path}", "{path:.*}")
            if operation.method == "GET":
                app.router.add_get(path, handler)  # HEAD, too
            else:
                app.router.add_route(operation.method, path, handler)
        for path, methods in _plain_paths().items():
            app.router.add_route("*", path, _not_allowed(methods))
        app.router.add_get(REST, _giver(Pages()))  # the last: what no operation has
        app.on_response_prepare.append(_on_prepare)
        app.on_shutdown.append(self._on_shutdown)
        return app

    async def _on_shutdown(self, _app: web.Application) -> None:
        self.face.feed.close()

    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let in or refuse; what is not there is not told to strangers."""
        needs = getattr(request.match_info.handler, "scope", Scope.READ)
        refused = admit(_knock(request), self.face.door(), needs)
        if refused:
            return _problem(problems.of_refusal(refused))
        try:
            return await handler(request)
        except web.HTTPException as error:
            phrase = HTTPStatus(error.status).phrase
            found = problems.problem(error.status, phrase.lower().replace(" ", "_"), _DETAILS.get(error.status, phrase))
            return _problem(found, {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {})
        except Unreadable as error:
            return _problem(problems.problem(error.status, error.code, error.message))
        except OrangeError as error:
            return _problem(problems.of_error(error))

    def _handler(self, operation: Operation) -> _Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            data = await _body(http, operation.largest)
            request = Request(
                self.face,
                dict(http.match_info),
                _query(http, operation),
                _read(data, operation),
                _header(http, "If-Match"),
                _header(http, "If-None-Match"),
                None if operation.method in SAFE else _caller(http),
            )
            loop = asyncio.get_running_loop()
            if operation.kind in {Kind.EVENTS, Kind.SOCKET}:
                return await self._go_on(
                    operation.kind, http, await loop.run_in_executor(self.pool, operation.run, request)
                )
            key = _header(http, "Idempotency-Key") if operation.method == "POST" else None
            asked = (operation.id, http.raw_path, data)
            return await loop.run_in_executor(self.pool, lambda: self._carry_out(operation, request, key, asked))

        handle.scope = operation.scope  # type: ignore[attr-defined]  # what the guard goes by
        return handle

    async def _go_on(self, kind: Kind, http: web.Request, about: Any) -> web.StreamResponse:
        """Send what goes on after the answer has begun."""
        if kind is Kind.SOCKET:
            return await terminal(http, about)
        self.face.look()
        return await stream(http, self.face.feed, about)

    def _carry_out(
        self, operation: Operation, request: Request, key: str | None, asked: tuple[str, str, bytes]
    ) -> web.Response:
        found = self.once.do(key, asked, lambda: operation.run(request)) if key else operation.run(request)
        answer = found if isinstance(found, Answer) else Answer(found)
        tag = answer.headers.get("ETag")
        if tag is not None and request.if_none_match in {tag, "*"}:
            return web.Response(status=304, headers=answer.headers)
        if operation.kind in {Kind.TEXT, Kind.FIGURES} and isinstance(answer.value, str):
            text = answer.value.encode("utf-8", "replace")
            return web.Response(body=text, content_type=operation.kind.value, charset="utf-8", headers=answer.headers)
        return _json(answer.value, operation.status, Kind.JSON.value, answer.headers)


def _plain_paths() -> Mapping[str, frozenset[str]]:
    """Return the paths without places and their methods: nothing else of the same form answers there."""
    found: dict[str, frozenset[str]] = {}
    for operation in OPERATIONS:
        if not operation.places:
            methods = {"GET", "HEAD"} if operation.method == "GET" else {operation.method}
            found[operation.path] = found.get(operation.path, frozenset()) | methods
    return found


def _not_allowed(methods: frozenset[str]) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return handle


def _giver(pages: Pages) -> _Handler:
    async def give(request: web.Request) -> web.StreamResponse:
        page = pages.find(request.raw_path)
        if page is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "ETag": page.tag}
        if page.is_known(request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=headers)
        return web.Response(body=page.body, headers={**headers, "Content-Type": page.kind})

    give.scope = Scope.NONE  # type: ignore[attr-defined]  # what the guard goes by
    return give


_DETAILS = {
    404: "there is no such thing here",
    405: "this cannot be done here; `Allow` says what can",
}


def _knock(request: web.Request) -> Knock:
    headers = request.headers
    return Knock(
        request.method,
        request.raw_path,
        tuple(headers.getall("Host", ())),
        tuple(headers.getall("Origin", ())),
        headers.get("Authorization", "") or _offered(headers.get("Sec-WebSocket-Protocol", "")),
        headers.get("Content-Type", ""),
        request.can_read_body,
        "websocket" in headers.get("Upgrade", "").lower(),
    )


def _offered(protocols: str) -> str:
    """Find the token among the protocols that a WebSocket offers, where a browser cannot send it otherwise."""
    found = (
        word.strip().removeprefix("bearer.") for word in protocols.split(",") if word.strip().startswith("bearer.")
    )
    return next((f"Bearer {token}" for token in found), "")


async def _body(request: web.Request, largest: int) -> bytes:
    """Read the body, up to its limit. Raises Unreadable."""
    found = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.content.iter_any():
                found += part
                if len(found) > largest:
                    raise Unreadable(f"the body is larger than {largest >> 20} MiB", 413)
    except TimeoutError:
        raise Unreadable(f"the body did not come within {PATIENCE:.0f} seconds", 408) from None
    return bytes(found)


def _read(data: bytes, operation: Operation) -> Mapping[str, Any]:
    """Read what was sent. Raises Unreadable for what is no JSON, InvalidInput for what does not fit."""
    shape = operation.body or NOTHING
    if not data and (operation.body is None or operation.body_optional):
        return {}
    try:
        value = jsontext.load(data.decode(), "body")
    except UnicodeDecodeError:
        raise Unreadable("the body is not UTF-8") from None
    except OrangeError as error:
        raise Unreadable(error.message) from None
    return shape.read(value)


def _query(request: web.Request, operation: Operation) -> Mapping[str, Any]:
    """Read the query. Raises InvalidInput."""
    shape = operation.parameters
    found: dict[str, object] = {}
    for name in request.query:
        values, part = request.query.getall(name), shape.keys.get(name)
        if len(values) > 1 and not isinstance(part, Items):
            raise InvalidInput(name, "it is given more than once")
        found[name] = list(values) if isinstance(part, Items) else values[0]
    return shape.read(found)


def _caller(request: web.Request) -> int | None:
    found = request.transport.get_extra_info("peername") if request.transport else None
    return int(found[1]) if found else None


def _header(request: web.Request, name: str) -> str | None:
    found: str | None = request.headers.get(name)
    if found is not None and not 0 < len(found) <= _LONGEST_NAME:
        raise InvalidInput(name, f"1 to {_LONGEST_NAME} characters are expected")
    return found


def _problem(found: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return _json(found, int(found["status"]), "application/problem+json", headers or {})


def _json(value: object, status: int, kind: str, headers: Mapping[str, str]) -> web.Response:
    body = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, content_type=kind, headers=headers)


async def _on_prepare(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "orange"
