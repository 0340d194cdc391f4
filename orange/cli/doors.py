"""The doors of the command line: everything it needs from the rest of orange, in one place.

`Doors` is the seam: the program passes `RealDoors`, tests pass a stand-in. Nothing behind a door is imported before
it is opened, so that a command pays only for what it uses. Next in the flow: `wiring` and `daemon.control`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from orange.project import Project


class Doors(Protocol):
    """What the command line needs from the rest of orange."""

    def open_project(self, path: str) -> Project:
        """Open the project a path belongs to. Raises NotAProject, NewerFormat."""

    def init_project(self, path: str, remote: str | None) -> Mapping[str, Any]:
        """Make the repository a project; returns `project`, `created` and `message`."""

    def registered(self) -> Sequence[str]:
        """List the folders of the registered projects."""

    def doctor(self, path: str) -> Sequence[Mapping[str, Any]]:
        """Check the machine and the project; a `check`, `ok`, `message`, `hint` each."""

    def agents(self, path: str) -> Sequence[Mapping[str, Any]]:
        """List the agents of this machine; a `name`, `usable`, `version`, `reason` each."""

    def trust(self, path: str) -> Mapping[str, Any]:
        """Trust what arrived with a clone; returns what that was."""

    def daemon_status(self) -> Mapping[str, Any]:
        """Return `running`, `pid`, `url` and more; of a daemon that is down, how it `stopped`. Never raises for one."""

    def daemon_start(self, root: str | None) -> Mapping[str, Any]:
        """Start the daemon in the background and return its status. Raises DaemonUnavailable."""

    def daemon_stop(self, reason: str | None) -> bool:
        """Stop the daemon; False when none was running. Raises DaemonUnavailable."""

    def dashboard(self, root: str | None) -> str:
        """Start the daemon and return an address that lets one page in. Raises DaemonUnavailable."""

    def browse(self, url: str) -> bool:
        """Open an address in the browser; False where there is none."""

    def daemon_run(self, options: Mapping[str, Any]) -> None:
        """Be the daemon until told to stop. Raises DaemonUnavailable, InvalidInput."""

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """List what each run of the daemon did, the latest first."""

    def session(self, session: str) -> Mapping[str, Any]:
        """Return what one run of the daemon did. Raises InvalidInput."""

    def daemon_log(self) -> str:
        """Return the path of the daemon's log."""

    def output_of(self, argv: Sequence[str], folder: str) -> str:
        """Run a program in a folder and return its output. Raises OrangeError."""

    def keeper(self, project: Project) -> Keeper | None:
        """Make what keeps the answer about to be given; None where none is kept."""


class Keeper(Protocol):
    """Keeps an answer."""

    def found(self) -> Sequence[Mapping[str, Any]] | None:
        """Return the answer that was kept, if it holds."""

    def keep(self, views: Sequence[Mapping[str, Any]], text: str) -> bool:
        """Keep the answer if it is certain to hold until something changes."""


class RealDoors:
    """The doors of the real program."""

    def open_project(self, path: str) -> Project:
        """Open the project a path belongs to."""
        from orange import wiring

        return wiring.open_project(path)

    def init_project(self, path: str, remote: str | None) -> Mapping[str, Any]:
        """Make the repository a project."""
        from orange import wiring

        return wiring.init_project(path, remote)

    def registered(self) -> Sequence[str]:
        """List the folders of the registered projects."""
        from orange.wiring import current_home, user

        return user.registered(current_home())

    def doctor(self, path: str) -> Sequence[Mapping[str, Any]]:
        """Check the machine and the project."""
        from orange import wiring

        return wiring.doctor(path)

    def agents(self, path: str) -> Sequence[Mapping[str, Any]]:
        """List the agents of this machine."""
        from orange import wiring

        return wiring.agents(path)

    def trust(self, path: str) -> Mapping[str, Any]:
        """Trust what arrived with a clone."""
        from orange import wiring

        return wiring.trust(path)

    def daemon_status(self) -> Mapping[str, Any]:
        """Return the daemon's status."""
        from orange.wiring import current_home, user

        return user.daemon_status(current_home())

    def daemon_start(self, root: str | None) -> Mapping[str, Any]:
        """Start the daemon in the background."""
        from orange import wiring
        from orange.daemon import control

        return control.start(wiring.current_home(), root)

    def daemon_stop(self, reason: str | None) -> bool:
        """Stop the daemon."""
        from orange import wiring
        from orange.daemon import control

        return control.stop(wiring.current_home(), reason)

    def dashboard(self, root: str | None) -> str:
        """Start the daemon and return an address that lets one page in."""
        from orange import wiring
        from orange.daemon import control

        return control.dashboard(wiring.current_home(), root)

    def browse(self, url: str) -> bool:
        """Open an address in the browser."""
        import webbrowser

        return webbrowser.open(url)

    def daemon_run(self, options: Mapping[str, Any]) -> None:
        """Be the daemon until told to stop."""
        from orange import wiring
        from orange.cli.answering import AnsweringDaemon
        from orange.core.problems import InvalidInput
        from orange.daemon.session import Options

        for name in options:
            if name not in Options.__slots__:
                raise InvalidInput(f"--{name.replace('_', '-')}", "not available yet")
        AnsweringDaemon(wiring.current_home(), Options(**options)).serve()

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """List what each run of the daemon did."""
        from orange import wiring
        from orange.wiring import sessions

        return sessions.every(wiring.current_home())

    def session(self, session: str) -> Mapping[str, Any]:
        """Return what one run of the daemon did."""
        from orange import wiring
        from orange.wiring import sessions

        return sessions.one(wiring.current_home(), session)

    def daemon_log(self) -> str:
        """Return the path of the daemon's log."""
        from orange import wiring

        return wiring.current_home().log

    def output_of(self, argv: Sequence[str], folder: str) -> str:
        """Run a program in a folder and return its output."""
        from orange.wiring.programs import output_of

        return output_of(argv, folder)

    def keeper(self, project: Project) -> Keeper | None:
        """Make what keeps the answer about to be given."""
        import os

        from orange import wiring
        from orange.wiring import answers

        return answers.FileKeeper(project, os.environ, wiring.current_home())
