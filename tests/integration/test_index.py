"""The index is a cache: whatever happens to it or to the files, every process gives the same and the right answer."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.store import FileStore, index, memory_file
from orange.adapters.store.rows import FINGERPRINT, build, flatten, row_of
from orange.core import changes, document
from orange.core.document import Document
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Board, Claim, Merged, Priority, Publish, Request, RequestKind, Stuck, Task
from orange.core.problems import Problem, TaskNotFound
from tests.integration.store_place import BODY, STAMP, Place, add, claim, in_processes, make_id, quick_folder, task
from tests.integration.test_store_races import save_by_rename, save_in_place, save_with_backup

ONE, TWO = make_id(1), make_id(2)
PATH = f"tasks/task-1-{ONE}/TASK.md"


@pytest.fixture
def place() -> Iterator[Place]:
    """A project with a hundred recorded tasks and an index."""
    with quick_folder() as folder:
        made = Place(folder / "r")
        add(made.store(), *(task(number) for number in range(100)))
        made.store().record()
        _settle(made)
        made.store().read()
        assert os.path.exists(made.layout.index)
        yield made


def _settle(place: Place) -> None:
    """Wait until the files are old enough for a stat to be trusted."""
    newest = max(os.stat(path).st_ctime_ns for path in place.path("tasks").rglob("*"))
    probe = place.path("probe")
    while True:
        probe.write_bytes(b"")
        if os.stat(probe).st_ctime_ns > newest + 40_000_000:
            probe.unlink()
            return


def _full_task() -> Task:
    """A task with every field away from its default."""
    return Task(
        ONE, "T", "t", Status.STUCK, "tasks/t/TASK.md", "R-1", "bug", "p", Priority.LOW, (TWO,), TWO, (TWO,), ("l",),
        "c", "human", "s", "XS", ("a",), ("f",), "codex", "m", "high", "skill", "b", "br", Publish.PR, ("gpu",), "cmd",
        {"minutes": 1.5}, {"steps": [1, True, None, {"a": "b"}]}, {"kind": "manual"}, "/w", "tmux", "run", (1, 2),
        Claim("r", 2, "n", "h", STAMP), 3, 4, Stuck(StuckReason.BUDGET, "m", None, STAMP),
        Request(RequestKind.ANSWER, "m", STAMP), Approval("c", "b", STAMP), Merged("c", "b", STAMP), "abc",
        STAMP, STAMP, {"mine": ["x"]},
    )  # fmt: skip


def test_a_row_gives_back_the_task() -> None:
    """Every field survives the way through a row and the marshal format."""
    import marshal

    for one in (_full_task(), task(1)):
        row = marshal.loads(marshal.dumps(flatten(one)))
        assert build(row, one.path) == one
        assert row[: len(index.COLUMNS)] == tuple(
            value.value if isinstance(value := getattr(one, name), (Status, Priority)) else value
            for name in index.COLUMNS
        )


def test_a_row_is_the_same_of_a_file_and_of_its_task() -> None:
    """The scanner makes rows of what files set, without making tasks first."""
    for one in (_full_task(), task(1)):
        data = document.render(one, "body")
        values, found = document.values(data, one.path), document.parse(data, one.path)
        assert not isinstance(values, Problem)
        assert isinstance(found, Document)
        assert row_of(values) == flatten(found.task)


def test_a_warm_look_reads_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an index and no change, files are only looked at, git is not asked for its tree, and nothing is written."""
    opened: list[object] = []
    real = os.open

    def watch(path: object, *args: object, **keys: object) -> int:
        if str(path).endswith("TASK.md"):
            opened.append(path)
        return real(path, *args, **keys)  # type: ignore[arg-type] # handed through

    before = Path(place.layout.index).read_bytes()
    monkeypatch.setattr(os, "open", watch)
    store = FileStore(place.layout, place.history, place.clock)
    board = store.read()
    assert len(board.tasks) == 100
    assert (opened, place.history.listed) == ([], 0)
    assert Path(place.layout.index).read_bytes() == before
    assert board.tasks == _without_index(place).tasks


