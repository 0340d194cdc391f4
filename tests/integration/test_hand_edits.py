"""People edit, make, move, copy and delete task files by hand, while orange knows its own writes from theirs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.store import FileStore
from orange.core.lifecycle import Status
from orange.core.model import Claim, Priority
from orange.core.problems import BrokenFile, StaleWrite, TaskNotFound
from orange.core.storeports import Event
from tests.integration.store_place import CREATED, STAMP, Place, add, claim, make_id, task
from tests.integration.test_store_races import save_by_rename, save_in_place, save_with_backup

ONE, TWO, THREE = (make_id(number) for number in (1, 2, 3))
PATH = f"tasks/task-1-{ONE}/TASK.md"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A project with one recorded task."""
    made = Place(tmp_path / "r")
    add(made.store(), task(1))
    made.store().record()
    return made


def save_like_an_agent(path: Path, text: str) -> None:
    """Save as agents' file tools do: a temporary file elsewhere, renamed into place with its permissions."""
    part = path.parent.parent / f"TASK.md.tmp.{os.getpid()}"
    part.write_text(text)
    part.chmod(0o644)
    part.replace(path)


def save_piecemeal(path: Path, text: str) -> None:
    """Save as a slow editor does: cut to nothing, then in small writes."""
    with path.open("w", buffering=1) as file:
        for line in text.splitlines(keepends=True):
            file.write(line)
            file.flush()


SAVES = (save_in_place, save_by_rename, save_with_backup, save_like_an_agent, save_piecemeal)


@pytest.mark.parametrize("save", SAVES)
def test_every_way_of_saving_is_seen(place: Place, save: Callable[[Path, str], None]) -> None:
    """The edit is in force at the next read, offered, recorded as it stands, and nothing is left beside the file."""
    store = place.store()
    store.read()
    for number in range(3):
        text = place.text(PATH).replace("title: ", f"title: {number}")
        save(place.path(PATH), text)
        board = store.read()
        assert board.tasks[ONE].title.startswith(f"{number}")
        assert (board.problems, store.hand_edits()) == ((), (ONE,))
        assert place.store().read().tasks == board.tasks
        assert store.record()
        assert place.history.content(PATH) == text.encode()
        assert store.hand_edits() == ()
    assert os.listdir(place.path(PATH).parent) == ["TASK.md"]


def test_an_edit_of_the_same_size_in_the_same_instant_is_seen(place: Place) -> None:
    """Saved in place right after it was read, with the same length and a copied time: it is read again."""
    store = place.store()
    for number in range(50):
        found = os.stat(place.path(PATH))
        place.save(
            PATH,
            place.text(PATH).replace("Task 1", "Task 2")
            if number % 2 == 0
            else place.text(PATH).replace("Task 2", "Task 1"),
        )
        os.utime(place.path(PATH), ns=(found.st_atime_ns, found.st_mtime_ns))
        assert store.read().tasks[ONE].title == ("Task 2" if number % 2 == 0 else "Task 1")


def test_a_touch_changes_nothing(place: Place) -> None:
    """A new time, or a checkout of equal bytes, is no change: the board is the very same."""
    store = place.store()
    board = store.read()
    os.utime(place.path(PATH))
    assert store.read() is board
    shutil.copy(place.path(PATH), place.path("copy"))
    place.path("copy").replace(place.path(PATH))
    assert store.read() is board
    assert store.hand_edits() == ()


def test_own_writes_are_known(place: Place) -> None:
    """Neither the writer nor another process takes orange's own write for a hand edit (beads#1533)."""
    store, other = place.store(), place.store()
    other.read()
    for number in range(5):
        with store.transaction("title") as tx:
            tx.put(replace(tx.task(ONE), title=f"Own {number}"))
            tx.write_section(ONE, "Plan", f"step {number}")
        for one in (store, other, place.store()):
            board = one.read()
            assert (board.tasks[ONE].title, board.problems, one.hand_edits()) == (f"Own {number}", (), ())
        if number == 2:
            store.record()
    before = other.read()
    assert other.read() is before


def test_a_stale_editor_takes_nothing_back(place: Place) -> None:
    """Saved over a claim and other changes by an editor that had opened the file before: only its own change counts."""
    opened = place.text(PATH)
    place.pass_time(5)
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
        tx.put(replace(tx.task(ONE), labels=("urgent",), priority=Priority.HIGH))
        tx.write_section(ONE, "Plan", "APPROACH: x")
    place.save(PATH, opened.replace("title: Task 1", "title: Mine").replace("What is", "Who is"))
    for one in (store, place.store()):
        found = one.read().tasks[ONE]
        assert (found.title, found.status, found.labels, found.priority) == (
            "Mine",
            Status.WORKING,
            ("urgent",),
            Priority.HIGH,
        )
        assert found.epoch == 1
        assert not one.read().problems
    store.record()
    text = place.text(PATH)
    for wanted in ("title: Mine", "Who is wanted", "status: working", "labels: [urgent]", "priority: high", "epoch: 1"):
        assert wanted in text


