"""A client of the HTTP API, written with nothing but the standard library: what it sends is exactly what is said."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.acceptance.place import Place


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its value."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Somebody who asks one daemon."""

    port: int
    token: str | None

    def call(self, method: str, path: str, value: object = None, **headers: str) -> Reply:
        """Ask, as a program does; header names are written with underscores."""
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.token:
            given = {"Authorization": f"Bearer {self.token}", **given}
        data = None
        if value is not None:
            data = json.dumps(value).encode()
            given = {"Content-Type": "application/json", **given}
        return self.raw(method, path, given.items(), data)

    def raw(self, method: str, path: str, headers: Iterable[tuple[str, str]], data: bytes | None = None) -> Reply:
        """Send exactly these headers; without a Host among them, the right one."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            listed = list(headers)
            own = any(name.lower() == "host" for name, _ in listed)
            link.putrequest(method, path, skip_host=own, skip_accept_encoding=True)
            for name, text in listed:
                link.putheader(name, text)
            if data is not None:
                link.putheader("Content-Length", str(len(data)))
            link.endheaders(data)
            answer = link.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            link.close()

    def get(self, path: str) -> Any:
        """Read something that is there."""
        found = self.call("GET", path)
        assert found.status == 200, found
        return found.json

    def post(self, path: str, value: object = None, status: int = 200) -> Any:
        """Do something that is answered with a status."""
        found = self.call("POST", path, {} if value is None else value)
        assert found.status == status, found
        return found.json


class Served(NamedTuple):
    """A project, its daemon and somebody who may do everything there."""

    place: Place
    api: Client


def client(place: Place, scope: str = "") -> Client:
    """Make a client of the place's running daemon; `.read` for the token that may only read."""
    place.until(
        lambda: place.orange("daemon", "status", "--json").json["daemon"]["url"], "the daemon tells its address"
    )
    url = place.orange("daemon", "status", "--json").json["daemon"]["url"]
    token = Path(place.env["XDG_STATE_HOME"], "orange", "tokens", f"token{scope}").read_text().strip()
    return Client(urlsplit(url).port or 0, token)
