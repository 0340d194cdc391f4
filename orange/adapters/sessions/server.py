"""The one door to tmux: libtmux's vocabulary over a transport of our own.

It starts tmux with the caller's environment, without a time limit and without standard input. So its server is
given another `cmd`: a clean environment, because the tmux server keeps that of whoever started it; a limit, because a
stopped server never answers; and standard input, because text to type must not be an argument.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orange import recordfile
from orange.adapters import process
from orange.adapters.private import private_folder
from orange.adapters.sessions import address
from orange.core import environment
from orange.core.problems import SessionFailed, StorageFailed

if TYPE_CHECKING:
    import libtmux

#: The folder that exists where systemd is in charge.
_SYSTEMD = "/run/systemd/system"


@dataclass(frozen=True, slots=True)
class Answer:
    """What tmux said; as libtmux has it."""

    stdout: list[str]
    stderr: list[str]
    returncode: int

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.returncode == 0


class Server:
    """The tmux server of one project, whether it runs or not."""

    def __init__(self, path: str, config: str, env: Mapping[str, str], patience: float) -> None:
        self.path, self._config, self._patience = path, config, patience
        self.env = environment.outside(env)

    @cached_property
    def _library(self) -> libtmux.Server:
        import libtmux  # most commands do without what it costs to import

        outer = self

        class Door(libtmux.Server):
            def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> Any:
                aimed = () if target is None else ("-t", str(target))
                return outer.cmd(cmd, *aimed, *map(str, args))

        return Door(socket_path=self.path, config_file=self._config)

    def pane(self, session: str) -> libtmux.Pane | None:
        """Return the pane of the session of that name, or None. Raises ProgramMissing, TimedOut, SessionFailed."""
        from libtmux import Pane

        answer = self.cmd("list-panes", "-t", address.pane_of(session), "-F", "#{pane_id}")
        return Pane(server=self._library, pane_id=answer.stdout[0]) if answer.ok and answer.stdout else None

    def argv(self, *args: str) -> list[str]:
        """Return the argv of a tmux command on this server."""
        return ["tmux", "-u", "-f", self._config, "-S", self.path, *args]

    def cmd(self, *args: str, stdin: bytes | None = None, before: Sequence[str] = ()) -> Answer:
        """Run a tmux command. Raises ProgramMissing, TimedOut."""
        result = process.run([*before, *self.argv(*args)], cwd="/", env=self.env, stdin=stdin, timeout=self._patience)
        text = result.stdout.decode("utf-8", "replace")
        return Answer(text.removesuffix("\n").split("\n") if text else [], result.stderr.splitlines(), result.status)

    def listening(self) -> bool:
        """Whether somebody answers at the socket; a refusal for another reason than absence counts as yes."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0)
            try:
                probe.connect(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            except OSError:
                return True
        return True

    def make_ready(self) -> None:
        """Make the folder and configuration a new server needs. Raises SessionFailed."""
        try:
            private_folder(os.path.dirname(self.path))
            os.makedirs(os.path.dirname(self._config), mode=0o700, exist_ok=True)
            recordfile.replace(self._config, address.CONFIG.encode(), sync=False)  # whole, for whoever else starts now
        except (OSError, StorageFailed) as error:
            raise SessionFailed(f"tmux cannot be given a place: {error}") from error

    def scope(self) -> tuple[str, ...]:
        """Return what starts the server outside of the caller's own scope, which takes all it started with it."""
        if "XDG_RUNTIME_DIR" not in self.env or not os.path.isdir(_SYSTEMD):
            return ()
        return ("systemd-run", "--user", "--scope", "--quiet", "--collect", "--")