def test_an_edit_of_a_version_long_gone_changes_no_status(place: Place) -> None:
    """Saved by an editor that began with a version nobody remembers: free keys count, its old status is refused."""
    opened = place.text(PATH)
    place.pass_time(5)
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    store.record()
    place.save(PATH, opened.replace("title: Task 1", "title: Mine"))
    board = store.read()
    found = board.tasks[ONE]
    assert (found.title, found.status, found.epoch) == ("Mine", Status.WORKING, 1)
    assert any("older version" in problem.message for problem in board.problems)
    assert store.hand_edits() == ()
    store.record()
    assert b"status: working" in (place.history.content(PATH) or b"")


def test_releasing_by_hand_unbinds_the_run(place: Place) -> None:
    """A working task set to cancelled in its file is cancelled, its claim released with the epoch kept."""
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    store.record()
    place.replace(PATH, ("status: working", "status: cancelled"))
    found = store.read().tasks[ONE]
    assert (found.status, found.claim, found.run) == (Status.CANCELLED, Claim(None, 1, None, None, None), None)
    store.record()
    assert f"run: {ONE}-1" not in place.text(PATH)
    assert place.store().read().tasks[ONE] == store.read().tasks[ONE]
    assert place.history.content(PATH) == place.path(PATH).read_bytes()


def test_a_write_takes_a_pending_hand_edit_along(place: Place) -> None:
    """A transaction builds on what the person has saved, and both are in the file afterwards."""
    place.replace(PATH, ("title: Task 1", "title: 'Mine'  # my reason"), ("status: pending", "status: backlog"))
    store = place.store()
    with store.transaction("label") as tx:
        assert (tx.task(ONE).title, tx.task(ONE).status) == ("Mine", Status.BACKLOG)
        tx.put(replace(tx.task(ONE), labels=("a",)))
    assert "title: 'Mine'  # my reason\n" in place.text(PATH)
    assert store.read().tasks[ONE].status is Status.BACKLOG
    assert store.hand_edits() == ()


def test_a_folder_moved_by_hand_is_the_same_task(place: Place) -> None:
    """The task keeps its id and protected values at its new place; the history follows, and nothing is doubled."""
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    store.record()
    place.path("tasks/group").mkdir()
    shutil.move(place.path(PATH).parent, place.path("tasks/group/renamed"))
    moved = "tasks/group/renamed/TASK.md"
    for one in (store, place.store()):
        board = one.read()
        assert (board.tasks[ONE].path, board.tasks[ONE].epoch, board.problems) == (moved, 1, ())
        assert one.hand_edits() == (ONE,)
    with store.transaction("label") as tx:
        tx.put(replace(tx.task(ONE), labels=("a",)))
    store.record()
    tip = place.history.commits[-1].blobs
    assert set(tip) == {moved}
    assert (store.read().problems, store.hand_edits()) == ((), ())
    place.pass_time(10)
    assert set(place.store().read().tasks) == {ONE}


def test_a_moved_folder_is_recorded_without_another_write(place: Place) -> None:
    """Moving alone is a hand edit: recorded as a deletion and an addition, claims and all."""
    place.path("tasks/group").mkdir()
    shutil.move(place.path(PATH).parent, place.path("tasks/group/renamed"))
    store = place.store()
    store.record()
    assert set(place.history.commits[-1].blobs) == {"tasks/group/renamed/TASK.md"}
    assert (store.read().problems, store.hand_edits()) == ((), ())


def test_two_tasks_swapped_by_hand(place: Place) -> None:
    """Folders that exchange their names keep each task's identity by the id in the file, or say what is wrong."""
    store = place.store()
    add(store, task(2))
    store.record()
    other = f"tasks/task-2-{TWO}/TASK.md"
    first, second = place.text(PATH), place.text(other)
    place.save(PATH, second)
    place.save(other, first)
    board = store.read()
    assert {problem.path for problem in board.problems} == {PATH, other}
    assert {task_id: found.id for task_id, found in board.tasks.items()} == {ONE: ONE, TWO: TWO}
    store.record()
    assert place.history.content(PATH) == first.encode()


