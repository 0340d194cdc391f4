"""`python -P -m orange.adapters.runtimes.recall AGENT WORKSPACE SINCE`: tells what a program wrote down itself.

A program with its own screen has no stream to read. What it keeps of its conversations, in files of its own, says
which one was had in the workspace since then, and what it used; that becomes `agent.json`. Where they say nothing, or
in a form that is not known here, nothing is written: it is unknown.

Started by the supervisor when the program has ended. Next in the flow: the supervisor reads `agent.json`.
"""

from __future__ import annotations

import json
import os
import sys
import time

from orange.adapters.runtimes import accounts
from orange.adapters.runtimes.events import Account, Tokens, summed
from orange.adapters.runtimes.registry import recall
from orange.core import redact, runfiles
from orange.core.times import seconds


def main() -> int:
    """Tell of the run that the environment names."""
    agent, workspace, since = sys.argv[1:4]
    folder = f"{os.environ[runfiles.RUNTIME_MARK]}/runs/{os.environ[runfiles.RUN_MARK]}"
    with open(f"{folder}/{runfiles.SPEC}", encoding="utf-8", errors="surrogateescape") as file:
        resumed = json.load(file)["spec"].get("resume") or {}
    account = Account(Tokens(**resumed.get("spent") or {}))
    accounts.take(account, recall(agent, os.environ, workspace, seconds(since)))
    if account.session:
        told = summed(account.record(time.time()), accounts.read(folder))
        accounts.save(folder, agent, {**told, "ended": None}, redact.of_environment(os.environ))
    return 0


if __name__ == "__main__":
    sys.exit(main())
