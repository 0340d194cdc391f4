"""The server: one thread a request, on a free port of loopback, with a record of every conversation it was part of."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.model import wires
from tests.model.conversation import Answer, Conversation, Play, Refuse, Say, by_prompt

_WIRES: dict[str, tuple[Callable[[dict[str, Any]], Conversation], Callable[[Answer, str], Iterator[Any]]]] = {
    "/v1/messages": (wires.read_messages, wires.write_messages),
    "/v1/responses": (wires.read_responses, wires.write_responses),
    "/v1/chat/completions": (wires.read_chat, wires.write_chat),
    ":streamGenerateContent": (wires.read_gemini, wires.write_gemini),
}


@dataclass
class Model:
    """A running model."""

    url: str = ""
    #: What it answers; tests may set another.
    play: Play = by_prompt
    #: Every request of an agent that may act, oldest first.
    heard: list[Conversation] = field(default_factory=list)
    #: Paths it does not serve.
    unknown: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, word: str) -> list[Conversation]:
        """Return the conversations whose prompts mention a word."""
        with self._lock:
            return [conversation for conversation in self.heard if conversation.mentions(word)]

    def answer(self, conversation: Conversation) -> Answer:
        """Answer a request; one without tools is for a title."""
        if not conversation.tools:
            return Say("A title")
        with self._lock:
            self.heard.append(conversation)
        return self.play(conversation)


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    model: Model

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def do_GET(self) -> None:
        """Know of no models."""
        self._json(200, {"data": [], "models": []})

    def do_POST(self) -> None:
        """Answer a request of one of the wires."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self._json(200, {"input_tokens": wires.INPUT})
            return
        if path.endswith(":generateContent"):
            self._json(200, next(wires.write_gemini(Say("{}"), ""))[1])
            return
        found = next((pair for end, pair in _WIRES.items() if path.endswith(end)), None)
        if found is None:
            self.model.unknown.append(path)
            self._json(404, {"error": {"message": f"no {path} here"}})
            return
        self._answer(body, *found)

    def _answer(self, body: dict[str, Any], read: Callable[..., Conversation], write: Callable[..., Any]) -> None:
        conversation = replace(read(body), whole=json.dumps(body))
        answer = self.model.answer(conversation)
        if isinstance(answer, Refuse):
            self._refuse(answer, conversation.wire)
            return
        events = []
        for name, event in write(answer, conversation.model):
            head = f"event: {name}\n" if name else ""
            events.append(head + "data: " + json.dumps({"type": name, **event} if name else event) + "\n\n")
        if conversation.wire == "chat":
            events.append("data: [DONE]\n\n")
        self._send(200, "".join(events).encode(), {"Content-Type": "text/event-stream"})

    def _refuse(self, answer: Refuse, wire: str) -> None:
        headers = {"retry-after": str(answer.retry_after)} if answer.retry_after is not None else {}
        kind = "overloaded_error" if answer.status == 529 else "rate_limit_error"
        error: dict[str, Any] = {"type": kind, "message": answer.message}
        if wire == "gemini":
            delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{answer.retry_after or 1}s"}
            error = {"code": answer.status, "message": answer.message, "status": "RESOURCE_EXHAUSTED",
                     "details": [delay]}  # fmt: skip
        if wire == "responses" and answer.retry_after is not None:
            reset = int(time.time()) + answer.retry_after
            error = {"type": "usage_limit_reached", "message": answer.message, "plan_type": "plus",
                     "resets_at": reset, "resets_in_seconds": answer.retry_after}  # fmt: skip
        self._json(answer.status, {"type": "error", "error": error}, headers)

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(play: Play = by_prompt) -> Iterator[Model]:
    """Serve a model until the block ends."""
    model = Model(play=play)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": model}))
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
