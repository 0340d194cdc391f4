"""Hostile texts through every entrance: kept exactly or refused clearly, never believed by a shell, git, tmux or YAML.

The corpus tries to create a file called `CANARY` in many ways; whoever finds one has found a hole.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orange import wiring
from orange.adapters.sessions import address
from orange.cli.call import Call
from orange.cli.doors import RealDoors
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.core import body as sections
from orange.core import names, runfiles
from orange.core.lifecycle import Actor, Status
from orange.core.model import Board, Task
from orange.core.present import visible
from orange.core.problems import OrangeError
from orange.project import Project
from orange.project.claims import claim_run
from orange.project.reading import select
from orange.project.requests import Edit, Filter, NewTask, Speaker
from orange.testing import repos
from tests.acceptance.conftest import configure, fresh_home
from tests.acceptance.place import Place
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
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


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

    def write_much(self) -> Project:
        """Open the project for many writes: history is written once, at the end, as the daemon does."""
        return Project(wiring.open_parts(str(self.repo), daemon=True), ADA)

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


def attempt(what: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Do something; a refusal in one clear sentence is as good. Everything else escapes."""
    refused: OrangeError | None = None
    try:
        return what(*args, **named)
    except OrangeError as error:
        refused = error
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
    return text.rstrip("\n") or {"skill": "auto", "type": "task"}.get(field)


def given(field: str, text: str) -> dict[str, Any]:
    """Return the arguments of a request that puts a text into a field."""
    title = {} if field in {"title", "name"} else {"title": "sample"}
    return {**title, field: (text,) if field in LISTS else text}


def create_all(project: Project, text: str, made: dict[str, list[tuple[str, str]]]) -> None:
    """Put a text into every field: into the free ones at once, and where that is refused one by one."""
    together = {key: value for field in (*FREE, *LISTS) for key, value in given(field, text).items()}
    task = attempt(project.create, NewTask(**{**together, "title": text}))
    if task:
        made[task.id] = [(field, text) for field in (*FREE, *LISTS)]
    for field in STRICT if task else (*FREE, *LISTS, *STRICT):
        one = attempt(project.create, NewTask(**given(field, text)))
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
    assert getattr(task, field) == wanted or not text.strip("\n"), (field, text)
    plain = yaml.safe_load(front(project, task)).get(field)
    plain = plain.rstrip("\n") if isinstance(plain, str) else plain
    assert plain == (list(wanted) if isinstance(wanted, tuple) else wanted) or text.strip() in {"", "auto"}, (
        field,
        text,
        plain,
    )


def front(project: Project, task: Task) -> str:
    """Return the frontmatter of a task's file."""
    text = Path(f"{project.layout.tree}/{task.path}").read_bytes().decode()
    return text.split("\n---\n", 1)[0].removeprefix("---\n")


def test_every_text_in_every_field_of_a_new_task_is_kept_exactly_or_refused(ground: Ground) -> None:
    """The whole corpus through the library: what was accepted reads back as given, in a new process's eyes too."""
    for texts in ground.chunks():
        project = ground.write_much()
        made: dict[str, list[tuple[str, str]]] = {}
        for text in texts:
            create_all(project, text, made)
        project.parts.store.record()
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
    if attempt(project.edit, task_id, Edit(title=text)):
        assert project.find(task_id).title == " ".join(text.split())
    if attempt(project.edit, task_id, Edit(add_labels=(text,))):
        assert text in project.find(task_id).labels
        project.edit(task_id, Edit(remove_labels=(text,)))
    attempt(project.edit, task_id, Edit(block=(text,)))
    attempt(project.edit, task_id, Edit(unblock=(text,)))
    run = str(claim_run(project.parts, ADA, task_id).run)
    agent = Project(project.parts, Speaker(Actor.AGENT, run, task_id, run))
    if attempt(agent.ask, text):
        check_said(project, task_id, "question", text)
        if attempt(project.answer, task_id, text):
            check_said(project, task_id, "answer", text)
        project.edit(task_id, Edit(status=Status.PENDING))
        claim_run(project.parts, ADA, task_id)
    project.edit(task_id, Edit(status=Status.REVIEWING))
    attempt(project.reject, task_id, text)
    attempt(project.edit, task_id, Edit(status=Status.STUCK, message=text))
    task = project.find(task_id)
    if task.stuck and text:
        assert visible(task.stuck.message).startswith(visible(text)[:15_000])
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
        project = ground.write_much()
        task = project.create(NewTask(name="task", body="## Context\n\nWhat is wanted.\n\n## Answers\n"))
        for text in texts:
            moved(project, task.id, text)
            assert sections.section(project.body(task.id), "Context") == "What is wanted.", text
        assert ground.open().board().problems == ()


