"""The real agent programs, driven by a scripted model on loopback, inside tmux, through the real daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orange import proctable
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.programs import AGENTS, settings
from tests.model.conversation import Answer, Conversation, Refuse, by_prompt
from tests.model.server import Model


def _task(place: Place, agent: str, *commands: str, name: str = "") -> str:
    """Create a task whose agent is to carry out these commands."""
    lines = "\n".join(f"$ {command}" for command in commands)
    body = f"## Context\n\nCarry out:\n\n{lines}\n"
    argv = ("task", "create", name or f"with-{agent}", "--agent", agent, "--body", "-", "--json")
    return str(place.orange(*argv, stdin=body).json["task"]["id"])


def _commit(file: str, text: str = "made") -> str:
    return f"echo {text} >> {file} && git add {file} && git commit -q -m 'Make {file}'"


def _record(place: Place, run: str) -> Any:
    """Read the result of a run."""
    return json.loads((_folder(place, run) / "result.json").read_text())


def _folder(place: Place, run: str) -> Path:
    return place.repo / ".git" / "orange" / "runs" / run


def _status(place: Place, task: str, wanted: str, epoch: int = 1) -> None:
    """Wait until a task has a status, after so many runs."""

    def reached() -> bool:
        seen = place.task(task)
        return bool(seen["status"] == wanted and seen["claim"]["epoch"] >= epoch)

    place.until(reached, f"{task} to be {wanted}", 90)


@dataclass
class Refusing:
    """A model whose provider refuses once in every task: when the agent comes back from its first command."""

    #: Wire -> for how many seconds; Codex tells the minute in which the limit ends.
    seconds: dict[str, int]
    refused: set[str] = field(default_factory=set)

    def __call__(self, conversation: Conversation) -> Answer:
        """Refuse, or carry on."""
        task = conversation.prompts[0].split()[2]
        if conversation.results and task not in self.refused:
            self.refused.add(task)
            return Refuse(429, self.seconds.get(conversation.wire, 12))
        return by_prompt(conversation)


def test_a_rate_limit_is_waited_out(agents: Place, model: Model) -> None:
    """A refused run is parked: no attempt is lost, its agent gets nothing else, the same conversation goes on."""
    model.play = Refusing({"responses": 1})
    configure(agents, f"review: {{by: none}}\n{settings(model.url)}")
    tasks = {agent: _task(agents, agent, _commit(f"{agent}.txt"), "true") for agent in AGENTS}
    agents.start()
    for task in tasks.values():
        _until_refused(agents, f"{task}-1")
    second = _task(agents, "codex", _commit("second.txt"), name="second")
    codex = agents.why(tasks["codex"])
    if codex:  # the minute may have just ended
        assert [reason["code"] for reason in codex] == ["rate_limit"]
        assert agents.task(tasks["codex"])["status"] == "working"
        assert "rate_limit" in [reason["code"] for reason in agents.why(second)]
    agents.settled(dict.fromkeys((f"with-{agent}" for agent in AGENTS), "done"), 150)
    for agent, task in tasks.items():
        first, then = (_record(agents, f"{task}-{epoch}") for epoch in (1, 2))
        assert then["conversation"]["session"] == first["conversation"]["session"], agent
        assert agents.task(task)["attempts"] == 0
        assert len(model.of(f"Task {task}")[-1].prompts) == 2
    assert {logins(agents)[agent] for agent in AGENTS} == {"logged in"}


def logins(place: Place) -> dict[str, str | None]:
    """Return what `orange agents` says of each agent's login; None for one that needs none."""
    found = place.orange("agents", "--json").json["agents"]
    return {agent["name"]: agent["login"] and agent["login"]["state"] for agent in found}


