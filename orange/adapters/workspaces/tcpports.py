"""TCP ports on the loopback interface, reserved for tasks in one file under one lock, for all of a user's projects."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from orange import recordfile
from orange.core.problems import PortsExhausted

#: Below the ranges that kernels give to outgoing connections, above those of well-known servers.
LOW, HIGH = 21000, 30999


#: Project, by its git directory -> task -> ports.
_Taken = dict[str, dict[str, list[int]]]


class Ports:
    """Who has which ports. `file` may be shared by all of a user's projects; `owner` is this one's git directory."""

    def __init__(self, file: str, owner: str) -> None:
        self._file = file
        self._owner = owner

    def reserve(self, task: str, count: int, low: int = LOW, high: int = HIGH) -> tuple[int, ...]:
        """Reserve free ports for a task: those it has already, as far as they are free. Raises PortsExhausted."""
        os.makedirs(os.path.dirname(self._file), mode=0o700, exist_ok=True)
        with self._registry() as taken:
            for owner in [owner for owner in taken if owner != self._owner and _is_gone(owner)]:
                del taken[owner]
            mine = taken.setdefault(self._owner, {}).pop(task, [])
            others = {port for tasks in taken.values() for ports in tasks.values() for port in ports}
            order = [*mine, *(port for port in range(low, high + 1) if port not in mine)]
            found = tuple(_first_free((port for port in order if port not in others), count))
            if len(found) < count:
                raise PortsExhausted(count, low, high)
            taken[self._owner][task] = list(found)
        return found

    def release(self, task: str) -> None:
        """Give a task's ports back."""
        self._narrow(lambda mine: mine - {task})

    def keep_only(self, tasks: Callable[[], Collection[str]]) -> None:
        """Give back the ports of every other task of this project; `tasks` is asked while nobody can reserve any."""
        self._narrow(lambda mine: mine.intersection(tasks()))

    def _narrow(self, choose: Callable[[set[str]], set[str]]) -> None:
        if not os.path.exists(self._file):
            return
        with self._registry() as taken:
            mine = taken.pop(self._owner, {})
            kept = choose(set(mine))
            if kept:
                taken[self._owner] = {task: mine[task] for task in kept}

    @contextmanager
    def _registry(self) -> Iterator[_Taken]:
        """The reservations under the lock; changes are kept unless the block raises."""
        fd = os.open(f"{self._file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            before, taken = self._read(), self._read()
            yield taken
            if taken != before:
                recordfile.replace(self._file, json.dumps(taken).encode())
        finally:
            os.close(fd)

    def _read(self) -> _Taken:
        try:
            with open(self._file, "rb") as file:
                found = json.loads(file.read())
            return {
                str(owner): {str(task): [int(port) for port in ports] for task, ports in tasks.items()}
                for owner, tasks in found.items()
            }
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            return {}


def _is_gone(folder: str) -> bool:
    """Whether a folder is known not to exist; what cannot be looked at may."""
    try:
        os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


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