def test_a_board_names_what_changed_since_the_one_before(place: Place) -> None:
    """Only to whoever knows the board before; with all tasks made at once or one by one, what it holds is right."""
    store = FileStore(place.layout, place.history, place.clock)
    first = store.read()
    assert len(dict(first.tasks.items())) == 100
    chosen, other = sorted(first.tasks)[:2]
    with store.transaction("change") as tx:
        tx.put(replace(tx.task(chosen), title="Another"))
    second = store.read()
    assert changes.told(second.tasks, first.tasks) == {chosen}
    assert changes.told(second.tasks, second.tasks) is None
    assert {i: task.title for i, task in second.tasks.items() if task is not first.tasks[i]} == {chosen: "Another"}
    with store.transaction("delete") as tx:
        tx.remove(other)
    third = store.read()
    assert changes.told(third.tasks, second.tasks) == {other}
    assert changes.told(third.tasks, first.tasks) is None
    assert third.tasks.keys() == dict(third.tasks.items()).keys() == first.tasks.keys() - {other}


@contextmanager
def _set_aside(place: Place) -> Iterator[None]:
    """Take the index away for a moment."""
    aside = place.root / "aside"
    aside.mkdir(exist_ok=True)
    names = [name for name in os.listdir(place.layout.runtime) if name.startswith("index")]
    for name in names:
        os.rename(f"{place.layout.runtime}/{name}", aside / name)
    yield
    for name in os.listdir(place.layout.runtime):
        if name.startswith("index"):
            os.unlink(f"{place.layout.runtime}/{name}")
    for name in names:
        os.rename(aside / name, f"{place.layout.runtime}/{name}")


def _without_index(place: Place) -> Board:
    with _set_aside(place):
        return place.store().read()


def test_deleting_the_index_loses_nothing(place: Place) -> None:
    """Everything is built again from history, journal and files (beads#1092: one copy only)."""
    store = place.store()
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    place.replace(f"tasks/task-2-{TWO}/TASK.md", ("status: pending", "status: done"))
    before = place.store().read()
    os.unlink(place.layout.index)
    after = place.store().read()
    assert (dict(after.tasks), after.problems, after.frozen) == (dict(before.tasks), before.problems, before.frozen)
    assert after.tasks[ONE].epoch == 1
    assert after.tasks[TWO].status is Status.PENDING


def test_a_stale_index_never_answers_wrong(place: Place) -> None:
    """An index of long ago, put back, changes no answer (beads#1315)."""
    old = Path(place.layout.index).read_bytes()
    store = place.store()
    for number in range(60):
        with store.transaction("edit") as tx:
            tx.put(replace(tx.task(make_id(number)), title=f"New {number}", priority=Priority.HIGH))
        if number % 20 == 0:
            store.record()
    with store.transaction("remove") as tx:
        tx.remove(make_id(70))
        tx.move(make_id(71), "archive/2026/11")
    store.record()
    right = store.read()
    Path(place.layout.index).write_bytes(old)
    again = place.store().read()
    assert (dict(again.tasks), again.problems) == (dict(right.tasks), ())


def test_an_index_cannot_hide_a_hand_edit(place: Place) -> None:
    """What is accepted comes from history and journal, never from the index (beads#1379)."""
    store = place.store()
    place.replace(PATH, ("status: pending", "status: done"))
    store.read()
    store._shelf.save(0)
    os.utime(place.path(PATH))
    for one in (store, place.store()):
        board = one.read()
        assert board.tasks[ONE].status is Status.PENDING
        assert len(board.problems) == 1
        assert one.hand_edits() == ()


def test_a_tip_moved_by_somebody_else_is_followed(place: Place) -> None:
    """Committed by another tool: accepted is what the tip says, with or without an index (beads#1395)."""
    text = place.text(PATH).replace("priority: medium", "priority: high")
    place.history.commit({PATH: text.encode()}, "from elsewhere")
    store = place.store()
    assert store.read().tasks[ONE].priority is Priority.MEDIUM
    assert store.hand_edits() == (ONE,)
    place.save(PATH, text)
    for board in (store.read(), place.store().read(), _without_index(place)):
        assert board.tasks[ONE].priority is Priority.HIGH
    assert store.hand_edits() == ()


def test_commits_of_other_processes_need_no_listing(place: Place) -> None:
    """The log of own commits brings an older index forward without asking git for the whole tree."""
    store = place.store()
    for number in range(3):
        with store.transaction("edit") as tx:
            tx.put(replace(tx.task(ONE), title=f"Title {number}"))
        store.record()
    history = place.history
    history.listed = 0
    fresh = FileStore(place.layout, history, place.clock)
    assert fresh.read().tasks[ONE].title == "Title 2"
    assert fresh.hand_edits() == ()
    assert history.listed == 0
    Path(f"{place.layout.index}.tips").write_text("[garbage\n")
    assert place.store().read().tasks[ONE].title == "Title 2"


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flip_head(data: bytes) -> bytes:
    return data[:30] + bytes([data[30] ^ 255]) + data[31:]


