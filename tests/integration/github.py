"""A GitHub of one repository, on loopback: the few calls that `gh` is made to do, kept in memory.

The real `gh` is led here by a proxy variable: for its development host `github.localhost` it speaks plain HTTP.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class GitHub:
    """What a test sets and looks at. Reviews and checks are as GraphQL gives them."""

    port: int = 0
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    head: str = "c1"
    #: Answered to everything instead, as (status, body).
    refusal: tuple[int, Any] | None = None
    #: Method and path of every call.
    asked: list[str] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """What makes `gh` come here."""
        return {
            "GH_HOST": "github.localhost",
            "GH_REPO": "github.localhost/acme/widget",
            "GH_TOKEN": "t0ken",
            "HTTP_PROXY": f"http://127.0.0.1:{self.port}",
        }

    def review(
        self, state: str, body: str = "", association: str = "MEMBER", comment: dict[str, Any] | None = None
    ) -> None:
        """Add a review, with a comment on a line where one is given."""
        self.reviews.append(
            {
                "id": f"R{len(self.reviews)}",
                "state": state,
                "body": body,
                "author": {"login": "bea"},
                "authorAssociation": association,
                "comments": {"nodes": [comment] if comment else []},
            }
        )

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Answer one call."""
        self.asked.append(f"{method} {path}")
        if self.refusal:
            return self.refusal
        url = urlsplit(path)
        if url.path == "/graphql":
            return 200, self._look(body["variables"])
        if url.path != "/repos/acme/widget/pulls":
            return 404, {"message": "Not Found"}
        if method == "POST":
            self.pulls.append({"number": 7 + len(self.pulls), "state": "OPEN", **body})
            return 201, self._shown(self.pulls[-1])
        wanted = parse_qs(url.query)
        open_ones = [pull for pull in self.pulls if pull["state"] == "OPEN"]
        return 200, [self._shown(p) for p in open_ones if [f"acme:{p['head']}"] == wanted["head"]]

    @staticmethod
    def _shown(pull: dict[str, Any]) -> dict[str, Any]:
        return pull | {"html_url": f"http://github.localhost/acme/widget/pull/{pull['number']}"}

    def _look(self, variables: dict[str, Any]) -> dict[str, Any]:
        assert (variables["owner"], variables["name"]) == ("acme", "widget")
        (pull,) = [pull for pull in self.pulls if pull["number"] == variables["number"]]
        rollup = {"contexts": {"nodes": self.checks}} if self.checks else None
        found = {
            "number": pull["number"],
            "url": self._shown(pull)["html_url"],
            "state": pull["state"],
            "reviews": {"nodes": self.reviews},
            "commits": {"nodes": [{"commit": {"oid": self.head, "statusCheckRollup": rollup}}]},
        }
        return {"data": {"repository": {"pullRequest": found}}}


@contextmanager
def serving() -> Iterator[GitHub]:
    """Serve one on a port of its own."""
    found = GitHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self._body()
            status, answer = found.answer(self.command, _target(self.path), json.loads(body) if body else None)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        do_GET = do_POST = _serve  # noqa: N815 - the names http.server calls

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _target(path: str) -> str:
    """Drop scheme and host, which a proxy is told."""
    url = urlsplit(path)
    return f"{url.path}?{url.query}" if url.query else url.path