def test_deleting_only_the_task_file_is_no_deletion(place: Place) -> None:
    """With its trail still there the task stays, frozen, with a problem that says what to do."""
    store = place.store()
    with store.transaction("event") as tx:
        claim(tx, ONE, f"{ONE}-1")
    place.path(PATH).with_name("events.jsonl").write_text("{}\n")
    place.path(PATH).unlink()
    store.read()
    place.pass_time(10)
    board = store.read()
    assert (set(board.tasks), set(board.frozen)) == ({ONE}, {ONE})
    assert "delete the whole folder" in board.problems[0].hint
    assert store.hand_edits() == ()


def test_a_deleted_folder_is_recorded_after_two_looks(place: Place) -> None:
    """The two looks may be those of different processes; the history keeps the file."""
    store = place.store()
    add(store, *(task(number) for number in range(2, 90)))
    store.record()
    store.read()
    shutil.rmtree(place.path(PATH).parent)
    assert ONE in place.store().read().tasks
    place.pass_time(0.6)
    place.store().read()
    place.pass_time(0.6)
    store.read()
    place.pass_time(0.6)
    store.record()
    assert PATH not in place.history.commits[-1].blobs
    assert ONE not in store.read().tasks
    with pytest.raises(TaskNotFound):
        store.body(ONE)


@pytest.mark.parametrize("lost", ["", "tasks"])
def test_everything_gone_at_once_is_an_accident(place: Place, lost: str) -> None:
    """`git clean` takes the folder away: no task is believed deleted, all are frozen, and a problem says so."""
    store = place.store()
    store.read()
    shutil.rmtree(place.path(lost) if lost else place.layout.tree)
    for _ in range(3):
        for one in (store, place.store()):
            board = one.read()
            assert (set(board.tasks), set(board.frozen), one.hand_edits()) == ({ONE}, {ONE}, ())
            assert any("missing" in problem.message for problem in board.problems)
            assert one.record() is None
        place.pass_time(10)
    os.makedirs(place.path(PATH).parent)
    place.path(PATH).write_bytes(place.history.content(PATH) or b"")
    board = store.read()
    assert (set(board.tasks), board.frozen, board.problems) == ({ONE}, frozenset(), ())


def test_a_folder_made_anew_gets_back_what_only_the_journal_has(place: Place) -> None:
    """After a restore from the branch, unrecorded writes, new tasks and audit lines come on top again."""
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
        tx.event(ONE, Event(STAMP, "task.claimed", "daemon", {}))
    add(store, task(2), task(3, parent=TWO))
    with store.transaction("remove") as tx:
        tx.put(replace(tx.task(THREE), parent=None))
        tx.remove(TWO)
    right = store.read()
    for one in (place.store(), store):
        shutil.rmtree(place.layout.tree)
        for path, blob in place.history.commits[-1].blobs.items():
            place.save(path, place.history.read(blob).decode())
        for _ in range(3):
            board = one.read()
            assert (dict(board.tasks), board.problems, one.hand_edits()) == (dict(right.tasks), (), ())
            assert len(one.events(ONE)) == 1
            place.pass_time(10)
    shutil.rmtree(place.layout.tree)
    os.makedirs(place.path("tasks"))
    with place.store().transaction("edit") as tx:
        tx.put(replace(tx.task(THREE), title="Other"))
    assert place.store().read().tasks[THREE].title == "Other"


def test_a_restore_in_progress_is_no_deletion(place: Place) -> None:
    """While files come back one by one, however slowly, the others are not believed to be deleted."""
    store = place.store()
    add(store, *(task(number) for number in range(2, 9)))
    store.record()
    files = {path: place.text(path) for path in place.history.commits[-1].blobs}
    shutil.rmtree(place.path("tasks"))
    store.read()
    for path, text in files.items():
        place.pass_time(0.4)
        place.save(path, text)
        board = store.read()
        assert (len(board.tasks), store.hand_edits()) == (8, ())
    assert not store.read().problems


def test_no_new_task_is_made_where_all_the_others_vanished(place: Place) -> None:
    """With the folder of tasks gone, making it anew for one task would say that the others were meant to go."""
    store = place.store()
    shutil.rmtree(place.path("tasks"))
    with pytest.raises(BrokenFile, match="folder is missing"):
        add(store, task(2))
    assert not place.path("tasks").exists()


def test_an_emptied_folder_is_a_wish(place: Place) -> None:
    """All task folders deleted, with the folder of tasks left: believed after two looks."""
    store = place.store()
    shutil.rmtree(place.path(PATH).parent)
    store.read()
    place.pass_time(1)
    assert not store.read().tasks
    store.record()
    assert place.history.commits[-1].blobs == {}