def hostile_addresses(project: Project, text: str) -> None:
    """Use a text as the address of a task, wherever one is taken."""
    for what in (project.find, project.path_of, project.cancel, project.remove, project.log_file, project.approve):
        attempt(what, text)
    attempt(project.create, NewTask(title="x", parent=text or "-"))
    attempt(project.create, NewTask(title="x", blocked_by=(text,)))
    attempt(project.write_section, "one", text, text)


def test_every_text_as_an_address_finds_nothing_and_harms_nothing(ground: Ground) -> None:
    """An address is looked up, never looked for in the file system; the one task that is there stays."""
    project = ground.write_much()
    board, settings = project.board(), project.settings
    for text in corpus(str(ground.cwd)):
        attempt(select, board, settings, frozenset(), Filter(parent=text or "-", label=text))
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
    for text in sample(str(ground.cwd), 33):
        for data in hand_files(text):
            task_id = names.new_id(os.urandom(32))
            content = data.replace(b"ID", task_id.encode(), 1)
            written[ground.write(f"x-{task_id}", content)] = content
    board = ground.open().board()
    assert good.id in board.tasks
    assert len(board.tasks) + len({problem.path for problem in board.problems}) >= len(written)
    assert {path: path.read_bytes() for path in written} == written
    for task in board.tasks.values():
        assert all(branch is None or names.is_safe_branch(branch) for branch in (task.branch, task.base))
    project.parts.store.record()
    for path, data in written.items():  # what is fixed at creation is written down; nothing else is touched
        lines = path.read_bytes().split(b"\n")
        assert [line for line in data.split(b"\n") if line not in lines] == []
    check_output(ground, sorted(board.tasks)[:4])


def test_whole_files_given_as_text_are_adopted_as_they_stand_or_refused(ground: Ground) -> None:
    """`create --from-file` and its library call: the same judgement as for a file written in place."""
    project = ground.write_much()
    for text in sample(str(ground.cwd), 12):
        for data in hand_files(text):
            task_id = names.new_id(os.urandom(32))
            content = data.replace(b"ID", task_id.encode(), 1).decode("utf-8", "surrogateescape")
            task = attempt(project.adopt, content)
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
    for text in sample(str(ground.cwd), 25):
        for argv in cli_lines(text):
            if argv == (text,) and text in {"--help", "-h"}:
                continue
            status, out, errors = ground.cli(*argv)
            assert status in {0, 1, 2}, (argv, out, errors)
            assert not CONTROL.search(out), (argv, out)
    check_output(ground, [task.id for task in list(ground.open().board().tasks.values())[::40]])


def test_a_refusal_shows_the_text_it_refuses_harmlessly(ground: Ground) -> None:
    """Standard error goes to a terminal too."""
    for option in ("body-file", "parent", "blocked-by", "from-file", "ref"):
        _, _, errors = ground.cli("task", "create", *(("x",) * (option != "from-file")), f"--{option}=\x1b[31mred")
        assert not CONTROL.search(errors), errors


SHIM = """#!/bin/sh
{{ printf 'CALL\\0%d\\0' "$#"; [ "$#" = 0 ] || printf '%s\\0' "$@"; }} >> '{log}/{name}.'$$
exec '{real}' "$@"
"""


def shims(folder: Path) -> Path:
    """Make programs that note their arguments and are then git and tmux; return where they note them."""
    log = folder / "calls"
    log.mkdir(parents=True)
    for name in ("git", "tmux"):
        path = folder / name
        path.write_text(SHIM.format(log=log, name=name, real=shutil.which(name)))
        path.chmod(0o755)
    return log


