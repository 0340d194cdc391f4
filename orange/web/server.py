"""The port: bound when the daemon starts, served from the first knock on.

aiohttp takes as long to load as the rest of the daemon together, and many daemons are never asked: so a thread waits
at the bound port, and loads it when somebody comes. Next in the flow: `serving`.
"""

from __future__ import annotations

import select
import socket
import threading

from orange.web.operation import Face

HOST = "127.0.0.1"
#: Connections that wait until somebody is loaded to take them.
_BACKLOG = 128
#: Seconds the thread may take to end.
_PATIENCE = 10.0


class WebServer:
    """The API on one port of this machine."""

    def __init__(self, face: Face, port: int) -> None:
        """Bind the port; another one where it is taken, or asked for with 0. Raises OSError."""
        self._face, self._socket = face, _bound(port)
        #: The port it got.
        self.port: int = self._socket.getsockname()[1]
        self._stop, self._told = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}/"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take nobody more, let what is under way end, and close the port."""
        self._stop.close()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        with self._socket, self._told:
            knocked, _, _ = select.select([self._socket, self._told], [], [])
            if self._told not in knocked:
                from orange.web.serving import serve

                serve(self._face, self._socket, self._told)


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError:
        listening.bind((HOST, 0))
    listening.listen(_BACKLOG)
    listening.settimeout(0.0)
    return listening
