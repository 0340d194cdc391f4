"""The real agent programs on whole jobs: features from plan to merge, delegation, and whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from orange import proctable
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.programs import AGENTS, settings
from tests.model.conversation import Answer, Conversation, Say, Shell
from tests.model.server import Model

#: How often something is killed; `make torture` does it ten times as often.
KILLS = 4 * int(os.environ.get("ORANGE_TORTURE", "1"))
#: Fixed, so that a failure can be looked at again.
SEED = 20261121
STEPS = ("plan", "plan_impl", "implement", "verify")
PARTS = ("part-1", "part-2", "part-3", "part-4")
_STEP = re.compile(r"^## This step: (\w+)$", re.MULTILINE)
_PLAN = r"printf 'APPROACH: small steps\nTOUCHING: one file\nRISKS: none\n' | orange task write Plan -"


def _make(file: str, line: str) -> str:
    return f"echo {line} >> {file} && git add {file} && git commit -q -m 'Write {line} into {file}'"


def _feature(conversation: Conversation) -> Answer:
    """Do what a step of a feature asks for, with one command each."""
    task = conversation.prompts[0].split()[2].rstrip(":")
    step = _STEP.findall(conversation.prompts[-1])[-1]
    commands = {
        "plan": _PLAN,
        "plan_impl": "orange task show --json > /dev/null && ls",
        "implement": _make(f"{task}.txt", "made"),
        "verify": f"grep -q made {task}.txt",
    }
    return Say(f"The step {step} is done.") if conversation.results else Shell(commands[step])


def _create(place: Place, name: str, agent: str, body: str, *flags: str) -> str:
    argv = ("task", "create", name, "--agent", agent, "--body", "-", "--json", *flags)
    return str(place.orange(*argv, stdin=body).json["task"]["id"])


def _run_folder(place: Place, run: str) -> Path:
    return place.repo / ".git" / "orange" / "runs" / run


def test_each_takes_two_features_from_plan_to_merge(agents: Place, model: Model) -> None:
    """Eight tasks, four programs, one daemon, nobody's hand: planned in two steps, built, verified, merged.

    The steps of a run are one conversation: all is told once, then each step, and what all of them used is summed up.
    """
    model.play = _feature
    configure(agents, f"mode: autopilot\nreview: {{by: none}}\n{settings(model.url)}")
    body = "## Context\n\nA small thing.\n\n## Acceptance criteria\n\n- [ ] it says made\n"
    names = [f"{agent}-{serial}" for agent in AGENTS for serial in (1, 2)]
    tasks = {name: _create(agents, name, name[:-2], body, "--type", "feature") for name in names}
    agents.start()
    agents.settled(dict.fromkeys(names, "done"), 240)
    for name, task in tasks.items():
        folder = _run_folder(agents, f"{task}-1")
        told = json.loads((folder / "steps.json").read_text())["results"]
        assert [(step["step"], step["outcome"]) for step in told] == [(step, "done") for step in STEPS], name
        assert "APPROACH: small steps" in agents.orange("task", "show", task, "--json").json["task"]["body"]
        talk = json.loads((folder / "result.json").read_text())["conversation"]
        assert (talk["agent"], bool(talk["session"]), talk["turns"] >= 8) == (name[:-2], True, True)
        assert talk["tokens"]["output"] >= 8 * 30, talk
        prompts = model.of(f"Task {task}")[-1].prompts
        assert [_STEP.findall(prompt) for prompt in prompts] == [[step] for step in STEPS], name
        assert ["## What is asked" in prompt for prompt in prompts] == [True, False, False, False], name
        assert agents.git("show", f"refs/orange/base/main:{task}.txt") == "made"


def test_each_delegates_and_its_parent_closes(agents: Place, model: Model) -> None:
    """By the command line alone: children created from inside, handed over to, done, and the parent with them."""
    configure(agents, f"review: {{by: none}}\n{settings(model.url)}")
    agents.orange("config", "set", "--user", "limits.max_agents", "6")
    parents = {}
    for agent in AGENTS:
        script = f"```script\\nwrite part-of-{agent}.txt x\\ncommit Part\\n```\\n"
        commands = (
            _make(f"{agent}.txt", "own"),
            f"printf '{script}' | orange task create part-of-{agent} --agent script --body -",
            "orange task update --status delegated",
        )
        lines = "\n".join(f"$ {command}" for command in commands)
        parents[agent] = _create(agents, f"with-{agent}", agent, f"## Context\n\nCarry out:\n\n{lines}\n")
    agents.start()
    names = [f"{kind}-{agent}" for agent in AGENTS for kind in ("with", "part-of")]
    agents.settled(dict.fromkeys(names, "done"), 180)
    for agent, parent in parents.items():
        child = agents.task(f"part-of-{agent}")
        assert (child["parent"], agents.task(parent)["children"]) == (parent, [child["id"]])
        for file, text in ((f"{agent}.txt", "own"), (f"part-of-{agent}.txt", "x")):
            assert agents.git("show", f"refs/orange/base/main:{file}") == text


def _next_command(conversation: Conversation) -> Answer:
    """Carry out what no result says was done, whatever was asked since: a killed command may have a result, too."""
    task = conversation.prompts[0].split()[2].rstrip(":")
    told = "\n".join(turn.text for turn in conversation.turns if turn.who == "result")
    for part in PARTS:
        if f"did {part}" not in told:
            return Shell(f"(grep -qs {part} {task}.txt || ({_make(f'{task}.txt', part)})) && echo did {part}")
    return Say("All done.")


def test_whatever_is_killed_each_task_ends(agents: Place, model: Model) -> None:
    """Agents, supervisors, tmux and the daemon are killed at random: all goes on where it was, and is merged once."""
    model.play = _next_command
    limits = "limits: {attempts: 50, consecutive_failures: 1000, same_failure: 1000}"
    configure(agents, f"{limits}\nreview: {{by: none}}\n{settings(model.url)}")
    names = [f"with-{agent}" for agent in AGENTS]
    tasks = {name: _create(agents, name, name.removeprefix("with-"), "## Context\n\nParts.\n") for name in names}
    rng, daemon = random.Random(SEED), agents.start()
    for victim in ("agent", "supervisor", "tmux", "daemon") * (KILLS // 4):
        seen = len(model.heard)
        agents.until(
            lambda seen=seen: len(model.heard) >= seen + rng.randint(1, 4) or _over(agents, names),  # type: ignore[misc] # bound per round
            "the agents to say more", 120,
        )  # fmt: skip
        if victim == "daemon":
            daemon.kill()
            daemon.wait()
            daemon = agents.start()
        else:
            _kill(agents, victim, rng)
    agents.settled(dict.fromkeys(names, "done"), 240)
    agents.git("fsck", "--connectivity-only")
    for task in tasks.values():
        assert agents.git("show", f"refs/orange/base/main:{task}.txt").split() == list(PARTS)


def _over(place: Place, names: list[str]) -> bool:
    statuses = place.statuses()
    return all(statuses[name] == "done" for name in names)


def _kill(place: Place, victim: str, rng: random.Random) -> None:
    """Kill one process of that kind, if there is any; a tmux server ends by its own command."""
    if victim == "tmux":
        for socket in sorted((place.home / "run").rglob("*.tmux")):
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
        return
    found = [row.pid for row in proctable.table() if (row.pid, row.started) in _identities(place, victim)]
    if found:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(found), signal.SIGKILL)


def _identities(place: Place, victim: str) -> set[tuple[int, int]]:
    """Pid and start time of every supervisor that was noted, or of the agent that each one watches."""
    records = (place.repo / ".git" / "orange" / "runs").glob("*/supervisor.json")
    noted = [json.loads(path.read_text()) for path in records]
    processes = [entry["agent"] for entry in noted if entry["agent"]] if victim == "agent" else noted
    return {(process["pid"], process["started"]) for process in processes}
