"""`python -P -m orange.runner RUN`: supervise a prepared run of the project whose runtime folder the environment names.

Started by the session's launcher and by nothing else. What it says on standard error goes to the run's folder.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from orange.core import runfiles
from orange.runner.supervise import Place, supervise

if TYPE_CHECKING:
    from orange.runner.supervise import Parts


class _SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Wall-clock seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


def _parts(runtime: str) -> Parts:
    from orange.wiring.supervision import runner_parts  # heavy, and needed only when the agent has ended

    return runner_parts(runtime)


def main() -> int:
    """Supervise the run named on the command line."""
    runtime = os.environ.get(runfiles.RUNTIME_MARK, "")
    if len(sys.argv) != 2 or not runfiles.is_safe(sys.argv[1]) or not runtime.startswith("/"):
        print(f"usage: {runfiles.RUNTIME_MARK}=/FOLDER python -m orange.runner RUN", file=sys.stderr)  # noqa: T201 - for people
        return 2
    supervise(sys.argv[1], Place(runtime, os.environ, _SystemClock()), _parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
