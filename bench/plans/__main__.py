"""Prints how near the plan of every document comes to its gold, the halves apart, the worst named.

`python -m bench.plans [--faults] [--half HALF] [FOLDER]`: the documents that the bench carries, or, with a folder, the
public ones that lie there under the names in `gold/`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.plans.gold import Case, originals, retold
from bench.plans.results import HALVES, Result, results, table


def main(words: Sequence[str]) -> int:
    """Print the table, and with `--faults` every fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the public documents lie")
    parser.add_argument("--half", choices=HALVES, help="only this half")
    parser.add_argument("--faults", action="store_true", help="name every fault")
    asked = parser.parse_args(words)
    cases: list[Case] = list(originals(asked.folder) if asked.folder else retold())
    found = results(case for case in cases if asked.half in {None, case.half})
    print(table(found))
    for result in found if asked.faults else ():
        print("\n".join(_faults(result)))
    return 0


def _faults(result: Result) -> list[str]:
    return [f"\n{result.case.name}", *(f"  {fault}" for fault in result.score.faults)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
