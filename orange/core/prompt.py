"""The prompt an agent is given: what is asked, what came before, what was said about it, and how to work here.

Everything the agent must know is in it; nothing depends on the agent's having skills installed. Text that others wrote
(the task, hand-overs, feedback) is quoted under headings that say whose it is.

Next in the flow: the run's spec carries it, the supervisor writes it to the run's folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orange.core.model import Request, RequestKind, Task

#: What is said of a wish to take a task up again.
_REQUESTS = {
    RequestKind.CHANGES: "A reviewer asked for changes to what is on the branch. Make them; do not start over.",
    RequestKind.ANSWER: "Your question was answered. Go on from where you were.",
    RequestKind.CONFLICT: "Your branch conflicts with its base. The merge is begun here: resolve it and commit.",
    RequestKind.CHECKS: "The project's checks do not pass with your work. Mend it; do not switch a check off.",
    RequestKind.RUN: "A person started this task now, ahead of its turn.",
}

_RULES = """\
- Stay in your own worktree and on your branch: other agents have theirs. Do not push; your branch is published for you.
- Commit your work in small commits with plain messages. What you leave uncommitted is committed for you.
- Finish by exiting normally (exit code 0) when the acceptance criteria are met. Do not set the task to done yourself.
"""

_COMMANDS = (
    ("orange task show", "this task as it is now (read it again when in doubt: people may edit it)"),
    ("orange task write Plan -", "record your plan from standard input: lines APPROACH:, TOUCHING:, RISKS:"),
    ("orange task write Handoff -", "before you finish: lines DONE:, REMAINING:, DECISIONS:, UNCERTAIN:"),
    ('orange ask "QUESTION"', "when only a person can decide; then exit. You are started again with the answer"),
    (
        'orange task create NAME "TITLE" --body -',
        "make a child task (its text on standard input), when it is too large",
    ),
    ("orange task update --status delegated", "after making children: hand over to them and exit; you need do no more"),
)


def build(task: Task, body: str, *, handoffs: Mapping[str, str] | None = None, base: str = "main") -> str:
    """Compose the prompt. `handoffs` are the hand-over sections of the tasks this one was blocked by, by id."""
    parts = [
        _heading(task, base),
        _request(task),
        _asked(task, body),
        _handoffs(handoffs or {}),
        _how(task),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def follow_up(task: Task, ended: str | None) -> str:
    """Compose the prompt of a conversation that is continued: only what is new in it.

    `ended` says how the run before was cut off; None when it was not.
    """
    parts = [f"# Task {task.id}: {task.title} (continued)", _request(task), _cut_off(task, ended), _CONTINUED]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _cut_off(task: Task, ended: str | None) -> str:
    if task.request is not None and task.request.kind is not RequestKind.RUN:
        return ""
    if ended is None:
        return "The task was taken up again after you had finished. See what is asked now: `orange task show`."
    return f"Your last run was cut off: {ended.rstrip('. ')}. See `git status` and `git log`, and go on from there."


_CONTINUED = """\
What you were told before still holds. `orange task show` shows the task as it is now; exit normally when it is done."""


def _heading(task: Task, base: str) -> str:
    place = (
        f"The worktree is {task.workspace or 'here'}, the branch is {task.branch or 'checked out'}, cut from {base}."
    )
    return "\n".join(
        [
            f"# Task {task.id}: {task.title}",
            "",
            f"You are an agent at work on one task of this repository. {place}",
            *_earlier(task),
        ]
    )


def _earlier(task: Task) -> Iterator[str]:
    if task.attempts:
        yield f"This is attempt {task.attempts + 1}: `git log` and `git status` show what is there already."
    elif task.epoch > 1:
        yield "The task was worked on before: what was done is on the branch."
    if task.children:
        yield f"It has children ({', '.join(task.children)}): what they finished is in the base."


def _request(task: Task) -> str:
    request: Request | None = task.request
    if request is None:
        return ""
    said = [f"## Why you are started now\n\n{_REQUESTS[request.kind]}"]
    if request.message and request.kind is not RequestKind.RUN:
        said.append(_quoted(request.message))
    return "\n\n".join(said)


def _asked(task: Task, body: str) -> str:
    parts = ["## What is asked"]
    if task.skill and task.skill != "auto":
        parts.append(f"Carry it out with the skill `{task.skill}`.")
    parts.append(body.strip("\n") or "The title says it all.")
    if task.acceptance_criteria:
        parts.append(_listed("### Acceptance criteria", task.acceptance_criteria, "- [ ] "))
    if task.context_files:
        parts.append(_listed("### Read these files first", task.context_files, "- "))
    return "\n\n".join(parts)


def _handoffs(handoffs: Mapping[str, str]) -> str:
    if not handoffs:
        return ""
    told = (f"### From task {blocker}\n\n{_quoted(text)}" for blocker, text in handoffs.items())
    return "\n\n".join(["## What the tasks before this one handed over", *told])


def _how(task: Task) -> str:
    told = f"The command `orange` is on your PATH and knows your task, {task.id}:"
    commands = _listed(told, [f"`{command}`: {what}" for command, what in _COMMANDS], "- ")
    return f"## How to work here\n\n{_RULES}\n{commands}"


def _listed(heading: str, items: Iterable[str], mark: str) -> str:
    return "\n".join([heading, "", *(mark + item for item in items)])


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))
