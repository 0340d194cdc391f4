"""The real agent programs on whole jobs: from plan to merge, delegation, and whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orange import proctable
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.programs import AGENTS, settings
from tests.acceptance.test_skills import DEPLOYING, WORKING, track
from tests.model import wires
from tests.model.conversation import Answer, Conversation, Say, Shell, by_prompt
from tests.model.server import Model

#: How often something is killed; `make torture` does it ten times as often.
KILLS = 4 * int(os.environ.get("ORANGE_TORTURE", "1"))
#: Fixed, so that a failure can be looked at again.
SEED = 20261121
STEPS = ["plan", "plan_impl", "implement", "verify"]
PARTS = ("part-1", "part-2", "part-3", "part-4")
#: The wires of the programs, in their order; over some, a reviewer is understood only when it is asked again.
WIRES = dict(zip(AGENTS, ("messages", "responses", "gemini", "chat"), strict=True))
UNCLEAR = ("messages", "responses")
MORE = "There is more to it."
PASS = {"verdict": "PASS", "findings": []}
_STEP = re.compile(r"^## This step: (\w+)$", re.MULTILINE)
_REVIEW = re.compile(r"# Review of task (\w+)")
_ANSWER_FILE = re.compile(r"(/\S+/orange-review\.json)")
_MADE = re.compile(r"git add (\w+\.txt)")
_PLAN = r"printf 'APPROACH: small steps\nTOUCHING: one file\nRISKS: none\n' | orange task write Plan -"


def _make(file: str, line: str) -> str:
    return f"echo {line} >> {file} && git add {file} && git commit -q -m 'Write {line} into {file}'"


@dataclass
class Team:
    """A model that does each step of a feature, and carries out other tasks; as a reviewer it wants more of those.

    Once that is made it is content.
    """

    #: The tasks that are features.
    features: set[str]
    #: The other tasks whose first review has found something.
    found: set[str] = field(default_factory=set)

    def __call__(self, conversation: Conversation) -> Answer:
        """Review, or carry on."""
        asked = _REVIEW.search(conversation.prompts[0])
        if asked:
            return self._review(asked[1], conversation)
        task = conversation.prompts[0].split()[2].rstrip(":")
        if task in self.features:
            return _step_of(task, conversation)
        if MORE in conversation.prompts[-1]:
            (file,) = set(_MADE.findall(conversation.prompts[0]))
            return Say("It is more now.") if conversation.results else Shell(_make(file, "more"))
        return by_prompt(conversation)

    def _review(self, task: str, conversation: Conversation) -> Answer:
        prompts = conversation.prompts
        if task in self.features or task in self.found:
            unclear = task in self.features and conversation.wire in UNCLEAR and len(prompts) == 1
            return Say("It looks fine to me." if unclear else f"It is right.\n\n{json.dumps(PASS)}")
        if conversation.results:
            self.found.add(task)
            return Say("I have said what I found.")
        (path,), (file,) = set(_ANSWER_FILE.findall(prompts[-1])), set(_MADE.findall(prompts[0]))
        finding = {"severity": "major", "file": file, "line": 1, "message": MORE}
        return Shell(f"printf %s '{json.dumps({'verdict': 'FAIL', 'findings': [finding]})}' > {path}")


def _step_of(task: str, conversation: Conversation) -> Answer:
    """Do what a step of a feature asks for, with one command."""
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


def _conversation(place: Place, run: str) -> Any:
    return json.loads((_run_folder(place, run) / "result.json").read_text())["conversation"]


def _steps(place: Place, run: str) -> list[tuple[str, str]]:
    """Return what a run did itself, and what came of it."""
    told = json.loads((_run_folder(place, run) / "steps.json").read_text())["results"]
    return [(step["step"], step["outcome"]) for step in told if step["run"] == run]


def _cost(answers: int) -> Mapping[str, int]:
    """Say what so many answers of the model cost."""
    return {"input": answers * wires.INPUT, "output": answers * wires.OUTPUT, "cached": answers * wires.CACHED}


def test_each_takes_a_feature_from_plan_to_merge_and_delegates(agents: Place, model: Model) -> None:
    """Two tasks for each of four programs, one daemon, nobody's hand: planned, built, verified, reviewed, merged.

    The other task hands a part over to a child; what a reviewer finds in the rest goes back to the same conversation.
    All of them are told of the project's skills and of the worker's.
    """
    model.play = team = Team(set())
    track(agents)
    configure(agents, f"mode: autopilot\nreview: {{by: agent}}\n{settings(model.url)}")
    agents.orange("config", "set", "--user", "limits.max_agents", "6")
    asked = "## Context\n\nA small thing.\n\n## Acceptance criteria\n\n- [ ] it says made\n"
    features = {agent: _create(agents, f"feature-{agent}", agent, asked, "--type", "feature") for agent in AGENTS}
    parents = {agent: _create(agents, f"with-{agent}", agent, _delegating(agent)) for agent in AGENTS}
    team.features.update(features.values())
    agents.start()
    names = [f"{kind}-{agent}" for agent in AGENTS for kind in ("feature", "with", "part-of")]
    agents.settled(dict.fromkeys(names, "done"), 300)
    for agent in AGENTS:
        _check_feature(agents, agent, features[agent])
        _check_talk(model.of(f"Task {features[agent]}")[-1].prompts)
        _check_parent(agents, agent, parents[agent])
        found = model.of(f"Task {parents[agent]}")[-1].prompts
        assert ["(continued)" in prompt and f"{agent}.txt:1: major: {MORE}" in prompt for prompt in found] == [
            False,
            True,
        ]
        told = [one.whole for one in model.heard if one.wire == WIRES[agent]]
        assert [any(words in whole for whole in told) for words in (DEPLOYING, WORKING)] == [True, True], agent


def _delegating(agent: str) -> str:
    """Ask for a commit, for a child that the scripted agent does and reviews, and for the hand-over to it."""
    work, review = f"write part-of-{agent}.txt x\\ncommit Part", f"write orange-review.json {json.dumps(PASS)}"
    script = f"```script\\n{work}\\n```\\n\\n```script review\\n{review}\\n```\\n"
    commands = (
        _make(f"{agent}.txt", "own"),
        f"printf '{script}' | orange task create part-of-{agent} --agent script --body -",
        "orange task update --status delegated",
    )
    return "## Context\n\nCarry out:\n\n" + "".join(f"$ {command}\n" for command in commands)


def _check_feature(place: Place, agent: str, task: str) -> None:
    """One conversation goes through all steps, another reviews; nobody but orange and agents had a hand in it."""
    work, review = _conversation(place, f"{task}-1"), _conversation(place, f"review-{task}-2")
    assert _steps(place, f"{task}-1") == [(step, "done") for step in STEPS], agent
    asked = ["failed", "done"] if WIRES[agent] in UNCLEAR else ["done"]
    assert [outcome for _, outcome in _steps(place, f"review-{task}-2")] == asked
    assert [talk["agent"] for talk in (work, review)] == [agent, agent]
    assert len({work["session"], review["session"], None}) == 3
    assert [talk["tokens"] for talk in (work, review)] == [_cost(8), _cost(len(asked))], agent
    shown = place.task(task)
    assert [told["verdict"] for told in shown["reviews"]] == ["PASS"]
    assert (shown["approved"]["by"], shown["attempts"]) == (f"agent:review-{task}-2", 0)
    assert "APPROACH: small steps" in shown["body"]
    assert place.git("show", f"refs/orange/base/main:{task}.txt") == "made"
    events = place.orange("task", "events", task, "--json").json["events"]
    assert {event["type"] for event in events if event["by"].startswith("person")} == {"task.created"}


def _check_talk(prompts: Sequence[str]) -> None:
    """Told all once, then each step."""
    assert [_STEP.findall(prompt) for prompt in prompts] == [[step] for step in STEPS]
    for words in ("## What is asked", "## How to work here"):
        assert [words in prompt for prompt in prompts] == [True, False, False, False]


def _check_parent(place: Place, agent: str, parent: str) -> None:
    """The child is its child; its own part went back to the conversation it was made in; both are merged."""
    child, shown = place.task(f"part-of-{agent}"), place.task(parent)
    assert (child["parent"], shown["children"]) == (parent, [child["id"]])
    for file, text in ((f"{agent}.txt", "own\nmore"), (f"part-of-{agent}.txt", "x")):
        assert place.git("show", f"refs/orange/base/main:{file}") == text
    runs = (f"{parent}-1", f"review-{parent}-2", f"{parent}-3", f"review-{parent}-4")
    work, first, again, second = (_conversation(place, run) for run in runs)
    assert work["session"] == again["session"], agent
    assert len({work["session"], first["session"], second["session"], None}) == 4
    assert [talk["tokens"] for talk in (first, again, second)] == [_cost(2), _cost(2), _cost(1)], agent
    # The hand-over may have ended the program before it told of its turn: then its own files tell.
    assert work["tokens"]["output"] in {_cost(answers)["output"] for answers in (2, 3, 4)}, (agent, work)
    assert [told["verdict"] for told in shown["reviews"]] == ["PASS", "FAIL"]
    assert (shown["approved"]["by"], shown["attempts"]) == (f"agent:review-{parent}-4", 0)


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
    agents.close()  # what is written while it looks would seem to be missing
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
