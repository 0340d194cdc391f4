"""Hostile texts through every entrance: kept exactly or refused clearly, never believed by a shell, git, tmux or YAML.

The corpus tries to create a file called `CANARY` in many ways; whoever finds one has found a hole.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orange import wiring
from orange.cli.call import Call
from orange.cli.doors import RealDoors
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.core import body as sections
from orange.core import names
from orange.core.lifecycle import Actor, Status
from orange.core.model import Board, Task
from orange.core.present import visible
from orange.core.problems import OrangeError
from orange.project import Project
from orange.project.claims import claim_run
from orange.project.requests import Edit, Filter, NewTask, Speaker
from orange.testing import repos
from tests.data.hostile_strings import CANARY, corpus, sample
from tests.integration.store_place import quick_folder

ADA = Speaker(Actor.PERSON, "ada")
#: Fields that take any line of text, all at once; those that take lists of texts; those with a form of their own.
FREE = ("title", "category", "session", "assignee", "skill", "model", "effort", "agent", "ref", "body")
LISTS = ("labels", "acceptance_criteria", "context_files", "requires")
STRICT = ("estimate", "type", "branch", "base", "name")
#: How many texts go into one project: what a write costs grows with the board.
CHUNK = 40
#: What a terminal obeys or hides; a line break and a tab are layout.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


@dataclass
class Ground:
    """A project, a folder to stand in, and everything around them that may be searched."""

    top: Path
    repo: Path
    cwd: Path

    def begin(self) -> None:
        """Begin with a new project."""
        shutil.rmtree(self.repo, ignore_errors=True)
        repos.sample(self.repo)
        wiring.init_project(str(self.repo), None)

    def chunks(self) -> Iterator[list[str]]:
        """Yield the corpus in parts, each with a new project."""
        texts = corpus(str(self.cwd))
        assert len(texts) >= 200
        for number in range(0, len(texts), CHUNK):
            self.begin()
            yield texts[number : number + CHUNK]

    def open(self, speaker: Speaker = ADA) -> Project:
        return wiring.open_project(str(self.repo), speaker)

    def cli(self, *argv: str, stdin: str = "") -> tuple[int, str, str]:
        """Carry out a command line in this process; a bug escapes as itself."""
        out, errors = io.StringIO(), io.StringIO()
        env = dict(os.environ) | {"ORANGE_DEBUG": "1"}
        call = Call(RealDoors(), Output(out, errors, env), io.StringIO(stdin), env, time.time(), folder=str(self.repo))
        return guarded(argv, call), out.getvalue(), errors.getvalue()

    def write(self, name: str, data: bytes) -> Path:
        """Write a task file by hand."""
        path = self.repo / ".orange" / "tasks" / name / "TASK.md"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        return path


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A project in memory, and a search for canaries at the end."""
    with quick_folder() as top:
        found = Ground(top, top / "repo", top / "cwd")
        found.cwd.mkdir()
        found.begin()
        monkeypatch.chdir(found.cwd)
        yield found
        check_no_canary(top)


def check_no_canary(top: Path) -> None:
    """Fail where anything called `CANARY` was made."""
    made = [f"{folder}/{name}" for folder, below, files in os.walk(top) for name in (*below, *files) if CANARY in name]
    assert made == []


def attempt(what: Callable[[], Any]) -> Any:
    """Do something; a refusal in one clear sentence is as good. Everything else escapes."""
    try:
        return what()
    except OrangeError as refused:
        assert refused.message
        assert refused.exit_code == 1
        return None


def expected(field: str, text: str) -> object:
    """Return what is to be read back of a text given for a field."""
    if field == "title":
        return " ".join(text.split())
    if field == "requires":
        return (text.strip().lower(),)
    if field in LISTS:
        return (text,)
    return text or {"skill": "auto", "type": "task"}.get(field)


def given(field: str, text: str) -> dict[str, Any]:
    """Return the arguments of a request that puts a text into a field."""
    title = {} if field in {"title", "name"} else {"title": "sample"}
    return {**title, field: (text,) if field in LISTS else text}


def create_all(project: Project, text: str, made: dict[str, list[tuple[str, str]]]) -> None:
    """Put a text into every field: into the free ones at once, and where that is refused one by one."""
    together = {key: value for field in (*FREE, *LISTS) for key, value in given(field, text).items()}
    task = attempt(lambda: project.create(NewTask(**{**together, "title": text})))
    if task:
        made[task.id] = [(field, text) for field in (*FREE, *LISTS)]
    for field in STRICT if task else (*FREE, *LISTS, *STRICT):
        one = attempt(lambda field=field: project.create(NewTask(**given(field, text))))  # type: ignore[misc]
        if one:
            made[one.id] = [(field, text)]


