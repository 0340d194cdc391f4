"""Reads jobs of the queue format into one canonical payload: `task` jobs, and the two legacy types.

Texts are trimmed and blank ones are null. What orange does not know stays beside what it knows. A contradiction is
refused, and so is a secret, wherever it stands: a payload says where one is, never what it is. Pure.

Next in the flow: `project.job_import` makes tasks of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orange.core import references, repositories
from orange.core.problems import OrangeError
from orange.core.redact import SHAPES

#: The type of a canonical job, and those of before.
CANONICAL, LEGACY = "task", ("codex_exec", "codex_skill")
#: What `universal` and nothing stand for is the default agent.
RUNTIMES = ("codex", "gemini", "claude", "universal")
PUBLISH = ("none", "branch", "pr")
#: Blockers a job may name.
MOST_BLOCKERS = 10
#: The skill of a legacy skill job that names none.
LEGACY_SKILL = "speckit"

#: What belongs to the whole task, so that no step may set it.
_WHOLE_TASK = ("runtime", "targetRuntime", "target_runtime", "model", "effort", "repository", "repo", "git", "publish",
    "container")  # fmt: skip

Payload = dict[str, Any]


class JobRefused(OrangeError):
    """A job that cannot be taken; names the field, and its value unless that may be a secret."""

    code = "invalid_job"
    http_status = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Job:
    """One job, read."""

    #: The canonical payload, as JSON; of a legacy job, its own keys beside it.
    payload: Payload
    #: The agent it names, or None for the default one.
    agent: str | None
    #: What whoever sent it should know.
    warnings: tuple[str, ...] = ()


def read(kind: object, payload: object, default_runtime: str) -> Job:
    """Bring a job's payload into the canonical form. `default_runtime` is what `universal` means. Raises JobRefused."""
    if not isinstance(kind, str) or kind not in {CANONICAL, *LEGACY}:
        raise JobRefused("type", f"expected {', '.join((CANONICAL, *LEGACY))}, found {shown(kind)}")
    _check_no_secrets(payload, "payload")
    if kind == CANONICAL:
        return _canonical(_Node(payload, ""), default_runtime, {})
    told = _Node(payload, "")
    lifted = _from_exec(told) if kind == "codex_exec" else _from_skill(told)
    found = _canonical(_Node(lifted, ""), default_runtime, told.values)
    return Job(found.payload, found.agent, (f"jobs of type {kind} are of before: send type {CANONICAL}",))


