"""`python -P -m orange.adapters.isolation.aboard KIND ENGINE NAME FOLDER VARIABLE=VALUE... -- COMMAND...`.

Becomes the engine's program that runs a command in a run's container, with the variables it was itself given: told by
name, so that no value is in an argument. The variables on its command line are the engine's alone.
"""

from __future__ import annotations

import os
import sys

from orange.core import container


def main() -> int:
    """Become the engine's program."""
    kind, path, name, folder, *rest = sys.argv[1:]
    told, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    engine = container.Engine(kind, path, dict(word.split("=", 1) for word in told))
    terminal = os.isatty(0) and os.isatty(1)
    argv = (*container.enter(engine, name, folder, os.environ, terminal=terminal), *command)
    os.execvp(argv[0], argv)  # noqa: S606 - argv, never a shell string


if __name__ == "__main__":
    sys.exit(main())