def check_kept(project: Project, board: Board, task_id: str, field: str, text: str) -> None:
    """Fail unless a field reads back as it was given, by orange and by a YAML reader that is not orange's."""
    task = board.tasks[task_id]
    if field == "name":
        assert names.is_slug(task.name), text
        return
    if field == "body":
        assert project.body(task_id) == text
        return
    wanted = expected(field, text)
    assert getattr(task, field) == wanted, (field, text)
    plain = yaml.safe_load(front(project, task)).get(field)
    assert plain == (list(wanted) if isinstance(wanted, tuple) else wanted) or not text, (field, text, plain)


def front(project: Project, task: Task) -> str:
    """Return the frontmatter of a task's file."""
    text = Path(f"{project.layout.tree}/{task.path}").read_bytes().decode()
    return text.split("\n---\n", 1)[0].removeprefix("---\n")


def test_every_text_in_every_field_of_a_new_task_is_kept_exactly_or_refused(ground: Ground) -> None:
    """The whole corpus through the library: what was accepted reads back as given, in a new process's eyes too."""
    for texts in ground.chunks():
        project = ground.open()
        made: dict[str, list[tuple[str, str]]] = {}
        for text in texts:
            create_all(project, text, made)
        check_all_kept(ground.open(), made)


def check_all_kept(project: Project, made: dict[str, list[tuple[str, str]]]) -> None:
    """Fail unless the board is what was made."""
    board = project.board()
    assert board.problems == ()
    assert board.tasks.keys() == made.keys()
    for task_id, fields in made.items():
        for field, text in fields:
            check_kept(project, board, task_id, field, text)
    folders = {os.path.dirname(task.path) for task in board.tasks.values()}
    assert all(re.fullmatch(r"tasks/[a-z0-9-]+", folder) for folder in folders)


def moved(project: Project, task_id: str, text: str) -> None:
    """Take a task through everything that takes a text of its own, and check what was kept of it."""
    project.edit(task_id, Edit(title="plain"))
    if attempt(lambda: project.edit(task_id, Edit(title=text))):
        assert project.find(task_id).title == " ".join(text.split())
    if attempt(lambda: project.edit(task_id, Edit(add_labels=(text,)))):
        assert text in project.find(task_id).labels
        project.edit(task_id, Edit(remove_labels=(text,)))
    attempt(lambda: project.edit(task_id, Edit(block=(text,))))
    attempt(lambda: project.edit(task_id, Edit(unblock=(text,))))
    run = str(claim_run(project.parts, ADA, task_id).run)
    agent = Project(project.parts, Speaker(Actor.AGENT, run, task_id, run))
    if attempt(lambda: agent.ask(text)):
        check_said(project, task_id, "question", text)
        if attempt(lambda: project.answer(task_id, text)):
            check_said(project, task_id, "answer", text)
        project.edit(task_id, Edit(status=Status.PENDING))
        claim_run(project.parts, ADA, task_id)
    project.edit(task_id, Edit(status=Status.REVIEWING))
    attempt(lambda: project.reject(task_id, text))
    attempt(lambda: project.edit(task_id, Edit(status=Status.STUCK, message=text)))
    task = project.find(task_id)
    if task.stuck and text:
        assert task.stuck.message in {text, visible(text), f"{text[:16_000]} [...]"}
    project.edit(task_id, Edit(status=Status.STUCK if not task.stuck else Status.PENDING))
    if not task.stuck:
        project.edit(task_id, Edit(status=Status.PENDING))


def check_said(project: Project, task_id: str, what: str, text: str) -> None:
    """Fail unless the audit trail has exactly what was said, and the body a section that holds it."""
    said: list[Any] = [event["data"] for event in project.events(task_id)]
    assert text.strip() in [data.get(what) for data in said]
    section = sections.section(project.body(task_id), f"{what.capitalize()}s") or ""
    if not re.search("[#`~<]", text):
        assert section.endswith("\n".join(text.strip().splitlines()) if "\r" in text else text.strip()), text


def test_every_text_through_every_move_is_kept_exactly_or_refused(ground: Ground) -> None:
    """Titles, labels, addresses, questions, answers, feedback, reasons: every text that comes after creation."""
    for texts in ground.chunks():
        project = ground.open()
        task = project.create(NewTask(name="task", body="## Context\n\nWhat is wanted.\n\n## Answers\n"))
        for text in texts:
            moved(project, task.id, text)
            assert sections.section(project.body(task.id), "Context") == "What is wanted.", text
        assert ground.open().board().problems == ()


def hostile_addresses(project: Project, text: str) -> None:
    """Use a text as the address of a task, wherever one is taken."""
    for what in (project.find, project.view, project.why, project.cancel, project.remove, project.log_file):
        attempt(lambda what=what: what(text))  # type: ignore[misc]
    attempt(lambda: project.create(NewTask(title="x", parent=text or "-")))
    attempt(lambda: project.create(NewTask(title="x", blocked_by=(text,))))
    attempt(lambda: project.list(Filter(parent=text or "-", label=text, session=text)))
    attempt(lambda: project.write_section("one", text, text))


