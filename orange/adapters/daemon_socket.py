"""The daemon's unix socket: one JSON line asks, one JSON line answers. Cheap enough for every command to use."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any

from orange.adapters.private import private_folder
from orange.core.problems import DaemonUnavailable, OrangeError

#: The longest request that is read, bytes.
LIMIT = 1 << 20
#: Answers one call by name and arguments; among them `peer`, the process that asks (0 where nobody can tell).
Handler = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def running(path: str) -> bool:
    """Whether a daemon listens on the socket."""
    try:
        with _connect(path, 1.0):
            return True
    except OSError:
        return False


def call(path: str, name: str, arguments: Mapping[str, Any] | None = None, timeout: float = 10.0) -> dict[str, Any]:
    """Ask the daemon. Raises DaemonUnavailable, OrangeError with the daemon's own sentence."""
    request = json.dumps({"call": name, "arguments": dict(arguments or {})}).encode() + b"\n"
    try:
        with _connect(path, timeout) as link:
            link.sendall(request)
            answer = json.loads(_line(link))
    except (OSError, ValueError) as error:
        raise DaemonUnavailable("the daemon is not running or did not answer: `orange daemon start`") from error
    if "error" in answer:
        raise OrangeError(str(answer["error"]))
    return dict(answer)


def _connect(path: str, timeout: float) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(timeout)
    try:
        link.connect(path)
    except BaseException:
        link.close()
        raise
    return link


def _line(link: socket.socket) -> bytes:
    found = bytearray()
    while not found.endswith(b"\n") and len(found) < LIMIT * 64:
        part = link.recv(1 << 16)
        if not part:
            break
        found += part
    return bytes(found)


class Server:
    """Answers calls in threads of its own, so that the socket works before the daemon's heavy parts are loaded."""

    def __init__(self, path: str, handler: Handler) -> None:
        self.path, self.handler = path, handler
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Bind and begin to answer. The caller holds the daemon's lock, so that a left-over socket is nobody's."""
        private_folder(os.path.dirname(self.path))
        if os.path.lexists(self.path):
            os.unlink(self.path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(self.path)
        os.chmod(self.path, 0o600)
        listening.listen(64)
        self._socket = listening
        threading.Thread(target=self._serve, args=(listening,), name="socket", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and remove the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            if os.path.lexists(self.path):
                os.unlink(self.path)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                link, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(link,), name="call", daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with link:
            link.settimeout(10.0)
            try:
                process, user = _peer(link)
                if user != os.getuid():
                    return
                line = _line(link)
                if line:
                    link.sendall(json.dumps(self._result(line, process)).encode() + b"\n")
            except OSError:
                return

    def _result(self, line: bytes, process: int) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            return self.handler(str(request["call"]), {**(request.get("arguments") or {}), "peer": process})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": f"that is not a call: {error}"}
        except OrangeError as refused:
            return {"error": refused.message, "code": refused.code}


def _peer(link: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end; 0 and our own user where the platform cannot tell.

    The folder is private anyway.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, os.getuid()
    told = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, user, _ = struct.unpack("3i", told)
    return int(process), int(user)
