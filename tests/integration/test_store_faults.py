"""The disk fails, or the process is killed, at every single file operation of a write: nothing is ever lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from orange.adapters.store import FileStore
from orange.core.model import Board, Priority
from orange.core.problems import Problem, StorageFailed, UnfinishedWrite
from orange.core.storeports import Event, TaskStore, Transaction
from orange.testing.fakehistory import FakeHistory
from tests.integration.store_place import BODY, FAULTS, STAMP, Counter, Place, add, claim, make_id, quick_folder, task

ONE, TWO, THREE, NEW = (make_id(number) for number in (1, 2, 3, 9))

#: Of the operations at which a process is killed while it finishes another's write, one in so many is tried.
SPARE = 1 if os.environ.get("ORANGE_TORTURE") else 4


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder where syncing costs nothing."""
    with quick_folder() as made:
        yield made


Work = Callable[[Transaction], object]


def _create(tx: Transaction) -> None:
    tx.create(task(9, parent=ONE), BODY)
    tx.put(replace(tx.task(ONE), children=(NEW,)))
    tx.event(NEW, Event(STAMP, "task.created", "person", {}))


def _edit(tx: Transaction) -> None:
    tx.put(replace(tx.task(ONE), title="Other", labels=("a", "b")))
    tx.write_section(ONE, "Plan", "APPROACH: slowly")


def _claim(tx: Transaction) -> None:
    claim(tx, ONE, f"{ONE}-1")
    tx.event(ONE, Event(STAMP, "task.claimed", "daemon", {"run": f"{ONE}-1"}))


def _remove(tx: Transaction) -> None:
    tx.put(replace(tx.task(TWO), parent=None))
    tx.remove(ONE)


def _archive(tx: Transaction) -> None:
    tx.event(ONE, Event(STAMP, "task.completed", "daemon", {}))
    tx.move(ONE, "archive/2026/11")


WORKS: dict[str, Work] = {
    "create": _create, "edit": _edit, "claim": _claim, "remove": _remove, "archive": _archive,
}  # fmt: skip
works = pytest.mark.parametrize("name", WORKS)
#: How the disk does it: names are exchanged or not, files are synced one by one or all together.
Way = Mapping[str, int]
USUAL: Way = {"exchange": True}
ways = pytest.mark.parametrize("way", [USUAL, {"exchange": False}, {"many": 1}], ids=["exchange", "rename", "together"])


@dataclass(frozen=True)
class State:
    """Everything a reader can see."""

    tasks: dict[str, object]
    bodies: dict[str, str]
    trails: dict[str, int]
    problems: tuple[Problem, ...]
    edits: tuple[str, ...]


def see(store: TaskStore) -> State:
    """Look at everything through a store."""
    board: Board = store.read()
    return State(
        dict(board.tasks),
        {task_id: store.body(task_id) for task_id in board.tasks},
        {task_id: len(store.events(task_id)) for task_id in board.tasks},
        board.problems,
        store.hand_edits(),
    )


def run(store: TaskStore, name: str) -> None:
    """Do one piece of work as one transaction."""
    with store.transaction(name) as tx:
        WORKS[name](tx)


def refusal(store: TaskStore, name: str) -> StorageFailed | None:
    """Do one piece of work; how it was refused."""
    try:
        run(store, name)
    except StorageFailed as error:
        return error
    return None


class Scenario:
    """One piece of work, with what is seen before and after it, in places that are copied for each try."""

    def __init__(self, folder: Path, name: str, way: Way = USUAL) -> None:
        self.folder, self.name, self.way = folder, name, way
        self.tries = 0
        place = Place(folder / "seed")
        store = place.store()
        add(store, task(1, priority=Priority.HIGH), task(2, parent=ONE), task(3))
        with store.transaction("event") as tx:
            tx.event(ONE, Event(STAMP, "task.created", "person", {}))
        store.record()
        self.before = see(place.store())
        after = self.place()
        seam = Counter()
        run(after.store(seam, **way), name)
        self.after = see(after.store())
        #: How many file operations the work takes.
        self.operations = seam.count
        assert self.before != self.after
        assert self.operations > 10

    def place(self) -> Place:
        """Copy the seed."""
        self.tries += 1
        target = self.folder / str(self.tries)
        shutil.copytree(self.folder / "seed", target)
        return Place(target)

    def check(self, place: Place, failed: bool | None) -> None:
        """See old or new (old if it `failed`, new if it did not), nothing left over, and a retry that works."""
        seen = see(place.store())
        assert seen in (self.before, self.after)
        if failed is not None:
            assert seen == (self.before if failed else self.after)
        if seen == self.before:
            run(place.store(), self.name)
            assert see(place.store()) == self.after
        place.store().record()
        assert see(place.store()) == self.after
        assert not list(Path(place.layout.journal).iterdir())
        assert os.listdir(place.path(".staging")) == ["home"]
        assert not Path(place.layout.runtime, "conflicts").exists()
        shutil.rmtree(place.root)


