"""Many processes, and editors that know no locks, work on the same files at once.

The same with real commands among them: `tests/acceptance/test_races.py`.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.journal import Disk
from orange.adapters.store import FileStore
from orange.core.lifecycle import Status
from orange.core.model import Claim, Priority
from orange.core.problems import BrokenFile, StaleWrite
from orange.testing.repos import until
from tests.integration.store_place import STAMP, Place, add, claim, in_processes, make_id, quick_folder, task

ONE, TWO = make_id(1), make_id(2)


@pytest.fixture
def place() -> Iterator[Place]:
    """A project where syncing costs nothing, so that races are many."""
    with quick_folder() as folder:
        yield Place(folder / "r")


@pytest.mark.parametrize(("processes", "tasks"), [(2, 200), (8, 200)])
def test_every_task_is_claimed_exactly_once(place: Place, processes: int, tasks: int) -> None:
    """However many processes claim, none of the tasks is claimed twice and none is missed (seed failure 1)."""
    ids = [made.id for made in add(place.store(), *(task(number) for number in range(tasks)))]

    def work(number: int) -> list[str]:
        store, mine = place.store(), []
        for task_id in random.Random(number).sample(ids, len(ids)):
            try:
                with store.transaction("claim") as tx:
                    claim(tx, task_id, f"{task_id}-by-{number}")
                mine.append(task_id)
            except LookupError:
                continue
        return mine

    claimed = [(task_id, number) for number, mine in enumerate(in_processes(processes, work)) for task_id in mine]
    assert sorted(task_id for task_id, _ in claimed) == sorted(ids)
    board = place.store().read()
    assert {task_id: found.claim and found.claim.run for task_id, found in board.tasks.items()} == {
        task_id: f"{task_id}-by-{number}" for task_id, number in claimed
    }
    assert not board.problems


def test_readers_see_all_of_a_write_or_nothing(place: Place) -> None:
    """While two tasks change together, with their parent folder's place, no reader sees one without the other."""
    add(place.store(), task(1), task(2))
    stop = place.root / "stop"

    def work(number: int) -> list[str]:
        if number == 0:
            return _write_pairs(place, stop)
        return _read_pairs(place, stop)

    odd = in_processes(4, work)
    assert [mistakes for mistakes in odd if mistakes] == []
    assert len(place.store().read().tasks[ONE].labels) == 150


def test_readers_see_no_hand_edit_while_writes_go_into_history(place: Place) -> None:
    """One looks right before any operation that records; all is recorded right before any operation of a look."""
    writer = place.store()
    recording, looking = Meddler(0, lambda: _check(reader)), Meddler(0, writer.record)
    recorder, reader = place.store(recording), place.store(looking)
    add(writer, task(1), task(2))
    for seam, do in ((recording, recorder.record), (looking, lambda: _check(reader))):
        number, reached = 0, True
        while reached:
            number += 1
            for serial in range(3):
                _label_both(writer, f"l{number}-{serial}")
            seam.count, seam.at = 0, number
            do()
            reached, seam.at = seam.count >= number, 0
        assert number > 4


def _check(reader: FileStore) -> None:
    board = reader.read()
    assert not board.problems
    assert not reader.hand_edits()
    assert board.tasks[ONE].labels == board.tasks[TWO].labels


def _label_both(store: FileStore, label: str) -> None:
    with store.transaction("pair") as tx:
        for task_id in (ONE, TWO):
            found = tx.task(task_id)
            tx.put(replace(found, labels=(*found.labels, label)))


def _write_pairs(place: Place, stop: Path) -> list[str]:
    store = place.store()
    for serial in range(150):
        _label_both(store, f"l{serial}")
        if serial % 20 == 0:
            store.record()
    stop.touch()
    return []


def _read_pairs(place: Place, stop: Path) -> list[str]:
    store, mistakes = place.store(), []
    while not stop.exists():
        board = store.read()
        if board.problems or set(board.tasks) != {ONE, TWO} or store.hand_edits():
            mistakes.append(f"{board.problems} {sorted(board.tasks)} {store.hand_edits()}")
        elif board.tasks[ONE].labels != board.tasks[TWO].labels:
            mistakes.append(f"{board.tasks[ONE].labels[-1:]} {board.tasks[TWO].labels[-1:]}")
    return mistakes


def save_in_place(path: Path, text: str) -> None:
    """Save as `nano` and shells do: cut the file to nothing, then write."""
    path.write_bytes(text.encode())


def save_by_rename(path: Path, text: str) -> None:
    """Save as most editors and agents do: a new file, renamed over the old."""
    part = path.with_name(".TASK.md.swp")
    part.write_bytes(text.encode())
    part.replace(path)