def test_a_folder_that_cannot_be_looked_into_is_unknown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in an unreadable folder stays on the board, frozen; it is never taken for deleted."""
    store = place.store()
    store.read()
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("/tasks"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    place.path("tasks/new").mkdir()
    for _ in range(3):
        board = store.read()
        assert (set(board.tasks), store.hand_edits()) == ({ONE}, ())
        assert "Permission denied" in board.problems[0].message
        place.pass_time(10)
    board = place.store().read()
    assert (set(board.tasks), set(board.frozen)) == ({ONE}, {ONE})


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe", "folder", "large"])
def test_only_plain_files_inside_the_tree_are_read(place: Place, tmp_path: Path, kind: str) -> None:
    """Links, pipes, folders and huge files are problems; nothing outside is read and nothing hangs."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "TASK.md").write_text(f"---\nid: {TWO}\ntitle: Outside\n---\n")
    bad = place.path("tasks/bad")
    if kind == "folder link":
        bad.symlink_to(outside)
    else:
        bad.mkdir()
        _spoil(bad / "TASK.md", kind, outside)
    store = place.store()
    board = store.read()
    assert set(board.tasks) == {ONE}
    assert any(problem.path.startswith("tasks/bad") for problem in board.problems)
    with store.transaction("other") as tx:
        tx.put(replace(tx.task(ONE), title="Goes on"))
    assert not store.hand_edits()


def _spoil(target: Path, kind: str, outside: Path) -> None:
    match kind:
        case "link":
            target.symlink_to(outside / "TASK.md")
        case "pipe":
            os.mkfifo(target)
        case "folder":
            target.mkdir()
        case _:
            target.write_bytes(f"---\nid: {TWO}\ntitle: Large\n---\n".encode() + b"x" * (1 << 21))


def test_a_link_put_in_the_way_of_a_write_is_not_followed(place: Place, tmp_path: Path) -> None:
    """A task's folder replaced by a link to somewhere else: the write is refused and nothing outside changes."""
    store = place.store()
    store.read()
    outside = tmp_path / "outside"
    shutil.move(place.path(PATH).parent, outside)
    place.path(PATH).parent.symlink_to(outside)
    before = (outside / "TASK.md").read_bytes()
    with pytest.raises((TaskNotFound, BrokenFile, StaleWrite)), store.transaction("x") as tx:
        tx.put(replace(tx.task(ONE), title="Through the link"))
    assert (outside / "TASK.md").read_bytes() == before
    assert os.listdir(outside) == ["TASK.md"]


def test_files_beside_tasks_are_recorded(place: Place) -> None:
    """Configuration, plans, pipelines and prompts are in the history with the next record; a deletion needs two."""
    store = place.store()
    for path in ("config.yaml", "plans/p.md", "pipelines/x.yaml", "prompts/deep/er.md"):
        place.save(path, "one")
    place.save("notes.txt", "not ours")
    assert store.record()
    assert set(place.history.commits[-1].blobs) == {
        PATH,
        "config.yaml",
        "plans/p.md",
        "pipelines/x.yaml",
        "prompts/deep/er.md",
    }
    assert store.record() is None
    place.save("config.yaml", "two")
    assert place.store().record()
    assert place.history.content("config.yaml") == b"two"
    place.path("plans/p.md").unlink()
    assert store.record() is None
    assert store.record()
    assert "plans/p.md" not in place.history.commits[-1].blobs
    assert place.history.commits[-1].message == "Accept hand edits\n\n- plans/p.md"


def test_permissions_of_a_file_survive_a_write(place: Place) -> None:
    """A file its owner made private stays private."""
    place.path(PATH).chmod(0o600)
    with place.store().transaction("x") as tx:
        tx.put(replace(tx.task(ONE), title="Private"))
    assert place.path(PATH).stat().st_mode & 0o777 == 0o600


def test_accepted_values_come_back_when_the_person_takes_a_refused_edit_back(place: Place) -> None:
    """Undoing the refused line ends the problem; the free edits beside it are then recorded."""
    store: FileStore = place.store()
    place.replace(PATH, ("status: pending", "status: done"), ("title: Task 1", "title: Mine"))
    assert store.read().problems
    assert store.record() is None
    place.replace(PATH, ("status: done", "status: pending"))
    assert (store.read().problems, store.hand_edits()) == ((), (ONE,))
    assert store.record()
    assert store.read().tasks[ONE].title == "Mine"


def test_a_hand_made_task_keeps_its_name(place: Place) -> None:
    """A file without a name gets the one its title gave it, so that a new title does not change it."""
    place.save("tasks/mine/TASK.md", f"---\nid: {THREE}\ntitle: First title\n---\n\ntext\n")
    store = place.store()
    store.record()
    place.replace("tasks/mine/TASK.md", ("First title", "Second title"))
    board = store.read()
    assert (board.tasks[THREE].name, board.tasks[THREE].title, board.problems) == ("first-title", "Second title", ())
    assert board.tasks[THREE].created_at > CREATED
    assert STAMP not in place.text("tasks/mine/TASK.md")
