"""The program `orange`: the fast lane first, the whole command line where that cannot answer.

Nothing heavy is imported here: what is asked most often costs little more than starting Python. Next in the flow:
`fastlane`, then `cli.errors.carry_out`.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Carry out this process's command line and return its exit code."""
    argv = sys.argv[1:]
    from orange import fastlane

    status = fastlane.answer(argv)
    if status is not None:
        os._exit(status)  # it is written out; there is nothing to take down
    from orange.cli.errors import carry_out

    return carry_out(argv)


if __name__ == "__main__":
    sys.exit(main())