def _flip_tail(data: bytes) -> bytes:
    return data[:-20] + bytes([data[-20] ^ 255]) + data[-19:]


def _other_rows(data: bytes) -> bytes:
    return data.replace(FINGERPRINT.encode(), FINGERPRINT.replace("|title|", "|Title|").encode())


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda _: b"garbage" * 100, _cut, _flip_head, _flip_tail, _other_rows, lambda _: None]
)
def test_a_damaged_index_is_ignored(place: Place, damage: Callable[[bytes], bytes | None]) -> None:
    """Empty, cut, garbled, of another version, or a folder: it is as if there was none."""
    right = dict(place.store().read().tasks)
    data = damage(Path(place.layout.index).read_bytes())
    if data is None:
        os.unlink(place.layout.index)
        os.mkdir(place.layout.index)
    else:
        Path(place.layout.index).write_bytes(data)
    assert dict(place.store().read().tasks) == right


def test_reading_needs_no_permission_to_write(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime folder that cannot be written changes nothing for readers."""
    os.unlink(place.layout.index)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert len(place.store().read().tasks) == 100
    assert [name for name in os.listdir(place.layout.runtime) if name.startswith("index")] == []


def test_the_live_section_answers_alone(place: Place) -> None:
    """Open tasks' rows, with the statuses of the closed ones they wait for, are loaded without the closed section."""
    store = place.store()
    with store.transaction("close") as tx:
        for number in range(60):
            tx.put(replace(tx.task(make_id(number)), status=Status.DONE))
        tx.put(replace(tx.task(make_id(70)), blocked_by=(make_id(3), make_id(80), make_id(999))))
    _settle(place)
    store.read()
    store._shelf.save(0)
    found = index.load(place.layout.index, FINGERPRINT)
    assert found
    assert found.header["whole"]
    live, statuses = found.section("live")
    closed = found.section("closed")
    assert (len(live), len(closed)) == (40, 60)
    assert statuses == {make_id(3): "done"}
    assert live[make_id(70)][1][index.STATUS] == "pending"


def test_an_index_with_odd_files_is_not_whole(place: Place) -> None:
    """A hand edit, a problem or a file too fresh to be sure of leaves the index to those who look at the files too."""
    store = place.store()
    place.replace(PATH, ("status: pending", "status: done"))
    store.read()
    store._shelf.save(0)
    found = index.load(place.layout.index, FINGERPRINT)
    assert found
    assert not found.header["whole"]
    kept = memory_file.restore(found)
    assert kept
    assert PATH not in kept.memory.files


def test_whatever_happens_every_process_says_the_same(times: Callable[[int], int]) -> None:
    """After any sequence of edits, moves and writes a process that stays, a new one and one without index agree."""
    for seed in range(times(12)):
        with quick_folder() as folder:
            _live_through(Place(folder / "r"), random.Random(seed), steps=30)


def _live_through(place: Place, chance: random.Random, steps: int) -> None:
    staying = place.store()
    add(staying, *(task(number) for number in range(6)))
    for step in range(steps):
        happening = chance.choice(_HAPPENINGS)
        with contextlib.suppress(TaskNotFound):  # a task that a person has just deleted is still on the board
            happening(place, staying if chance.random() < 0.5 else place.store(), chance)
        place.pass_time(chance.choice([0, 0, 1, 40]))
        others: list[Callable[[], FileStore]] = [lambda: staying, place.store]
        first = _seen(others)
        with _set_aside(place):
            bare = place.store()
            bare.read()
            place.pass_time(1)
            last = _told(bare)
        second = _seen(others)
        assert second[0] == second[1], (step, happening)
        assert second[0] == last, (step, happening)
        assert len(first) == 2


def _seen(others: list[Callable[[], FileStore]]) -> list[object]:
    return [_told(other()) for other in others]


def _told(store: FileStore) -> object:
    board = store.read()
    return dict(board.tasks), board.problems, board.frozen, store.hand_edits()


def _some(place: Place, chance: random.Random) -> Path | None:
    found = sorted(path for path in place.path("tasks").rglob("TASK.md") if path.is_file())
    return chance.choice(found) if found else None


def _edit(place: Place, _store: FileStore, chance: random.Random) -> None:
    path = _some(place, chance)
    if path:
        save = chance.choice([save_in_place, save_by_rename, save_with_backup])
        old, new = chance.choice(
            [("title: ", "title: x"), ("status: pending", "status: done"), ("status: pending", "status: cancelled"),
             ("---\n\n", "attempts: 3\n---\n\n"), ("What", "WHAT"), ("priority: medium", "priority: low"),
             ("title: ", "title: [")]
        )  # fmt: skip
        save(path, path.read_text().replace(old, new, 1))


def _touch(place: Place, _store: FileStore, chance: random.Random) -> None:
    path = _some(place, chance)
    if path:
        os.utime(path)


def _move(place: Place, _store: FileStore, chance: random.Random) -> None:
    path = _some(place, chance)
    if path:
        target = place.path(f"tasks/group-{chance.randrange(3)}")
        target.mkdir(exist_ok=True)
        if not (target / path.parent.name).exists() and path.parent not in (target, *target.parents):
            shutil.move(path.parent, target / path.parent.name)


def _copy(place: Place, _store: FileStore, chance: random.Random) -> None:
    path = _some(place, chance)
    target = place.path(f"tasks/copy-{chance.randrange(3)}")
    if path and not target.exists():
        shutil.copytree(path.parent, target)


def _delete(place: Place, _store: FileStore, chance: random.Random) -> None:
    path = _some(place, chance)
    if path:
        shutil.rmtree(path.parent)


def _make(place: Place, _store: FileStore, chance: random.Random) -> None:
    place.save(
        f"tasks/made-{chance.randrange(9)}/TASK.md", f"---\nid: {make_id(chance.randrange(10, 20))}\ntitle: Made\n---\n"
    )


def _write(_place: Place, store: FileStore, chance: random.Random) -> None:
    board = store.read()
    free = [task_id for task_id in board.tasks if task_id not in board.frozen]
    if free:
        with store.transaction("edit") as tx:
            task_id = chance.choice(free)
            tx.put(replace(tx.task(task_id), labels=(f"l{chance.random()}",)))
            tx.write_section(task_id, "Plan", f"{chance.random()}")


def _grow(_place: Place, store: FileStore, chance: random.Random) -> None:
    board = store.read()
    free = [task_id for task_id in board.tasks if task_id not in board.frozen]
    new = make_id(chance.randrange(100, 100_000))
    with store.transaction("create") as tx:
        parent = chance.choice(free) if free and chance.random() < 0.6 else None
        tx.create(Task(new, "New", "new", parent=parent), BODY)


def _remove(_place: Place, store: FileStore, chance: random.Random) -> None:
    board = store.read()
    free = [task_id for task_id in board.tasks if task_id not in board.frozen]
    if free:
        with store.transaction("remove") as tx:
            task_id = chance.choice(free)
            if chance.random() < 0.5:
                tx.remove(task_id)
            else:
                tx.move(task_id, "archive/2026/11")


def _record(_place: Place, store: FileStore, _chance: random.Random) -> None:
    store.record()


_HAPPENINGS = (
    _edit,
    _edit,
    _edit,
    _touch,
    _move,
    _copy,
    _delete,
    _make,
    _write,
    _write,
    _grow,
    _grow,
    _remove,
    _record,
)


def test_many_processes_may_save_the_index_at_once(place: Place) -> None:
    """Writers of the index never leave a damaged one behind."""

    def work(number: int) -> int:
        store = place.store()
        path, part = place.path(f"tasks/task-{number}-{make_id(number)}/TASK.md"), place.root / f"part-{number}"
        for serial in range(20):
            text = place.text(PATH).replace(ONE, make_id(number)).replace("Task 1", f"{serial}")
            part.write_text(text.replace("task-1", f"task-{number}"))
            path.parent.mkdir(exist_ok=True)
            part.replace(path)  # in one piece: the others count what they read
            store.read()
            store._shelf.save(0)
        return len(store.read().tasks)

    assert in_processes(4, work) == [100] * 4
    assert index.load(place.layout.index, FINGERPRINT)
    assert dict(place.store().read().tasks) == dict(_without_index(place).tasks)