@works
@ways
def test_a_failing_disk_changes_nothing(folder: Path, name: str, way: Way) -> None:
    """EIO, ENOSPC, EACCES at each operation: it worked, or nothing changed, that is said, and a retry works."""
    scenario = Scenario(folder, name, way)
    refused = 0
    for number in range(1, scenario.operations + 1):
        error = FAULTS[number % len(FAULTS)]
        place = scenario.place()
        seam = Counter(number, error)
        said = refusal(place.store(seam, **way), name)
        if said:
            assert os.strerror(error) in said.message, seam.last
            assert "Nothing was changed" in said.message, seam.last
            refused += 1
        scenario.check(place, failed=said is not None)
    assert refused > scenario.operations // 2


@works
def test_a_disk_that_stays_broken_loses_nothing(folder: Path, name: str) -> None:
    """Where not even taking back works, the journal keeps the whole change, says so, and the next look finishes it."""
    scenario = Scenario(folder, name)
    for number in range(1, scenario.operations + 1):
        place = scenario.place()
        said = refusal(place.store(Broken(number, FAULTS[number % len(FAULTS)])), name)
        scenario.check(place, None if isinstance(said, UnfinishedWrite) else said is not None)


class Broken(Counter):
    """A seam at which everything fails from one operation on."""

    def __call__(self, operation: str, path: str) -> None:
        self.count += 1
        if self.count >= self.at:
            raise OSError(self.error, f"{os.strerror(self.error)} ({operation} {path})")


