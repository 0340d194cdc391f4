"""A receiver of webhooks that answers as it is told, and checks every signature as the standard says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    """One message, as it came."""

    id: str
    body: dict[str, Any]
    signed: bool
    #: What it was answered; 0: nothing at all.
    status: int

    @property
    def task(self) -> str:
        """The task it is about."""
        return str(self.body["data"]["task"])


@dataclass
class Receiver:
    """Listens on a port of this machine until it is stopped; may be started anew on the same port."""

    secret: bytes
    #: Says what a message is answered, with what came before it; 0 hangs up.
    answer: Callable[[dict[str, Any]], int] = lambda _body: 204
    got: list[Got] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is; with what is for it alone."""
        return f"http://user:planted-password@127.0.0.1:{self.port}/in?key=planted-key"

    @property
    def taken(self) -> list[Got]:
        """The messages that were accepted, in order."""
        return [one for one in self.got if 200 <= one.status < 300]

    def start(self) -> None:
        """Begin to listen."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        data = request.rfile.read(int(request.headers["Content-Length"]))
        body, told = json.loads(data), request.headers
        signed = b".".join((told["webhook-id"].encode(), told["webhook-timestamp"].encode(), data))
        expected = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        status = self.answer(body)
        self.got.append(Got(told["webhook-id"], body, told["webhook-signature"] == f"v1,{expected}", status))
        if not status:
            request.close_connection = True
            return
        request.send_response(status)
        request.send_header("Location", f"http://127.0.0.1:{self.port}/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()