def test_every_text_as_an_address_finds_nothing_and_harms_nothing(ground: Ground) -> None:
    """An address is looked up, never looked for in the file system; the one task that is there stays."""
    project = ground.open()
    one = project.create(NewTask(name="one", body="## Context\n\nx\n"))
    before = sorted(str(path) for path in ground.repo.rglob("*") if ".git" not in path.parts)
    for text in corpus(str(ground.cwd)):
        if text not in {"one", one.id}:
            hostile_addresses(project, text)
    assert project.find("one").id == one.id
    assert sorted(str(path) for path in ground.repo.rglob("*") if ".git" not in path.parts) == before


def hand_files(text: str) -> Iterator[bytes]:
    """Yield a task file for each way to write a text into each field by hand; `ID` stands for an id."""
    quoted = json.dumps(text, ensure_ascii=True)
    raw = text.encode("utf-8", "surrogateescape" if not re.search("[\ud800-\udc7f]", text) else "surrogatepass")
    for field in (*FREE[:-1], *STRICT[:-1], *LISTS, "workspace", "run", "tmux_session", "acceptance", "unknown"):
        head = b"---\nid: ID\n" + (b"" if field == "title" else b"title: sample\n")
        words = f"[{quoted}]" if field in LISTS else quoted
        yield head + f"{field}: {words}\n---\nx\n".encode()
        yield head + f"{field}: ".encode() + raw + b"\n---\n" + raw


def test_hand_written_files_are_understood_exactly_or_are_problems(ground: Ground) -> None:
    """Quoted or not, in every key: orange either reads the text or names the file; it never rewrites or believes it."""
    project = ground.open()
    good = project.create(NewTask(name="good"))
    written = {}
    for text in sample(str(ground.cwd), 45):
        for data in hand_files(text):
            task_id = names.new_id(os.urandom(32))
            content = data.replace(b"ID", task_id.encode(), 1)
            written[ground.write(f"x-{task_id}", content)] = content
    board = ground.open().board()
    assert good.id in board.tasks
    assert len(board.tasks) + len({problem.path for problem in board.problems}) >= len(written)
    assert {path: path.read_bytes() for path in written} == written
    for task in board.tasks.values():
        assert task.workspace is None or task.id == good.id
        assert all(branch is None or names.is_safe_branch(branch) for branch in (task.branch, task.base))
    project.parts.store.record()
    assert {path: path.read_bytes() for path in written} == written
    check_output(ground, sorted(board.tasks)[:30])


def test_whole_files_given_as_text_are_adopted_as_they_stand_or_refused(ground: Ground) -> None:
    """`create --from-file` and its library call: the same judgement as for a file written in place."""
    project = ground.open()
    for text in sample(str(ground.cwd), 25):
        for data in hand_files(text):
            task_id = names.new_id(os.urandom(32))
            content = data.replace(b"ID", task_id.encode(), 1).decode("utf-8", "surrogateescape")
            task = attempt(lambda content=content: project.adopt(content))  # type: ignore[misc]
            if task:
                assert project.text(task.id) == content


def check_output(ground: Ground, tasks: Sequence[str]) -> None:
    """Fail when a text a person reads carries anything that their terminal would obey."""
    lines = [("task", "list", "--all"), ("status",), ("task", "list", "--tree"), ("doctor",)]
    for task in tasks:
        lines += [("task", "show", task), ("task", "why", task), ("task", "events", task)]
    for argv in lines:
        status, out, errors = ground.cli(*argv)
        assert status in {0, 1}, (argv, out, errors)
        for text in (out, errors):
            assert not CONTROL.search(text), (argv, CONTROL.search(text))


def cli_lines(text: str) -> Iterator[tuple[str, ...]]:
    """Yield command lines that carry a text in every place where a command takes one."""
    yield ("task", "create", "sample", text)
    yield ("task", "create", f"--label={text}", f"--session={text}", "sample")
    options = ("agent", "model", "effort", "assignee", "skill", "category", "criterion", "context-file", "requires")
    yield ("task", "create", "sample", *(f"--{option}={text}" for option in options))
    for option in ("base", "branch", "ref", "estimate", "type", "blocked-by", "parent", "body", "body-file"):
        yield ("task", "create", "sample", f"--{option}={text}")
    yield ("task", "update", "known", "--title", text, f"--add-label={text}", f"--message={text}")
    yield ("task", "show", text)
    yield ("task", "reject", "known", "--feedback", text)
    yield ("ask", text)
    yield ("answer", "known", text)
    yield (text,)


def test_the_command_line_takes_hostile_texts_without_a_bug_and_shows_them_harmlessly(ground: Ground) -> None:
    """Exit codes 0, 1 and 2 only, nothing on a screen that a terminal would obey."""
    ground.cli("task", "create", "known")
    for text in sample(str(ground.cwd), 120):
        for argv in cli_lines(text):
            if argv == (text,) and text in {"--help", "-h"}:
                continue
            status, out, errors = ground.cli(*argv)
            assert status in {0, 1, 2}, (argv, out, errors)
            assert not CONTROL.search(out + errors), (argv, out, errors)
    check_output(ground, [task.id for task in list(ground.open().board().tasks.values())[::25]])
