"""Posts messages to receivers of webhooks, and keeps how far that is in `<runtime>/webhooks.json`.

A redirect is an answer like any other: nothing is sent anywhere but where the settings say.

Next in the flow: `project.webhooks` says what is sent when.
"""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from orange.adapters.jsonfile import JsonFile
from orange.core.layout import Layout

#: Seconds a receiver may take for each part of its answer.
PATIENCE = 10.0
#: Bytes of an answer that are read.
_READ = 1024


class HttpDeliveries:
    """Satisfies `core.service.webhooks.Deliveries`."""

    def __init__(self, layout: Layout, patience: float = PATIENCE) -> None:
        self._file, self._patience = JsonFile(f"{layout.runtime}/webhooks.json"), patience

    def post(self, url: str, sent: Mapping[str, str], body: bytes) -> int | str:
        """Post a message; returns the status of the answer, or why there was none."""
        try:
            return self._answer(url, sent, body)
        except OSError as failed:
            return f"{type(failed).__name__}: {failed.strerror or failed}".rstrip(": ")
        except (http.client.HTTPException, ValueError) as failed:  # their texts may quote the address
            return type(failed).__name__

    def _answer(self, url: str, sent: Mapping[str, str], body: bytes) -> int:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            link: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=self._patience, context=context
            )
        else:
            link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self._patience)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            link.request("POST", target, body, {**sent, **_login(parts)})
            answer = link.getresponse()
            answer.read(_READ)
            return answer.status
        finally:
            link.close()

    def progress(self, key: str) -> object:
        """Return what was kept of a receiver; None where nothing was."""
        hooks = self._file.read().get("hooks")
        return hooks.get(key) if isinstance(hooks, dict) else None

    def keep(self, key: str, told: Mapping[str, Any]) -> None:
        """Keep how far the deliveries to a receiver are. Raises StorageFailed."""

        def change(known: dict[str, Any]) -> dict[str, Any]:
            hooks = known.get("hooks")
            return {"format": 1, "hooks": {**(hooks if isinstance(hooks, dict) else {}), key: dict(told)}}

        self._file.change(change)


def _login(parts: SplitResult) -> dict[str, str]:
    """Return the header for a user and password that stand in an address."""
    if parts.username is None:
        return {}
    told = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(told.encode()).decode()}"}