def test_an_agent_that_nobody_is_logged_in_to_says_so(agents: Place, model: Model) -> None:
    """Without a login, or with one that is not known: stuck with the way to log in, and no attempt is used up."""
    model.play = lambda _conversation: Refuse(401, message="Incorrect API key provided")
    for name in (".claude.json", ".gemini"):
        (agents.home / name).rename(agents.home / f"{name}.gone")
    del agents.extra["GEMINI_API_KEY"]
    given = json.loads(settings(model.url).removeprefix("agents: "))
    del given["claude"]["env"]["ANTHROPIC_AUTH_TOKEN"]
    configure(
        agents,
        f"limits: {{attempts: 9, consecutive_failures: 99}}\nreview: {{by: none}}\nagents: {json.dumps(given)}\n",
    )
    cures = {
        "claude": "`/login`",
        "codex": "`codex login`",
        "gemini": "run `gemini`",
        "opencode": "`opencode auth login`",
    }
    tasks = {agent: _task(agents, agent, "true") for agent in AGENTS}
    agents.start()
    agents.settled(dict.fromkeys((f"with-{agent}" for agent in AGENTS), "stuck"), 150)
    for agent, task in tasks.items():
        found = agents.task(task)
        assert (found["stuck"]["reason"], found["attempts"]) == ("agent_missing", 0), agent
        assert "is not logged in" in found["stuck"]["message"]
        assert cures[agent] in found["stuck"]["message"]
        assert found["claim"]["epoch"] == 1
        assert (logins(agents)[agent], cures[agent] in agents.orange("agents").out) == ("logged out", True)
    assert logins(agents)["script"] is None


def test_a_killed_agent_goes_on_where_it_was(agents: Place, model: Model) -> None:
    """Killed in the middle of a command, each agent is tried again and continues the same conversation."""
    configure(agents, f"limits: {{consecutive_failures: 9}}\nreview: {{by: none}}\n{settings(model.url)}")
    tasks = {agent: _task(agents, agent, _commit(f"{agent}.txt"), "tail -f README.md") for agent in AGENTS}
    agents.start()
    left = set(tasks.values())

    def all_killed() -> bool:
        """Kill whichever can be: their commands have time limits of their own."""
        left.difference_update([task for task in left if _kill_in_second_command(agents, task)])
        return not left

    agents.until(all_killed, "all to hang in their second command", 180)
    agents.settled(dict.fromkeys((f"with-{agent}" for agent in AGENTS), "done"), 120)
    for agent, task in tasks.items():
        first, then = (_record(agents, f"{task}-{epoch}") for epoch in (1, 2))
        assert (first["outcome"], first["exit_code"]) == ("failed", -9)
        assert then["conversation"]["session"] == first["conversation"]["session"], agent
        last = model.of(f"Task {task}")[-1]
        assert len(last.prompts) == 2
        assert "SIGKILL" in last.prompts[1]


@pytest.mark.parametrize("agent", ["claude"])
def test_a_person_takes_over(agents: Place, model: Model, agent: str) -> None:
    """The run ends, the task is the person's, and the command continues the conversation in the workspace."""
    configure(agents, f"review: {{by: none}}\n{settings(model.url)}")
    task = _task(agents, agent, _commit("a.txt"), "tail -f README.md")
    agents.start()
    _until_worked(agents, model, task)
    given = agents.orange("takeover", task, "--json").json
    held = agents.task(task)
    assert (held["status"], held["run"]) == ("working", f"person-{task}-2")
    assert _record(agents, f"{task}-1")["outcome"] == "stopped"
    session = _record(agents, f"{task}-1")["conversation"]["session"]
    assert given["folder"] == held["workspace"]
    assert given["command"][-2:] == ["--resume", session]
    agents.orange("task", "release", task)
    agents.settled({f"with-{agent}": "done"}, 90)
    assert _record(agents, f"{task}-3")["conversation"]["session"] == session


