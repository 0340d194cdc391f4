"""What lies in a run's folder, by name: the contract between whoever starts a run and its supervisor.

Imports next to nothing: a supervisor starts with every run, and reads this first.
"""

from __future__ import annotations

import json

#: What the run is, and the agent's command: `{"format": 1, "spec": {...}, "command": {...}}`; written before the start.
SPEC = "spec.json"
#: The version of `SPEC`.
FORMAT = 1
#: The prompt, as the agent is given it.
PROMPT = "prompt.md"
#: What is new since the conversation that is continued; only where one is.
FOLLOWUP = "followup.md"
#: What the agent's stream told of its conversation: its id, tokens, cost, a limit, the last error.
AGENT = "agent.json"
#: The agent's stream of events, as it came.
STREAM = "logs/agent.jsonl"
#: What the agent said, as its stream tells it apart from what it did.
SAID = "said.md"
#: Exists from the instant before the agent is started; made exclusively, so that it is started once.
LAUNCHED = "launched"
#: The supervisor's and the agent's process identities.
SUPERVISOR = "supervisor.json"
#: Exists once the run was told to end; says how many seconds that may take, and why. No supervisor starts after it.
STOP = "stop.json"
#: Exists while the run waits for somebody (a question, a rate limit): its clocks stand still.
PARKED = "parked"
#: How the run ended; written last, and for good.
RESULT = "result.json"
#: What came of the pipeline's steps up to now, and the step under way.
STEPS = "steps.json"
#: Which step of the run a program works on, and whether it is the one that does the work.
STEP_MARK, MAIN_MARK = "ORANGE_STEP", "ORANGE_STEP_MAIN"
#: Stands in a step's command where the conversation's id goes, which is known when it begins.
SESSION = "{session}"
#: The raw output of the agent's terminal.
OUTPUT = "output.log"
#: The last screen of the session, as text.
SCREEN = "screen.txt"
#: What the supervisor itself said on standard error: empty unless it could not start or has a bug.
COMPLAINTS = "supervisor.log"
#: One line for every stage and step that started, finished or failed.
STAGES = "stages.jsonl"
#: What the run was given, for whoever looks at it later.
CONTEXT = "task_context.json"
#: What failed, the evidence, and what to do about it.
ERROR = "error.md"
#: The branch against its base.
PATCH = "patches/changes.patch"
#: Outcome, stages and durations.
SUMMARY = "reports/run_summary.json"
#: What the project's checks came to on what the agent made; only where they were run.
CHECKS = "checks.json"
#: What they came to on the merge of that work into its base.
MERGE_CHECKS = "merge_checks.json"
#: What an agent said of another's work; only of a run that reviews.
REVIEW = "review.json"
#: A log for each stage and step: `logs/prepare.log`, `logs/steps/before_run.log`.
LOGS = "logs"
#: The folder on the agent's PATH that holds `orange`.
BIN = "bin"
#: What the agent left behind for git to run; only where it did.
PLANTED = "planted.json"
#: Below the runtime folder: the same of all runs, for as long as nobody has looked at it.
PLANTS = "planted"
#: The run's own copy of its skills, a folder each.
SKILLS = "skills"
#: The folder through which an agent in a sandbox reaches orange.
MAILBOX = "mail"

#: In it, for a container: the pipe that the supervisor holds open.
ALIVE = "alive"
#: The isolations whose agents reach orange by mailbox only, the second without orange's Python.
SANDBOX, CONTAINER = "sandbox", "container"
ENCLOSED = (SANDBOX, CONTAINER)

#: Environment variables that mark a run's processes. Two clones on a machine may share a run's name: it takes both.
RUN_MARK = "ORANGE_RUN"
RUNTIME_MARK = "ORANGE_RUNTIME"
#: In a sandbox: where the mailbox is.
MAILBOX_MARK = "ORANGE_MAILBOX"

_SAFE = "abcdefghijklmnopqrstuvwxyz0123456789-"


def is_safe(name: str) -> bool:
    """Whether a run's or session's name may reach tmux and the file system: `[a-z0-9-]`, not beginning with `-`."""
    return 0 < len(name) <= 128 and not name.strip(_SAFE) and name[0] != "-"


def launcher(run: str) -> str:
    """Return the shell line that a session runs: fixed but for the run's name, which `is_safe`."""
    log = f'"$ORANGE_RUNTIME/runs/{run}/{COMPLAINTS}"'
    return f'exec "$ORANGE_PYTHON" -P -m orange.runner {run} 2>>{log}'


def stop_order(grace: float, reason: str | None) -> bytes:
    """Return the content of `STOP`: the seconds a run's end may take, and why it ends."""
    return json.dumps({"grace": grace, "reason": reason}).encode()


def marks(run: str, runtime: str) -> tuple[bytes, bytes]:
    """Return the environment entries that every process of a run was started with."""
    return f"{RUN_MARK}={run}".encode(), f"{RUNTIME_MARK}={runtime}".encode("utf-8", "surrogateescape")
