"""The daemon's service face: shown once there is a project, taken in before the daemon ends.

Next in the flow: `wiring.service` opens the port, `orange.web` answers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orange.core.home import Home
from orange.core.problems import OrangeError
from orange.wiring.serving import Shown

if TYPE_CHECKING:
    from orange.daemon.news import News
    from orange.web.server import WebServer
    from orange.wiring.service import DaemonFace

log = logging.getLogger("orange.daemon")


class Face:
    """The port of one daemon, from the first project on."""

    def __init__(self, home: Home, shown: Shown) -> None:
        self._home, self._shown = home, shown
        self._news: News | None = None
        self._server: WebServer | None = None
        self._face: DaemonFace | None = None
        self._failed = False

    @property
    def url(self) -> str | None:
        """Where it is; None where it is not shown."""
        return self._server.url if self._server else None

    def link(self, root: str | None) -> Mapping[str, Any]:
        """Make an address that lets one page in and shows a project; `failed`: whether there will be none."""
        if not (self._server and self._face):
            return {"url": None, "failed": self._failed}
        return {"url": f"{self._server.url}{self._face.page(root)}", "failed": False}

    def show(self) -> None:
        """Open the port, once, as the settings say; a daemon whose port cannot be opened works without."""
        served = tuple(self._shown.projects.values())
        if self._server or self._failed or not served:
            return
        from orange.daemon.news import News
        from orange.web.feed import Feed
        from orange.wiring import service

        feed = Feed(os.urandom(4).hex())
        try:
            self._face = service.DaemonFace(self._home, feed, self._shown)
            self._server = service.open_port(self._face, served[0].parts.settings().daemon.port)
            self._news = News(feed)
        except (OSError, OrangeError) as failed:
            self._failed = True
            log.warning("the HTTP API is not served: %s", failed)

    def tell(self) -> None:
        """Tell what is new to whoever follows."""
        if self._news is None:
            return
        for root, served in tuple(self._shown.projects.items()):
            self._news.look(root, served.reconciler.parts, served.reconciler.board)

    def close(self) -> None:
        """Close the port."""
        if self._server:
            self._server.stop()
