"""TCP ports on the loopback interface, reserved for tasks in one file under one lock."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from orange import recordfile
from orange.core.problems import PortsExhausted

#: Below the ranges that kernels give to outgoing connections, above those of well-known servers.
LOW, HIGH = 21000, 30999


class Ports:
    """Who has which ports. `file` may be shared by all projects of a machine; `owner` tells them apart."""

    def __init__(self, file: str, owner: str) -> None:
        self._file = file
        self._owner = owner

    def reserve(self, task: str, count: int, low: int = LOW, high: int = HIGH) -> tuple[int, ...]:
        """Reserve free ports for a task: those it has already, as far as they are free. Raises PortsExhausted."""
        with self._registry() as taken:
            mine = taken.pop(self._key(task), [])
            others = {port for ports in taken.values() for port in ports}
            order = [*mine, *(port for port in range(low, high + 1) if port not in mine)]
            found = tuple(_first_free((port for port in order if port not in others), count))
            if len(found) < count:
                raise PortsExhausted(count, low, high)
            taken[self._key(task)] = list(found)
        return found

    def release(self, task: str) -> None:
        """Give a task's ports back."""
        with self._registry() as taken:
            taken.pop(self._key(task), None)

    def keep_only(self, tasks: Iterable[str]) -> None:
        """Give back the ports of every other task of this project."""
        wanted = {self._key(task) for task in tasks}
        with self._registry() as taken:
            for key in [key for key in taken if key.startswith(f"{self._owner}:") and key not in wanted]:
                del taken[key]

    def _key(self, task: str) -> str:
        return f"{self._owner}:{task}"

    @contextmanager
    def _registry(self) -> Iterator[dict[str, list[int]]]:
        """The reservations, by owner and task, under the lock; changes are kept unless the block raises."""
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        fd = os.open(f"{self._file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            before = self._read()
            taken = {key: list(ports) for key, ports in before.items()}
            yield taken
            if taken != before:
                recordfile.replace(self._file, json.dumps(taken).encode())
        finally:
            os.close(fd)

    def _read(self) -> dict[str, list[int]]:
        try:
            with open(self._file, "rb") as file:
                found = json.loads(file.read())
            return {str(key): [int(port) for port in ports] for key, ports in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _first_free(ports: Iterable[int], count: int) -> Iterator[int]:
    for port in ports:
        if count == 0:
            return
        if is_free(port):
            count -= 1
            yield port


def is_free(port: int) -> bool:
    """Whether a server could be bound to a port of the loopback interface now, in both families where there are two."""
    return _binds(socket.AF_INET, "127.0.0.1", port) and (not _has_ipv6() or _binds(socket.AF_INET6, "::1", port))


def _binds(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _has_ipv6() -> bool:
    return socket.has_ipv6 and _binds(socket.AF_INET6, "::1", 0)