class _Node:
    """An object of a payload, and where it stands; what is taken from it is known, the rest stays."""

    def __init__(self, value: object, at: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise JobRefused(at or "payload", f"expected an object, found {shown(value)}")
        self.values: Payload = value or {}
        self.left = dict(self.values)
        self._at = at

    def path(self, name: str) -> str:
        """Name a field in full."""
        return f"{self._at}.{name}" if self._at else name

    def take(self, name: str, *aliases: str) -> Any:
        """Take a field, by any of its names. Raises JobRefused where they contradict each other."""
        given = {word: self.left.pop(word, None) for word in (name, *aliases)}
        found = {word: value for word, value in given.items() if _filled(value)}
        if len({repr(value) for value in found.values()}) > 1:
            raise JobRefused(self.path(name), f"{' and '.join(found)} say different things: keep one")
        return next(iter(found.values()), None)

    def text(self, name: str, *aliases: str) -> str | None:
        """Take a text, trimmed; None for a blank one."""
        value = self.take(name, *aliases)
        if value is None:
            return None
        if not isinstance(value, str):
            raise JobRefused(self.path(name), f"expected a text, found {shown(value)}")
        return value.strip() or None

    def word(self, allowed: Iterable[str], name: str, *aliases: str) -> str | None:
        """Take one of some words, in lower case."""
        value = self.text(name, *aliases)
        if value is not None and value.lower() not in allowed:
            raise JobRefused(self.path(name), f"expected {', '.join(allowed)}, found {shown(value)}")
        return value and value.lower()

    def texts(self, name: str, *aliases: str) -> list[str]:
        """Take a list of texts, trimmed, without blank ones."""
        value = self.take(name, *aliases)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise JobRefused(self.path(name), f"expected a list of texts, found {shown(value)}")
        return [item.strip() for item in value if item.strip()]

    def node(self, name: str) -> _Node:
        """Take an object; an empty one where there is none."""
        return _Node(self.take(name), self.path(name))

    def nodes(self, name: str) -> list[_Node]:
        """Take a list of objects."""
        value = self.take(name) or []
        if not isinstance(value, list):
            raise JobRefused(self.path(name), f"expected a list, found {shown(value)}")
        return [_Node(item, f"{self.path(name)}[{at}]") for at, item in enumerate(value)]


def _canonical(top: _Node, default_runtime: str, beside: Payload) -> Job:
    task = top.node("task")
    repository = top.text("repository", "repo")
    if repository and not repositories.is_name(repository):
        raise JobRefused("repository", f"expected {repositories.EXPECTED}, found {shown(repository)}")
    auth = top.node("auth")
    places = {name: _reference(auth, name) for name in ("repoAuthRef", "publishAuthRef")}
    given = [*top.texts("requiredCapabilities")]
    runtime = _runtime(top, task)
    known = _task(task, top, runtime or default_runtime)
    extra = [word for part in (known, *known["steps"]) for word in part["skill"].get("requiredCapabilities", ())]
    payload = {
        **beside,
        **top.left,
        "repository": repository,
        "requiredCapabilities": capabilities(given, known, extra),
        "targetRuntime": runtime or default_runtime,
        "auth": {**auth.left, **places},
        "task": known,
    }
    return Job(payload, runtime)


def capabilities(given: Iterable[str], task: Mapping[str, Any], extra: Iterable[str]) -> list[str]:
    """List what a machine must have for a canonical task: what was asked for, and what follows from the task."""
    container = (task["container"] or {}).get("enabled")
    wanted = (
        *given,
        task["runtime"]["mode"],
        "git",
        *(("gh",) if task["publish"]["mode"] == "pr" else ()),
        *extra,
        *(("docker",) if container else ()),
    )
    return list(dict.fromkeys(word.strip().lower() for word in wanted if word.strip()))


def _runtime(top: _Node, task: _Node) -> str | None:
    """Tell the agent that is meant, wherever it is named; None for the default one. Raises JobRefused."""
    if isinstance(task.left.get("runtime"), str):
        task.left["runtime"] = {"mode": task.left["runtime"]}
    inner = _Node(task.left.get("runtime"), "task.runtime")
    said = {
        "targetRuntime": top.word(RUNTIMES, "targetRuntime", "target_runtime"),
        "task.targetRuntime": task.word(RUNTIMES, "targetRuntime", "target_runtime"),
        "task.runtime.mode": inner.word(RUNTIMES, "mode", "targetRuntime", "target_runtime"),
    }
    meant = {field: word for field, word in said.items() if word not in {None, "universal"}}
    if len(set(meant.values())) > 1:
        raise JobRefused(
            " and ".join(meant), f"they name different agents ({', '.join(map(str, meant.values()))}): keep one"
        )
    return next(iter(meant.values()), None)


def _task(task: _Node, top: _Node, runtime: str) -> Payload:
    """Read the task of a canonical payload; its instructions may stand beside it."""
    instructions = task.text("instructions", "instruction") or top.text("instructions", "instruction")
    if not instructions:
        raise JobRefused("task.instructions", "it is missing: say what is to be done")
    container, steps = _container(task.node("container")), _steps(task.nodes("steps"))
    if steps and container and container["enabled"]:
        raise JobRefused("task.steps", "a task in a container has no steps: put them into its command")
    blockers = task.texts("dependsOn")
    if len(blockers) > MOST_BLOCKERS:
        raise JobRefused("task.dependsOn", f"it names {len(blockers)} tasks: {MOST_BLOCKERS} at most")
    runtime_node, git, publish = task.node("runtime"), task.node("git"), task.node("publish")
    chosen = {"model": runtime_node.text("model"), "effort": runtime_node.text("effort"), "mode": runtime}
    branches = {name: git.text(name) for name in ("startingBranch", "newBranch")}
    texts = {name: publish.text(name) for name in ("commitMessage", "prTitle", "prBody")}
    how = {"mode": publish.word(PUBLISH, "mode"), "prBaseBranch": publish.text("prBaseBranch", "baseBranch")}
    return {
        "instructions": instructions,
        "skill": _skill(task.node("skill")),
        "runtime": {**_without(runtime_node, "mode", "targetRuntime", "target_runtime"), **chosen},
        "git": {**git.left, **branches},
        "publish": {**publish.left, **how, **texts},
        "steps": steps,
        "container": container,
        "dependsOn": blockers,
        **task.left,
    }


def _without(node: _Node, *names: str) -> Payload:
    return {name: value for name, value in node.left.items() if name not in names}


def _skill(node: _Node) -> Payload:
    wanted = node.texts("requiredCapabilities")
    more = {"requiredCapabilities": [word.lower() for word in wanted]} if wanted else {}
    return {"id": node.text("id") or "auto", "args": node.node("args").values, **more, **node.left}


def _steps(nodes: list[_Node]) -> list[Payload]:
    return [_step(node, number) for number, node in enumerate(nodes, 1)]


def _step(node: _Node, number: int) -> Payload:
    refused = [name for name in _WHOLE_TASK if name in node.values]
    if refused:
        raise JobRefused(node.path(refused[0]), "a step cannot set it: it belongs to the whole task")
    node.take("id")
    known = {"id": f"step-{number}", "title": node.text("title"), "instructions": node.text("instructions")}
    return {**known, "skill": _skill(node.node("skill")), **node.left}


def _container(node: _Node) -> Payload | None:
    if not node.values:
        return None
    enabled = node.take("enabled")
    if not isinstance(enabled, (bool, type(None))):
        raise JobRefused(node.path("enabled"), f"expected true or false, found {shown(enabled)}")
    image, command = node.text("image"), node.texts("command")
    if enabled and not (image and command):
        raise JobRefused(node.path("command" if image else "image"), "it is missing: a container needs both")
    seconds = node.take("timeoutSeconds")
    if seconds is not None and (not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1):
        raise JobRefused(node.path("timeoutSeconds"), f"expected whole seconds of 1 or more, found {shown(seconds)}")
    known = {"image": image, "command": command, "workdir": node.text("workdir"), "timeoutSeconds": seconds}
    return {"enabled": bool(enabled), **known, **node.left}


def _reference(auth: _Node, name: str) -> str | None:
    value = auth.text(name)
    if value is not None and not references.valid(value):
        raise JobRefused(auth.path(name), f"expected where the secret is, never the secret: {references.EXPECTED}")
    return value


def _from_exec(told: _Node) -> Payload:
    """Lift a legacy job that gives Codex an instruction."""
    return _lifted(told.values, told.values.get("instruction"), {})


def _from_skill(told: _Node) -> Payload:
    """Lift a legacy job that gives Codex a skill and its inputs; some of these concern the job itself."""
    top, inputs = told.values, _Node(told.values.get("inputs"), "inputs").values
    given = {**top, **{name: inputs[name] for name in _OF_THE_JOB if _filled(inputs.get(name))}}
    publish = {"mode": given.get("publishMode"), "prBaseBranch": given.get("publishBaseBranch")}
    lifted = {
        **given,
        "repository": top.get("repository") or inputs.get("repo") or inputs.get("repository"),
        "codex": {**_Node(inputs.get("codex"), "inputs.codex").values, **_Node(top.get("codex"), "codex").values},
        "publish": publish if any(publish.values()) else top.get("publish"),
    }
    skill = told.text("skillId") or LEGACY_SKILL
    instruction = given.get("instruction") or f"Work as the skill {skill} says, with the arguments it was given."
    return _lifted(lifted, instruction, {"id": skill, "args": inputs})


#: The inputs of a legacy skill job that are rather its own fields, and win over those.
_OF_THE_JOB = ("instruction", "ref", "publishMode", "publishBaseBranch")


def _lifted(given: Payload, instruction: object, skill: Payload) -> Payload:
    """Make the canonical payload of a legacy job's fields."""
    codex = _Node(given.get("codex"), "codex")
    return {
        **{name: given.get(name) for name in ("repository", "requiredCapabilities", "auth")},
        "targetRuntime": "codex",
        "task": {
            "instructions": instruction,
            "skill": skill,
            "runtime": {"mode": "codex", "model": codex.text("model"), "effort": codex.text("effort")},
            "git": {"startingBranch": given.get("ref")},
            "publish": given.get("publish"),
        },
    }


def _check_no_secrets(value: object, at: str) -> None:
    for field, text in _texts_in(value, at):
        if SHAPES.line_of_first(text.encode("utf-8", "surrogatepass")) is not None:
            raise JobRefused(field, "a secret stands there in plain text: take it out and name where it is instead")


def _texts_in(value: object, at: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a payload with where it stands; what a name of a field holds is its own."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield f"a name in {at}", str(name)
            yield from _texts_in(child, f"{at}.{name}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _texts_in(child, f"{at}[{number}]")


def _filled(value: object) -> bool:
    return value is not None and value != ""


def shown(value: object) -> str:
    """Show a value in a refusal: nothing long, nothing secret."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = SHAPES.mask(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