def killed(place: Place, work: Callable[[FileStore], object], seam: Counter, way: Way = USUAL) -> bool:
    """Do something in a child that is killed at one of its operations; whether it was."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(place.store(seam, **way))
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@works
@ways
def test_a_kill_at_any_operation_gives_old_or_new(folder: Path, name: str, way: Way) -> None:
    """SIGKILL before each operation: the next process sees the old state or the new one, whole, and goes on."""
    scenario = Scenario(folder, name, way)
    for number in range(1, scenario.operations + 1):
        place = scenario.place()
        assert killed(place, lambda store: run(store, name), Counter(number, kill=True), way)
        scenario.check(place, failed=None)


@works
def test_a_kill_while_finishing_is_finished_again(folder: Path, name: str) -> None:
    """Whoever finishes a killed write may be killed at it too, at any operation, and the next one finishes it."""
    scenario = Scenario(folder, name)
    for at in _published(scenario):
        place = scenario.place()
        assert killed(place, lambda store: run(store, name), Counter(at, kill=True))
        number = 1
        while True:
            number += SPARE
            again = Place(scenario.folder / "again")
            shutil.copytree(place.root, again.root, dirs_exist_ok=True)
            was_killed = killed(again, see, Counter(number, kill=True))
            scenario.check(again, failed=None)
            if not was_killed:
                break
        shutil.rmtree(place.root)
        assert number > SPARE + 5


def _published(scenario: Scenario) -> Iterator[int]:
    """Three moments after the entry was published: right away, in the middle, and before it is marked as done."""
    place = scenario.place()
    seen: list[str] = []
    run(place.store(lambda operation, path: seen.append(f"{operation} {path}")), scenario.name)
    first = next(number for number, step in enumerate(seen, 1) if step.endswith(".open"))
    last = next(number for number, step in enumerate(seen, 1) if step.endswith(".done"))
    yield from sorted({first + 2, (first + last) // 2 + 1, last})


def test_acknowledged_writes_survive_every_kill(folder: Path) -> None:
    """Each label a child reported as written is there after its kill, whichever operation that hit."""
    counted = Counter()
    trial = Place(folder / "trial")
    add(trial.store(), task(1))
    _labels(trial.store(counted))
    for number in range(1, counted.count + 1, 3):
        place = Place(folder / str(number))
        add(place.store(), task(1))
        read, write = os.pipe()
        assert killed(place, partial(_labels, pipe=write), Counter(number, kill=True))
        os.close(write)
        acknowledged = {f"label-{n}" for n in os.read(read, 100)}
        os.close(read)
        labels = set(place.store().read().tasks[ONE].labels)
        assert acknowledged <= labels
        assert len(labels) <= len(acknowledged) + 1
        shutil.rmtree(place.root)


def _labels(store: TaskStore, pipe: int = -1) -> None:
    for number in range(4):
        with store.transaction("label") as tx:
            found = tx.task(ONE)
            tx.put(replace(found, labels=(*found.labels, f"label-{number}")))
        if pipe >= 0:
            os.write(pipe, bytes([number]))


def test_a_torn_entry_never_happened(folder: Path) -> None:
    """An entry cut off anywhere (power loss before it was synced) is not applied; what it held is kept aside."""
    scenario = Scenario(folder, "edit")
    at = next(_published(scenario))
    place = scenario.place()
    assert killed(place, lambda store: run(store, "edit"), Counter(at, kill=True))
    (entry,) = (path for path in Path(place.layout.journal).iterdir() if path.suffix == ".open")
    whole = entry.read_bytes()
    for length in range(0, len(whole), 97):
        again = Place(folder / f"torn-{length}")
        shutil.copytree(place.root, again.root, dirs_exist_ok=True)
        Path(again.layout.journal, entry.name).write_bytes(whole[:length])
        seen = see(again.store())
        assert replace(seen, problems=()) == scenario.before
        assert [problem.path for problem in seen.problems] == [
            f"{again.layout.runtime}/conflicts/{name}" for name in os.listdir(f"{again.layout.runtime}/conflicts")
        ]
        shutil.rmtree(again.root)


class _KilledAfterCommit(FakeHistory):
    """A history that commits and does not live to say so."""

    def commit(self, changes: object, message: str) -> str:
        super().commit(changes, message)  # type: ignore[arg-type] # handed through
        os.kill(os.getpid(), signal.SIGKILL)
        return ""


def test_a_kill_while_recording_is_recorded_again(folder: Path) -> None:
    """Killed at any operation, or between the commit and dropping the journal: nothing is lost or doubled."""
    seed = Place(folder / "seed")
    add(seed.store(), task(1), task(2))
    seed.replace(f"tasks/task-2-{TWO}/TASK.md", ("title: Task 2", "title: By hand"))
    before = see(seed.store())
    counted = Counter()
    trial = Place(folder / "trial")
    shutil.copytree(seed.root, trial.root, dirs_exist_ok=True)
    trial.store(counted).record()
    for number in range(counted.count + 1):
        place = Place(folder / str(number))
        shutil.copytree(seed.root, place.root, dirs_exist_ok=True)
        if number:
            assert killed(place, FileStore.record, Counter(number, kill=True))
        else:
            history = _KilledAfterCommit(place.history_folder)
            assert killed(place, partial(_record_with, place, history), Counter())
        store = place.store()
        assert replace(see(store), edits=()) == replace(before, edits=())
        store.record()
        assert see(store) == replace(before, edits=())
        assert not os.listdir(place.layout.journal)
        for task_id in (ONE, TWO):
            path = store.read().tasks[task_id].path
            assert place.history.content(path) == place.path(path).read_bytes()
        shutil.rmtree(place.root)


def _record_with(place: Place, history: FakeHistory, _: FileStore) -> None:
    FileStore(place.layout, history, place.clock).record()


def test_a_history_that_fails_keeps_the_journal(folder: Path) -> None:
    """While git fails, transactions go on, and everything is recorded once it works again."""
    place = Place(folder / "r")
    history = FakeHistory()
    store = FileStore(place.layout, history, place.clock, autorecord=True)
    history.broken = "no space left on device"
    add(store, task(1))
    with store.transaction("edit") as tx:
        tx.put(replace(tx.task(ONE), title="Kept"))
    assert store.unrecorded() == 2
    assert (store.read().tasks[ONE].title, store.read().problems) == ("Kept", ())
    history.broken = None
    add(store, task(2))
    assert store.unrecorded() == 0
    assert len(history.commits) == 1
    assert b"title: Kept" in (history.content(f"tasks/task-1-{ONE}/TASK.md") or b"")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 512 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "orange", folder], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_destroys_nothing(small_disk: Path) -> None:
    """With no byte left every write is refused in a sentence, what was there stays whole, and room makes it work."""
    place = Place(small_disk)
    add(place.store(), task(1))
    before = see(place.store())
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    for name in ("edit", "claim"):
        for _ in range(3):
            with pytest.raises(StorageFailed, match="No space"):
                run(place.store(), name)
    with pytest.raises(StorageFailed, match="No space"):
        add(place.store(), task(2))
    assert see(place.store()) == before
    filler.unlink()
    run(place.store(), "claim")
    assert place.store().read().tasks[ONE].epoch == 1


def test_many_files_are_made_durable_together_before_what_relies_on_them(folder: Path) -> None:
    """One call after the last staged file and one after the last applied one, each before the entry goes on."""
    steps: list[str] = []
    place = Place(folder / "p")
    store = place.store(lambda operation, path: steps.append(f"{operation} {path.rpartition('/')[2]}"))
    add(store, task(1))
    steps.clear()
    with store.transaction("many") as tx:
        for number in range(100, 220):
            tx.create(task(number), BODY)
    kinds = [step.partition(" ")[0] for step in steps]
    first, second = (number for number, kind in enumerate(kinds) if kind == "syncfs")
    staged = max(number for number, step in enumerate(steps) if step.startswith("write") and step.endswith("-119-0"))
    applied = [number for number, step in enumerate(steps) if step in {"place TASK.md", "rename TASK.md"}]
    assert staged < first < min(applied)
    assert len(applied) == 120
    assert max(applied) < second
    assert "fsync" in kinds[first:second]  # the entry itself
    assert kinds.count("fsync") < 20
    assert len(place.store().read().tasks) == 121
