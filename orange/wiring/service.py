"""The service face of a daemon: its port, its tokens, and the projects as it serves them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from urllib.parse import quote

from orange.adapters import peer, speaker, tokens
from orange.core.home import Home
from orange.core.lifecycle import Actor
from orange.core.problems import NotAllowed
from orange.core.service.admission import Door, Scope, digest
from orange.project import Project
from orange.project.parts import Parts
from orange.project.requests import Speaker
from orange.web.boards import Boards
from orange.web.feed import Feed
from orange.web.onetime import Codes
from orange.web.server import WebServer
from orange.wiring.answers import speaker_of
from orange.wiring.serving import Shown


class DaemonFace:
    """What the service face shows. Satisfies `orange.web.operation.Face`."""

    def __init__(self, home: Home, feed: Feed, shown: Shown) -> None:
        """Take up the user's tokens. Raises StorageFailed."""
        self.feed, self.look, self.status, self.revision = feed, shown.look, shown.status, shown.revision
        self._shown = shown
        self.boards = Boards()
        self._token = tokens.token(home.token)
        self._tokens = {
            digest(self._token): Scope.FULL,
            digest(tokens.token(f"{home.token}.read")): Scope.READ,
        }
        self._person = Speaker(Actor.PERSON, speaker.user_name())
        self._codes = Codes(time.monotonic, lambda: secrets.token_urlsafe(32))
        self.port = 0

    def door(self) -> Door:
        """Return who is let in."""
        return Door(self.port, self._tokens)

    def projects(self) -> Mapping[str, str]:
        """Return the projects that are served: folder -> name."""
        return {root: os.path.basename(root) for root in tuple(self._shown.projects)}

    def open(self, root: str, caller: int | None) -> Project:
        """Return a project on behalf of whoever asks. Raises NotAllowed for another user of the machine."""
        parts = self._shown.projects[root].reconciler.parts
        return Project(parts, self._person if caller is None else self._speaker(parts, root, caller))

    def _speaker(self, parts: Parts, root: str, caller: int) -> Speaker:
        """Find out who asks: what an agent started is the agent, whatever token it found."""
        found = self._peer(caller)
        if found is None or found.process is None:
            return self._person
        return speaker_of(parts.layout, root, found.process)

    def _peer(self, caller: int) -> peer.Peer | None:
        """Find out which process asks; None where nobody can tell. Raises NotAllowed for another user."""
        found = peer.peer(caller, self.port)
        if found is not None and found.user not in {os.getuid(), 0}:
            raise NotAllowed("this daemon serves its own user only")
        return found

    def page(self, root: str | None) -> str:
        """Return where the dashboard is, below the port's address, with a code that lets one page in."""
        names = list(self.projects().values())
        shown = os.path.basename(root) if root else ""
        chosen = shown if names.count(shown) == 1 else root or ""
        query = f"?project={quote(chosen, safe='')}" if chosen and len(names) > 1 else ""
        return f"{query}#code={self._codes.make()}"

    def login(self, code: str, caller: int | None) -> str:
        """Return the full token for a one-time code. Raises NotAllowed."""
        if caller is not None:
            self._peer(caller)
        if not self._codes.use(code):
            raise NotAllowed("this link was used before, or is older than a minute: `orange dashboard` gives another")
        return self._token


def open_port(face: DaemonFace, port: int) -> WebServer:
    """Bind the port and serve the face there. Raises OSError."""
    server = WebServer(face, port)
    face.port = server.port
    server.start()
    return server