def save_with_backup(path: Path, text: str) -> None:
    """Save as vim does: the old file becomes a backup, the new one is made, the backup goes."""
    backup = path.with_name("TASK.md~")
    path.replace(backup)
    path.write_bytes(text.encode())
    backup.unlink()


SAVES = (save_in_place, save_by_rename, save_with_backup)


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "rename"])
def test_an_editor_that_saves_during_writes_loses_nothing(
    place: Place, save: Callable[[Path, str], None], exchange: bool
) -> None:
    """Orange adds labels while a person, without any lock, changes the title again and again: both get through.

    A text stays open for fewer writes than orange compares it with. Without an exchange an edit in the very instant of
    a write may go; there the person saves a last time afterwards.
    """
    add(place.store(), task(1))
    path = place.path(f"tasks/task-1-{ONE}/TASK.md")
    done = threading.Event()
    titles: list[str] = []
    labels: list[str] = []
    #: How many labels there were when the person opened the text; empty while it is not open.
    opened: list[int] = []
    chance = random.Random(7)

    def edit_once() -> None:
        """Read, think for a moment, save, as a person's editor does; then wait to be taken note of."""
        title = f"Title {len(titles) + 1}"
        opened.append(len(labels))
        text = _whole(path)
        time.sleep(chance.random() * 0.004)
        save(path, _with_title(text, title))
        titles.append(title)
        opened.clear()
        time.sleep(chance.random() * 0.02)

    def edit() -> None:
        while not done.is_set():
            edit_once()
        if not exchange:
            edit_once()

    store = place.store(exchange=exchange)
    person = threading.Thread(target=edit)
    person.start()
    try:
        while person.is_alive() and (len(labels) < 120 or len(titles) < 20):
            until(lambda: all(len(labels) - at < 16 for at in tuple(opened)))
            labels.append(_add_label(store, len(labels)))
    finally:
        done.set()
        person.join()
    store.record()
    found = place.store().read().tasks[ONE]
    assert len(titles) >= 20
    assert list(found.labels) == labels
    assert found.title == titles[-1]
    assert f"title: {titles[-1]}\n" in path.read_text()
    assert not place.store().read().problems


def _whole(path: Path) -> str:
    """Read a file as an editor opens it: when it is there and whole."""
    while True:
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        if text.endswith("wanted.\n"):
            return text


def _with_title(text: str, title: str) -> str:
    return "".join(
        f"title: {title}\n" if line.startswith("title:") else line for line in text.splitlines(keepends=True)
    )


def _add_label(store: FileStore, serial: int) -> str:
    label = f"label-{serial}"
    while True:
        # A refusal says so and changes nothing: it is tried again.
        with contextlib.suppress(StaleWrite, BrokenFile):
            with store.transaction("label") as tx:
                found = tx.task(ONE)
                tx.put(replace(found, labels=(*found.labels, label)))
            return label


class Meddler:
    """A seam at which an editor saves, right before the N-th operation of a write."""

    def __init__(self, at: int, save: Callable[[], object]) -> None:
        self.count, self.at, self.save = 0, at, save

    def __call__(self, _operation: str, _path: str) -> None:
        self.count += 1
        if self.count == self.at:
            self.save()


@pytest.mark.parametrize("save", SAVES)
def test_an_edit_at_any_instant_of_a_write_is_merged(save: Callable[[Path, str], None]) -> None:
    """An editor that had the old text open saves before any single operation: title and claim are both in force."""
    number, reached = 0, True
    while reached:
        number += 1
        with quick_folder() as folder:
            place = Place(folder)
            (made,) = add(place.store(), task(1))
            path = place.path(made.path)
            text = _with_title(path.read_text(), "By hand")
            seam = Meddler(number, lambda path=path, text=text: save(path, text))  # type: ignore[misc] # bound per round
            store = place.store(seam)
            with store.transaction("claim") as tx:
                claim(tx, ONE, f"{ONE}-1")
            reached, seam.at = seam.count >= number, 0
            for seen in (store, place.store()):
                found = seen.read().tasks[ONE]
                assert found.status is Status.WORKING, number
                assert found.claim == Claim(f"{ONE}-1", 1, "n0nce", "host", STAMP)
                assert found.title == ("By hand" if reached else "Task 1")
            place.store().record()
            assert ("title: By hand" in path.read_text()) == reached
            assert "status: working" in path.read_text()
            assert not place.store().read().problems
            assert not os.path.exists(f"{place.layout.runtime}/conflicts")
    assert number > 20