def test_no_dialog_waits_in_the_terminal(agents: Place, model: Model) -> None:
    """With its own screen each program, started for the first time, does its task without a question.

    Which conversation that was, and what it used, is read from the files that the program keeps itself.
    """
    configure(agents, f"review: {{by: none}}\n{settings(model.url, 'interactive')}")
    tasks = {agent: _task(agents, agent, _commit(f"{agent}.txt")) for agent in AGENTS}
    agents.start()
    for task in tasks.values():
        _until_worked(agents, model, task)
    _quit(
        {f"with-{agent}-{task}-1": "/exit" if agent == "claude" else "/quit" for agent, task in tasks.items()}, agents
    )
    agents.settled(dict.fromkeys((f"with-{agent}" for agent in AGENTS), "done"), 90)
    for agent, task in tasks.items():
        assert agents.git("show", f"refs/orange/base/main:{agent}.txt") == "made"
        told = _record(agents, f"{task}-1")["conversation"]
        assert (told["agent"], bool(told["session"])) == (agent, True)
        assert told["tokens"]["input"] in {1200, 2400}, told  # it may have been quit before its last word


def _quit(words: dict[str, str], place: Place) -> None:
    """Type into sessions until they end: a busy program may not listen, and Enter in a hurry is part of a paste."""
    (socket,) = (place.home / "run").rglob("*.tmux")

    def type_(session: str, *keys: str) -> None:
        argv = ["tmux", "-S", str(socket), "send-keys", "-t", f"={session}:", *keys]
        subprocess.run(argv, capture_output=True, check=False)

    def gone() -> bool:
        left = place.sessions() & set(words)
        for session in left:
            type_(session, "-l", words[session])
        time.sleep(1)
        for session in left:
            type_(session, "Enter")
        time.sleep(1)
        return not place.sessions() & set(words)

    place.until(gone, "the sessions to end", 120)


def _until_refused(place: Place, run: str) -> None:
    place.until((_folder(place, run) / "result.json").exists, f"{run} to end", 90)
    assert _record(place, run)["outcome"] == "rate_limited"


def _until_worked(place: Place, model: Model, task: str) -> None:
    """Wait until the model was told how a task's first command ended."""
    place.until(lambda: any(said.results for said in model.of(f"Task {task}")), f"{task} to have worked", 90)


def _kill_in_second_command(place: Place, task: str) -> bool:
    """Kill the agent's own program if its hanging command runs: the child of the one that shows what it tells."""
    noted = _folder(place, f"{task}-1") / "supervisor.json"
    shown = json.loads(noted.read_text())["agent"] if noted.exists() else None
    table = proctable.table()
    if not shown or "tail" not in map(_program, proctable.descendants(table, shown["pid"])):
        return False
    (child,) = (row.pid for row in table if row.parent == shown["pid"])
    os.kill(child, signal.SIGKILL)
    return True


def _program(row: proctable.Process) -> str:
    """Name what a process runs; empty where it has just ended."""
    try:
        return Path(f"/proc/{row.pid}/comm").read_text().strip()
    except OSError:
        return ""


def test_a_step_may_have_an_agent_of_its_own(agents: Place, model: Model) -> None:
    """The step is told everything, for this agent knows nothing yet; the run knows whose conversation came last."""
    configure(agents, f"review: {{by: none}}\n{settings(model.url)}")
    own = agents.repo / ".orange" / "pipelines"
    own.mkdir()
    polish = "- name: polish\n  prompt: Make it shine.\n  agent: codex\n  role: editor\n"
    (own / "task.yaml").write_text(f"steps:\n- implement\n{polish}- commit\n")
    task = _task(agents, "claude", _commit("a.txt"))
    agents.start()
    _status(agents, task, "done")
    talks = {talk.wire: talk.prompts for talk in model.of(f"Task {task}")}
    (editors,) = [prompts for prompts in talks.values() if "Your role in it: editor." in prompts[0]]
    assert sorted(len(prompts) for prompts in talks.values()) == [1, 1]
    assert "## What is asked" in editors[0]
    assert _record(agents, f"{task}-1")["conversation"]["agent"] == "codex"
