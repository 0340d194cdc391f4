"""The prompt an agent is given: what is asked, what came before, what was said about it, and how to work here.

Everything the agent must know is in it; nothing depends on the agent's having skills installed. Text that others wrote
(the task, hand-overs, feedback) is quoted under headings that say whose it is. How it is put together is for templates
to say, which are files; they are strict: a variable that does not exist is a mistake, found when the file is read.

Next in the flow: the run's spec carries it, the supervisor writes it to the run's folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from orange.core.model import Request, RequestKind, Task
from orange.core.steps import Step

#: The template of a conversation's beginning, and of what is said in one that goes on.
FRAME, CONTINUED = "task", "continued"
#: What a template may name, with what it stands for; in the order of the documentation.
VARIABLES: Mapping[str, str] = {
    "id": "the task's id",
    "title": "its title",
    "type": "its type",
    "priority": "its priority",
    "labels": "its labels, with commas",
    "workspace": "the path of its worktree",
    "branch": "its branch",
    "base": "the branch it is cut from",
    "place": "a sentence that says where the agent works",
    "earlier": "sentences on earlier attempts and on children; empty where there were none",
    "request": "why the agent is started now: feedback, an answer, a conflict; empty at a first start",
    "since": "how the last run of a conversation that goes on was cut off; empty otherwise",
    "commit": "of a review: the commit that is reviewed",
    "answer_file": "of a review: the file that the answer is written to",
    "step": "what this step is for, with its role and skill; empty in a pipeline of one agent's step",
    "step_name": "the step's name",
    "purpose": "what the step's own template says",
    "asked": "the task's text, its criteria and the files to read",
    "body": "the task's text alone",
    "criteria": "its acceptance criteria, as far as they stand in the frontmatter",
    "context_files": "the files to read first, one a line",
    "handoffs": "what the tasks that blocked this one handed over",
    "rules": "the rules of working in a workspace",
    "commands": "how to read the task, ask, delegate and finish",
}

_NAME = re.compile(r"\{([a-z_]+)\}")

#: What is said of a wish to take a task up again.
_REQUESTS = {
    RequestKind.CHANGES: "A reviewer asked for changes to what is on the branch. Make them; do not start over.",
    RequestKind.ANSWER: "Your question was answered. Go on from where you were.",
    RequestKind.CONFLICT: "Your branch conflicts with its base. The merge is begun here: resolve it and commit.",
    RequestKind.CHECKS: "The project's checks do not pass with your work. Mend it; do not switch a check off.",
    RequestKind.RUN: "A person started this task now, ahead of its turn.",
    RequestKind.RESUME: "A person approved what was done up to here. Go on.",
}
#: Requests with nothing in their message that the agent must read.
_SILENT = frozenset({RequestKind.RUN, RequestKind.RESUME})

_RULES = """\
- Stay in your own worktree and on your branch: other agents have theirs. Do not push; your branch is published for you.
- Commit your work in small commits with plain messages. What you leave uncommitted is committed for you.
- Finish by exiting normally (exit code 0) when the acceptance criteria are met. Do not set the task to done yourself.\
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


def unknown_variables(template: str) -> Iterator[tuple[int, str]]:
    """Yield what a template names that does not exist, each with its line."""
    for found in _NAME.finditer(template):
        if found[1] not in VARIABLES:
            yield template.count("\n", 0, found.start()) + 1, found[1]


def is_prompt(text: str) -> bool:
    """Whether a text names only variables that exist."""
    return not any(unknown_variables(text))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill a template in; a paragraph of it that comes out empty is left out.

    What is put in is never looked through for variables again, and keeps its own empty lines.
    """
    parts = (_NAME.sub(lambda found: values.get(found[1], found[0]), part) for part in template.split("\n\n"))
    return "\n\n".join(stripped for part in parts if (stripped := part.strip("\n"))) + "\n"


def variables(
    task: Task, body: str, *, handoffs: Mapping[str, str] | None = None, base: str = "main", since: str = ""
) -> dict[str, str]:
    """Say what each variable stands for, but those of the step. `handoffs`: of the blockers, by id."""
    place = (
        f"The worktree is {task.workspace or 'here'}, the branch is {task.branch or 'checked out'}, cut from {base}."
    )
    return {
        "id": task.id,
        "title": task.title,
        "type": task.type,
        "priority": task.priority.value,
        "labels": ", ".join(task.labels),
        "workspace": task.workspace or "",
        "branch": task.branch or "",
        "base": base,
        "place": place,
        "earlier": "\n".join(_earlier(task)),
        "request": _request(task),
        "since": since,
        "asked": _asked(task, body),
        "body": body.strip("\n"),
        "criteria": "\n".join(f"- [ ] {line}" for line in task.acceptance_criteria),
        "context_files": "\n".join(f"- {name}" for name in task.context_files),
        "handoffs": _handoffs(handoffs or {}),
        "rules": _RULES,
        "commands": "\n".join(f"- `{command}`: {what}" for command, what in _COMMANDS),
        "commit": "",
        "answer_file": "",
        "step": "",
        "step_name": "",
        "purpose": "",
    }


def for_step(values: Mapping[str, str], step: Step, purpose: str) -> dict[str, str]:
    """Add what a step's variables stand for; `purpose` is its template, or its own text."""
    told = fill(purpose, values).strip("\n")
    role = f"Your role in it: {step.role}." if step.role else ""
    skill = f"Carry it out with the skill `{step.skill}`." if step.skill else ""
    parts = (f"## This step: {step.name}", told, role, skill)
    return {**values, "step_name": step.name, "purpose": told, "step": "\n\n".join(part for part in parts if part)}


def since_then(task: Task, ended: str | None) -> str:
    """Say what became of the run before in a conversation that goes on; `ended` is None where it was not cut off."""
    if task.request is not None and task.request.kind is not RequestKind.RUN:
        return ""
    if ended is None:
        return "The task was taken up again after you had finished. See what is asked now: `orange task show`."
    return f"Your last run was cut off: {ended.rstrip('. ')}. See `git status` and `git log`, and go on from there."


def _earlier(task: Task) -> Iterator[str]:
    if task.attempts:
        yield f"This is attempt {task.attempts + 1}: `git log` and `git status` show what is there already."
    elif task.epoch > 1:
        yield "The task was worked on before: what was done is on the branch."
    if task.children:
        yield f"It has children ({', '.join(task.children)}): what they finished is in the base, or here already."


def _request(task: Task) -> str:
    request: Request | None = task.request
    if request is None:
        return ""
    said = [f"## Why you are started now\n\n{_REQUESTS[request.kind]}"]
    if request.message and request.kind not in _SILENT:
        said.append(quoted(request.message))
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
    told = (f"### From task {blocker}\n\n{quoted(text)}" for blocker, text in handoffs.items())
    return "\n\n".join(["## What the tasks before this one handed over", *told])


def _listed(heading: str, items: Iterable[str], mark: str) -> str:
    return "\n".join([heading, "", *(mark + item for item in items)])


def quoted(text: str) -> str:
    """Quote a text that somebody else wrote."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))