def test_an_editor_that_still_has_the_file_open_is_waited_for(place: Place) -> None:
    """A program that opened the file before the write and writes into it afterwards loses nothing either."""
    (made,) = add(place.store(), task(1))
    path = place.path(made.path)
    opened, swapped = path.open("r+b"), threading.Event()
    text = opened.read()

    def finish(_seconds: float) -> None:
        """Save when orange waits, which it does because the file is open for writing."""
        if not swapped.is_set():
            opened.seek(0)
            opened.write(text.replace(b"title: Task 1", b"title: Typed "))
            opened.close()
            swapped.set()

    store = FileStore(place.layout, place.history, place.clock, disk=Disk(pause=finish))
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    assert swapped.is_set()
    found = place.store().read().tasks[ONE]
    assert (found.title, found.status) == ("Typed", Status.WORKING)


def test_a_file_kept_open_for_ever_is_kept_aside_when_it_was_written(place: Place) -> None:
    """A writer that never closes in time: its text is kept for the person to look at, and a problem says where."""
    (made,) = add(place.store(), task(1))
    with place.path(made.path).open("r+b") as opened:
        with FileStore(place.layout, place.history, place.clock, disk=Disk(pause=lambda _: None)).transaction(
            "x"
        ) as tx:
            tx.put(replace(tx.task(ONE), priority=Priority.LOW))
        opened.write(b"LATE")
    assert place.store().read().tasks[ONE].priority is Priority.LOW
    add(place.store(), task(2))
    (problem,) = place.store().read().problems
    assert Path(problem.path).read_bytes().startswith(b"LATE")


def test_two_edits_of_one_key_keep_the_persons(place: Place) -> None:
    """Where both set the same key in the same instant the person's stays in the file, and ours is in the history."""
    (made,) = add(place.store(), task(1))
    place.store().record()
    path = place.path(made.path)
    text = path.read_text().replace("priority: medium", "priority: critical").replace("Task 1", "By hand")
    seen: list[str] = []

    def seam(operation: str, _path: str) -> None:
        if operation == "exchange" and not seen:
            path.write_text(text)
            seen.append(operation)

    with place.store(seam).transaction("low") as tx:
        tx.put(replace(tx.task(ONE), priority=Priority.LOW, labels=("a",)))
    store = place.store()
    found = store.read().tasks[ONE]
    assert (found.priority, found.title, found.labels) == (Priority.CRITICAL, "By hand", ("a",))
    store.record()
    contents = [place.history.read(commit.blobs[made.path]).decode() for commit in place.history.commits]
    assert ["priority: low" in content for content in contents] == [False, True, False]


def test_an_unreadable_edit_in_the_instant_of_a_write_is_refused(place: Place) -> None:
    """What cannot be merged is put back exactly as the person saved it; the write is refused with nothing changed."""
    (made,) = add(place.store(), task(1))
    path = place.path(made.path)

    def seam(operation: str, _path: str) -> None:
        if operation == "exchange":
            path.write_text("---\ntitle: [\n---\n")

    with pytest.raises(StaleWrite, match="by hand"), place.store(seam).transaction("low") as tx:
        tx.put(replace(tx.task(ONE), priority=Priority.LOW))
    assert path.read_text() == "---\ntitle: [\n---\n"
    assert os.listdir(place.layout.journal) == ["000000000001.done"]
    board = place.store().read()
    assert board.frozen == {ONE}


def test_a_finished_blocker_keeps_its_edge(place: Place) -> None:
    """Edges are never erased, and an archived blocker is still on the board (seed failure 7)."""
    store = place.store()
    add(store, task(1, status=Status.DONE), task(2, blocked_by=(ONE,)))
    with store.transaction("archive") as tx:
        tx.move(ONE, "archive/2026/11")
    board = store.read()
    assert board.tasks[TWO].blocked_by == (ONE,)
    assert board.tasks[ONE].status is Status.DONE


def test_a_replaced_lock_file_has_no_two_holders(place: Place) -> None:
    """Somebody deletes the lock file while it is held: the next holder waits for the new file's lock, once."""
    store, other = place.store(), place.store()
    add(store, task(1))
    order: list[str] = []

    def second() -> None:
        with other.transaction("second") as tx:
            order.append(f"second sees {tx.task(ONE).title}")

    with store.transaction("first") as tx:
        tx.put(replace(tx.task(ONE), title="Other"))
        thread = threading.Thread(target=second)
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second sees Other"]
    with pytest.raises(RuntimeError, match="inside"), store.transaction("a"), store.transaction("b"):
        pass


def test_a_forked_child_does_not_keep_the_lock(place: Place) -> None:
    """A child forked by another thread while the lock is held neither holds nor releases it."""
    store = place.store()
    add(store, task(1))
    with store.transaction("hold"):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(read, 1)
            os._exit(0)
    with place.store().transaction("next") as tx:
        assert tx.task(ONE).id == ONE
    os.write(write, b"x")
    os.waitpid(pid, 0)
    for end in (read, write):
        os.close(end)
