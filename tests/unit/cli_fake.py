"""A stand-in for everything behind the command line's doors, and a way to run a command line against it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from orange.cli.call import Call
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.core.layout import Layout
from orange.core.lifecycle import Actor, Facts, Status, advance, board_state
from orange.core.model import Board, Task
from orange.core.names import resolve, slug
from orange.core.problems import NotAProject, OrangeError, Problem
from orange.core.settings import Settings
from orange.project import Project
from orange.project.requests import Edit, Filter, NewTask

#: 2026-11-20T12:00:00Z
NOON = 1795176000.0
WAITS = {
    "code": "slot",
    "message": "no slot is free",
    "since": "2026-11-20T11:00:00Z",
    "evidence": "3 of 3 in use",
    "remedy": "orange status",
}


def task(task_id: str, name: str, **more: Any) -> Task:
    """Make a task."""
    more.setdefault("title", name.replace("-", " ").capitalize())
    return Task(id=task_id, name=name, created_at="2026-11-20T09:00:00Z", **more)


class FakeProject:
    """The facade, over a dictionary. `asked` records what a command asked for."""

    def __init__(
        self, *tasks: Task, here: str | None = None, root: str = "/repo", file: str = "/repo/x/TASK.md"
    ) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.asked: list[tuple[str, Any]] = []
        self.inside = here
        self.name, self.layout, self.settings = "repo", Layout(root, f"{root}/.git"), Settings()
        self.file = file
        self.output: Sequence[str] = ()
        self.problems: tuple[Problem, ...] = ()

    def here(self) -> str | None:
        return self.inside

    def board(self) -> Board:
        return Board(self.tasks, self.problems)

    @property
    def parts(self) -> FakeProject:
        """The one part that commands use: it can nudge."""
        return self

    def path_of(self, _address: str) -> str:
        return self.file

    def find(self, address: str) -> Task:
        return self.tasks[resolve(address, self.tasks)]

    def evidence(self, _address: str) -> dict[str, list[dict[str, Any]]]:
        return {"checks": [], "reviews": [], "comments": []}

    def view(self, address: str, *, body: bool = True) -> dict[str, Any]:
        found = self.find(address)
        ready = found.status is Status.PENDING and not found.blocked_by
        children = [one for one in self.tasks.values() if one.parent == found.id]
        done = sum(child.status is Status.DONE for child in children)
        return asdict(found) | {
            "project": self.name,
            "ready": ready,
            "state": board_state(found.status, ready=ready).value,
            "progress": {"done": done, "total": len(children)} if children else None,
            "waiting": [WAITS] if ready else [],
            **({"body": "## Context\n\nWhy \x1b[31mred\x1b[0m.\n"} if body else {}),
        }

    def list(self, wanted: Filter, *, body: bool = False) -> list[dict[str, Any]]:
        self.asked.append(("list", wanted))
        return [self.view(task_id, body=body) for task_id in self.tasks]

    def why(self, address: str) -> Sequence[Mapping[str, Any]]:
        return cast("Sequence[Mapping[str, Any]]", self.view(address)["waiting"])

    def status(self) -> dict[str, Any]:
        return {
            "name": "repo",
            "path": "/repo",
            "counts": {"pending": len(self.tasks)},
            "slots": {"free": 1, "total": 3},
            "base": {"ref": "main", "behind": 2, "reason": "a.txt is changed"},
            "waiting": [{"task": task_id, **WAITS} for task_id in self.tasks],
            "problems": [{"path": "tasks/x/TASK.md", "line": 3, "message": "unknown status", "hint": "write pending"}],
        }

    def forecast(self) -> dict[str, Any]:
        branches = [{"task": task_id, "name": task.name, "clear": False} for task_id, task in self.tasks.items()]
        both = [branch["task"] for branch in branches[:2]]
        conflicts = [
            {"tasks": both, "base": "main", "files": [f"{n}\x1b.txt" for n in range(7)]},
            {"tasks": both[:1], "base": "main", "files": ["a"]},
        ]
        return {"branches": branches, "conflicts": conflicts, "unknown": [both[:1]]}

    def stats(self, address: str | None, since: float | None) -> dict[str, Any]:
        self.asked.append(("stats", (address, since)))
        used = {"runs": 1, "failed": 0, "minutes": 90.0, "tokens": 1200, "usd": 0.0}
        days = [{"day": day, **used, "tokens": tokens} for day, tokens in (("2026-11-18", 1200), ("2026-11-20", 600))]
        task = {"id": "a2b3c4d5", "name": "db\x1b", "status": None, "estimate": "1h"}
        run = {"run": "a2b3c4d5-1", "started_at": "2026-11-20T09:00:00Z", "agent": "x", "model": None, "attempt": 1}
        return {
            "since": None,
            "total": {"tasks": 1, **used},
            "outcomes": {"rate_limited": 1},
            "days": days,
            "agents": [{"agent": "x", **used}],
            "models": [{"model": None, **used}],
            "types": [{"type": "task", **used}],
            "estimates": [
                {"estimate": "1h", "minutes": 60.0, "tasks": 1, "least": 90.0, "median": 90.0, "most": 90.0},
                {"estimate": "M", "minutes": None, "tasks": 2, "least": 1.0, "median": 2.0, "most": 3.0},
            ],
            "tasks": [{**task, **used}] * 11,
            "runs": [{**run, **used, "outcome": None}],
        }

    def create(self, new: NewTask) -> Task:
        self.asked.append(("create", new))
        made = task("n2w3t4s5", slug(new.name or new.title or ""), title=new.title or new.name)
        self.tasks[made.id] = made
        return made

    def adopt(self, text: str) -> Task:
        self.asked.append(("adopt", text))
        return task("n2w3t4s5", "adopted")

    def edit(self, address: str, change: Edit) -> Task:
        found = self.find(address)
        self.asked.append((f"edit {found.id}", change))
        if change.status:
            found = advance(found, change.status, Actor.PERSON, Facts())
        self.tasks[found.id] = replace(found, title=change.title or found.title)
        return self.tasks[found.id]

    def write_section(self, address: str, section: str, text: str) -> Task:
        self.asked.append((f"write {self.find(address).id}", (section, text)))
        return self.find(address)

    def follow(self, _address: str) -> Iterator[str]:
        yield from self.output

    def log_file(self, _address: str) -> str | None:
        return None

    def diff(self, _address: str) -> str:
        return "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"

    def events(self, _address: str) -> Sequence[Mapping[str, Any]]:
        return [{"at": "2026-11-20T09:00:00Z", "type": "task.created", "by": "person:ada", "data": {"title": "a\nb"}}]

    def config_problems(self) -> tuple[Problem, ...]:
        return self.problems

    def __getattr__(self, name: str) -> Any:
        """Stand for every other request on one task: record it and return the task."""
        if name.startswith("_"):
            raise AttributeError(name)

        def request(address: str = "", *rest: Any, **more: Any) -> Task:
            self.asked.append((name, (address, *rest, *more.values())))
            return self.find(address) if address in self.tasks else next(iter(self.tasks.values()))

        return request


@dataclass
class FakeDoors:
    """The doors, leading to one fake project or to none."""

    project: FakeProject | None = None
    daemon: dict[str, Any] = field(default_factory=lambda: {"running": True, "pid": 42, "url": None})
    opened: list[str] = field(default_factory=list)
    roots: tuple[str, ...] = ()
    ran: Mapping[str, Any] = field(default_factory=dict)
    #: Why the daemon was stopped.
    stopped: str | None = None
    #: The address that was opened in the browser.
    browsed: str | None = None
    #: Raised by `agents`: a bug, or an interruption.
    bug: BaseException | None = None
    log: str = "/nowhere/daemon.log"
    ended: tuple[Mapping[str, Any], ...] = ()

    def open_project(self, path: str) -> Project:
        self.opened.append(path)
        if self.project is None:
            raise NotAProject(path)
        return cast("Project", self.project)

    def init_project(self, path: str, remote: str | None) -> Mapping[str, Any]:
        return {"project": {"name": "repo", "path": path}, "created": True, "message": f"ready, from {remote}"}

    def registered(self) -> Sequence[str]:
        return self.roots

    def doctor(self, _path: str) -> Sequence[Mapping[str, Any]]:
        return [
            {"check": "git", "ok": True, "message": "2.39", "hint": ""},
            {"check": "tmux", "ok": False, "message": "not installed", "hint": "install it"},
        ]

    def agents(self, _path: str) -> Sequence[Mapping[str, Any]]:
        if self.bug:
            raise self.bug
        return [{"name": "claude", "usable": False, "version": None, "reason": "not installed"}]

    def trust(self, _path: str) -> Mapping[str, Any]:
        return {"tasks": ["a2b3c4d5"], "commands": None}

    def daemon_status(self) -> Mapping[str, Any]:
        return self.daemon

    def daemon_start(self, root: str | None) -> Mapping[str, Any]:
        return self.daemon | {"root": root}

    def dashboard(self, root: str | None) -> str:
        return f"http://127.0.0.1:7777/#code={root}"

    def browse(self, url: str) -> bool:
        self.browsed = url
        return True

    def daemon_stop(self, reason: str | None) -> bool:
        self.stopped = reason
        return True

    def daemon_run(self, options: Mapping[str, Any]) -> None:
        self.ran = options

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        return self.ended

    def session(self, session: str) -> Mapping[str, Any]:
        return next(view for view in self.ended if view["id"] == session)

    def daemon_log(self) -> str:
        return self.log

    def keeper(self, project: Project) -> None:
        pass

    def output_of(self, argv: Sequence[str], _folder: str) -> str:
        return " ".join(argv)


class Screen(io.StringIO):
    """A stream that may call itself a terminal."""

    encoding = "utf-8"

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on standard output, which must be one value and nothing else."""
        return json.loads(self.out)


def orange(*argv: str, project: FakeProject | None = None, doors: FakeDoors | None = None, **more: Any) -> Ended:
    """Run a command line against the stand-ins. `more`: stdin, env, terminal."""
    screen, errors = Screen(terminal=more.get("terminal", False)), Screen()
    out = Output(screen, errors, more.get("env", {}))
    call = Call(doors or FakeDoors(project), out, io.StringIO(more.get("stdin", "")), more.get("env", {}), NOON)
    status = guarded(argv, call)
    return Ended(status, screen.getvalue(), errors.getvalue())


class Refused(OrangeError):
    """Some refusal."""

    code = "refused_here"