def calls(log: Path, name: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of a program."""
    for path in log.glob(f"{name}.*"):
        words = iter(path.read_bytes().decode("utf-8", "surrogateescape").split("\0"))
        while next(words, "") == "CALL":
            count = int(next(words))
            yield [next(words) for _ in range(count)]


#: What tmux is told: words, paths, names, targets and ids of orange's own making.
TMUX_WORD = re.compile(r"[A-Za-z0-9_./:=@%$,-]+|\$[0-9]+|;")


def check_tmux(argv: list[str], runtime: str) -> None:
    """Fail where an argument of tmux is neither plain nor one of orange's fixed words."""
    fixed = {
        address.LISTING,
        "#{pane_id}",
        "#{session_id}",
        "#{session_name}",
        *address.END_IF_EMPTY,
    }
    for word in argv:
        run = word.removeprefix(f"{runfiles.RUN_MARK}=").split(" ")
        launches = len(run) > 5 and runfiles.is_safe(run[5]) and word == runfiles.launcher(run[5])
        assert TMUX_WORD.fullmatch(word) or word in fixed or launches or runtime in word, (word, argv)


def check_git(argv: list[str], texts: set[str]) -> None:
    """Fail where a hostile text is where git looks for options."""
    plain = argv[: next((at for at, word in enumerate(argv) if word in {"--", "--end-of-options"}), len(argv))]
    values = {at + 1 for at, word in enumerate(plain) if word in {"-m", "--message", "-c", "-C"}}
    for at, word in enumerate(plain):
        if word.startswith("-") and at not in values:
            assert re.match(r"--?[A-Za-z0-9-]*(=|$)", word), (word, argv)
            assert CANARY not in word, (word, argv)
            assert word not in texts, (word, argv)


def test_hostile_tasks_run_to_their_end_and_reach_no_program_as_anything_but_text(tmp_path: Path) -> None:
    """The daemon, the supervisor and the scripted agent on hostile tasks, in a repository of a hostile name."""
    with fresh_home() as home:
        log = shims(home / "shims")
        repo = tmp_path / f"re po'$(touch {CANARY.lower()})#(x);"
        place = Place(repo, home, extra={"PATH": f"{home}/shims:{os.environ['PATH']}"})
        try:
            run_hostile_tasks(place, tmp_path)
        finally:
            place.close()
        check_no_canary(tmp_path)
        check_no_canary(home)
        texts = {text for text in sample(str(tmp_path), 400) if text.startswith("-") and len(text) > 2}
        seen = {name: list(calls(log, name)) for name in ("git", "tmux")}
        assert min(map(len, seen.values())) > 10
        for argv in seen["tmux"]:
            check_tmux(argv, str(repo))
        for argv in seen["git"]:
            check_git(argv, texts)


def run_hostile_tasks(place: Place, folder: Path) -> None:
    """Make a project, tasks of hostile texts, and let the daemon work them off."""
    place.repo.mkdir()
    place.git("init", "-q")
    (place.repo / "README.md").write_text("# Sample\n")
    place.git("add", ".")
    place.git("commit", "-q", "-m", "Begin")
    place.orange("init")
    configure(place, "agent: script\nreview: {by: none}\n")
    made = []
    for text in [text for text in sample(str(folder), 60) if len(text) < 1000 and text.strip()][:16]:
        options = [f"--{name}={text}" for name in ("label", "category", "session", "criterion", "context-file")]
        argv = place.argv("task", "create", "--json", *options, f"--body={text}", "--", "sample", text)
        answer = subprocess.run(argv, cwd=place.repo, env=place.env, capture_output=True, text=True, check=False)
        assert answer.returncode in {0, 1}, answer
        if answer.returncode == 0:
            made.append(json.loads(answer.stdout)["task"]["id"])
    assert len(made) > 8
    place.start()
    place.until(lambda: set(place.statuses().values()) == {"done"}, "every task to be done", 150)
    for words in (("task", "list", "--all"), ("status",), ("task", "show", made[0]), ("task", "log", made[1])):
        shown = place.orange(*words)
        assert not CONTROL.search(shown.out.replace("\r\n", "\n") + shown.err), words
