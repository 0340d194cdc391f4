"""The store port: the same behaviour of the real store and of the one in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orange.adapters.store import FileStore
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Claim, Priority
from orange.core.problems import BrokenFile, InvalidInput, StaleWrite, TaskNotFound
from orange.core.storeports import Event, TaskStore, Transaction
from orange.testing.fakestore import FakeStore
from tests.integration.store_place import BODY, CREATED, STAMP, HandClock, Place, add, claim, make_id, task

ONE, TWO, THREE = make_id(1), make_id(2), make_id(3)


@dataclass
class Bench:
    """A store under test, and the hand of a person who edits its files."""

    store: TaskStore
    clock: HandClock
    read: Callable[[str], str]
    save: Callable[[str, str], None]
    delete: Callable[[str], None]

    def edit(self, path: str, *pairs: tuple[str, str]) -> None:
        """Replace texts in a file by hand."""
        text = self.read(path)
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.save(path, text)


def _real(folder: Path) -> Bench:
    place = Place(folder)

    def delete(path: str) -> None:
        for file in place.path(path).parent.iterdir():
            file.unlink()
        place.path(path).parent.rmdir()

    return Bench(place.store(), place.clock, place.text, place.save, delete)


def _fake(_folder: Path) -> Bench:
    clock = HandClock()
    store = FakeStore(clock)

    def save(path: str, text: str) -> None:
        store.files[path] = text.encode()

    def delete(path: str) -> None:
        del store.files[path]

    return Bench(store, clock, store.text, save, delete)


@pytest.fixture(params=[_real, _fake], ids=["files", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Each store in turn."""
    made: Bench = request.param(tmp_path / "r")
    return made


@pytest.fixture
def store(bench: Bench) -> TaskStore:
    """The store alone."""
    return bench.store


def test_the_real_store_satisfies_the_port(tmp_path: Path) -> None:
    """Both stores are what the ports ask for (checked by the type checker), transactions too."""
    stores: list[TaskStore] = [Place(tmp_path / "r").store(), FakeStore(HandClock())]
    for one in stores:
        with one.transaction("nothing") as tx:
            transaction: Transaction = tx
            assert transaction.board().tasks == {}
        assert one.read().tasks == {}


def test_a_created_task_is_read_back_whole(store: TaskStore) -> None:
    """What was created comes back equal, with path and times, its body too."""
    wanted = task(
        1,
        labels=("a", "no", "1e5"),
        priority=Priority.HIGH,
        blocked_by=(TWO,),
        budget={"minutes": 5.0},
        source={"kind": "manual"},
        claim=Claim(None, 3, None, None, None),
    )
    (made,) = add(store, wanted)
    assert made == replace(wanted, path=f"tasks/task-1-{ONE}/TASK.md", updated_at=STAMP)
    assert store.read().tasks == {ONE: made}
    assert store.body(ONE) == BODY
    assert store.text(made.path).startswith(f"---\nid: {ONE}\n")


def test_children_live_in_their_parents_folder(store: TaskStore) -> None:
    """A child's folder is made inside its parent's, at any depth, also within one transaction."""
    parent, child, grandchild = add(store, task(1), task(2, parent=ONE), task(3, parent=TWO))
    assert child.path == f"tasks/{parent.slug}/{child.slug}/TASK.md"
    assert grandchild.path == f"tasks/{parent.slug}/{child.slug}/{grandchild.slug}/TASK.md"
    with store.transaction("look") as tx:
        assert [found.id for found in tx.children(ONE)] == [TWO]


def test_an_id_is_never_given_twice(store: TaskStore) -> None:
    """Creating or adopting a task whose id is taken is refused and changes nothing."""
    add(store, task(1))
    before = store.text(f"tasks/task-1-{ONE}/TASK.md")
    with pytest.raises(InvalidInput, match="taken"), store.transaction("again") as tx:
        tx.create(task(1, title="Other"), "")
    with pytest.raises(InvalidInput, match="taken"), store.transaction("adopt") as tx:
        tx.adopt(before)
    assert store.text(f"tasks/task-1-{ONE}/TASK.md") == before


def test_a_missing_parent_is_refused(store: TaskStore) -> None:
    """A child of nobody is not made."""
    with pytest.raises(TaskNotFound), store.transaction("orphan") as tx:
        tx.create(task(2, parent=ONE), "")
    assert not store.read().tasks


def test_files_beside_tasks_are_written_with_them_or_not_at_all(store: TaskStore) -> None:
    """A plan and its tasks land together; what was written is read back, also within the transaction."""
    assert store.names("plans") == ()
    with store.transaction("plan") as tx:
        assert tx.text("plans/a.md") is None
        tx.write("plans/a.md", "one\n")
        assert tx.text("plans/a.md") == "one\n"
        tx.create(task(1), BODY)
    assert (store.names("plans"), store.text("plans/a.md"), set(store.read().tasks)) == (("a.md",), "one\n", {ONE})
    with pytest.raises(InvalidInput, match="taken"), store.transaction("again") as tx:
        _rewrite(tx)
    assert store.text("plans/a.md") == "one\n"


def _rewrite(tx: Transaction) -> None:
    """Write a file, and then what is refused."""
    tx.write("plans/a.md", "two\n")
    tx.create(task(1), BODY)


def test_only_changed_lines_change(bench: Bench) -> None:
    """Comments, order, quoting and unknown keys survive a change byte for byte; `updated_at` is kept."""
    text = (
        f"---\n# mine\ntitle: 'Quoted'   # why\nid: {ONE}\nname: quoted\nmy_key: [a, 'b']\nstatus: pending\n"
        f"created_at: {CREATED}\n---\n\nBody\r\n"
    )
    with bench.store.transaction("adopt") as tx:
        made = tx.adopt(text)
    with bench.store.transaction("raise") as tx:
        tx.put(replace(tx.task(ONE), priority=Priority.CRITICAL))
    after = bench.read(made.path)
    assert after.replace("priority: critical\n", "").replace(f"updated_at: {STAMP}\n", "") == text
    assert bench.store.read().tasks[ONE].extra == {"my_key": ["a", "b"]}


def test_putting_what_is_there_changes_nothing(bench: Bench) -> None:
    """A put without a difference writes nothing, not even a time."""
    (made,) = add(bench.store, task(1))
    before = bench.read(made.path)
    bench.clock.seconds += 100
    with bench.store.transaction("same") as tx:
        tx.put(tx.task(ONE))
    assert bench.read(made.path) == before


def test_an_exception_in_the_block_applies_nothing(bench: Bench) -> None:
    """Creations, changes, events and removals of a block that fails never happened."""
    (made, other) = add(bench.store, task(1), task(2))
    before = bench.read(made.path)

    def fail() -> None:
        with bench.store.transaction("fail") as tx:
            tx.create(task(3), "")
            tx.put(replace(tx.task(ONE), title="Other"))
            tx.event(ONE, Event(STAMP, "task.updated", "person", {}))
            tx.remove(TWO)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert bench.read(made.path) == before
    assert set(bench.store.read().tasks) == {ONE, TWO}
    assert not bench.store.events(ONE)
    assert bench.store.read().tasks[TWO].path == other.path


def test_reads_in_a_block_see_its_own_writes(store: TaskStore) -> None:
    """A task read again in the same block is as the block left it, on the board too."""
    add(store, task(1))
    with store.transaction("twice") as tx:
        tx.put(replace(tx.task(ONE), labels=("a",)))
        tx.put(replace(tx.task(ONE), labels=(*tx.task(ONE).labels, "b")))
        tx.create(task(2, parent=ONE), "")
        assert tx.board().tasks[ONE].labels == ("a", "b")
        assert [child.id for child in tx.children(ONE)] == [TWO]
    assert store.read().tasks[ONE].labels == ("a", "b")


def test_a_put_needs_a_fresh_look(store: TaskStore) -> None:
    """A task brought along from an earlier look is refused: it may be out of date."""
    (made,) = add(store, task(1))
    with pytest.raises(StaleWrite), store.transaction("stale") as tx:
        tx.put(replace(made, title="Other"))


def test_an_older_epoch_is_refused(store: TaskStore) -> None:
    """A writer whose claim was taken over cannot write any more."""
    add(store, task(1, claim=Claim("r", 4, None, None, None)))
    with pytest.raises(StaleWrite, match="epoch 3"), store.transaction("late") as tx:
        tx.put(replace(tx.task(ONE), claim=Claim("old", 3, None, None, None)))
    assert store.read().tasks[ONE].epoch == 4


@pytest.mark.parametrize("change", [{"name": "other"}, {"created_at": STAMP}])
def test_what_is_fixed_stays(store: TaskStore, change: dict[str, str]) -> None:
    """Name and creation time cannot be changed by anybody."""
    add(store, task(1))
    with pytest.raises(InvalidInput, match="fixed"), store.transaction("rename") as tx:
        tx.put(replace(tx.task(ONE), **change))  # type: ignore[arg-type] # each is a text


def test_a_section_is_written_and_read(store: TaskStore) -> None:
    """Writing a section keeps the rest of the body; a missing one is added; `updated_at` is set."""
    add(store, task(1, created_at=CREATED))
    with store.transaction("plan") as tx:
        tx.write_section(ONE, "Plan", "APPROACH: x")
        tx.write_section(ONE, "Context", "Other.")
        assert "Other." in tx.body(ONE)
    assert store.body(ONE) == "\n## Context\nOther.\n\n## Plan\nAPPROACH: x\n"


def test_events_are_kept_in_order(store: TaskStore) -> None:
    """The audit trail gives back every event, oldest first."""
    add(store, task(1))
    events = [Event(STAMP, f"task.{number}", "person:ada", {"n": number, "ü": "ß"}) for number in range(5)]
    with store.transaction("some") as tx:
        for event in events[:3]:
            tx.event(ONE, event)
    with store.transaction("more") as tx:
        for event in events[3:]:
            tx.event(ONE, event)
    assert list(store.events(ONE)) == events


def test_a_removed_task_is_gone_and_its_children_stay(store: TaskStore) -> None:
    """Nested tasks move up one level with their trails; nothing of the removed one is left."""
    add(store, task(1), task(2, parent=ONE), task(3, parent=TWO))
    with store.transaction("event") as tx:
        tx.event(THREE, Event(STAMP, "task.created", "person", {}))
    with store.transaction("remove") as tx:
        tx.put(replace(tx.task(TWO), parent=None))
        tx.remove(ONE)
    board = store.read()
    assert {task_id: found.path for task_id, found in board.tasks.items()} == {
        TWO: f"tasks/task-2-{TWO}/TASK.md",
        THREE: f"tasks/task-2-{TWO}/task-3-{THREE}/TASK.md",
    }
    assert board.tasks[TWO].parent is None
    assert not board.problems
    assert len(store.events(THREE)) == 1
    with pytest.raises(TaskNotFound):
        store.body(ONE)


def test_archiving_moves_two_files_only(store: TaskStore) -> None:
    """A task's file and trail go to the archive; its nested tasks stay; it is still on the board."""
    add(store, task(1), task(2, parent=ONE))
    with store.transaction("archive") as tx:
        tx.event(ONE, Event(STAMP, "task.completed", "daemon", {}))
        tx.move(ONE, "archive/2026/11")
    board = store.read()
    assert board.tasks[ONE].path == f"archive/2026/11/task-1-{ONE}/TASK.md"
    assert board.tasks[TWO].path == f"tasks/task-1-{ONE}/task-2-{TWO}/TASK.md"
    assert [event.type for event in store.events(ONE)] == ["task.completed"]
    assert not board.problems


def test_what_is_not_there_is_said(store: TaskStore) -> None:
    """Unknown ids and paths raise TaskNotFound everywhere."""
    for ask in (store.body, store.events, store.text):
        with pytest.raises(TaskNotFound):
            ask(ONE)
    with store.transaction("look") as tx:
        for look in (tx.task, tx.body, tx.remove):
            with pytest.raises(TaskNotFound):
                look(ONE)


def test_claims_are_exclusive(store: TaskStore) -> None:
    """Claiming again what is claimed fails on the fresh look."""
    add(store, task(1))
    with store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    with pytest.raises(LookupError), store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-2")
    assert store.read().tasks[ONE].claim == Claim(f"{ONE}-1", 1, "n0nce", "host", STAMP)


def test_recording_says_whether_there_was_anything(store: TaskStore) -> None:
    """A commit for changes, None when everything is recorded already."""
    assert store.record() is None
    add(store, task(1))
    assert store.record("first")
    assert store.record() is None


def test_own_writes_wait_until_they_are_recorded(bench: Bench) -> None:
    """`unrecorded` counts them, and a look at nothing in particular shows them on the board."""
    add(bench.store, task(1))
    bench.store.read()
    with bench.store.transaction("title") as tx:
        tx.put(replace(tx.task(ONE), title="Other"))
    assert bench.store.unrecorded() == 2
    assert bench.store.look(()).tasks[ONE].title == "Other"
    bench.store.record()
    assert bench.store.unrecorded() == 0


def test_free_keys_may_be_edited_by_hand(bench: Bench) -> None:
    """A hand edit of title, labels and body is in force at once, is offered, and once recorded offered no more."""
    (made,) = add(bench.store, task(1))
    bench.store.record()
    bench.edit(made.path, ("title: Task 1", "title: New"), ("What is", "Who is"))
    assert bench.store.read().tasks[ONE].title == "New"
    assert "Who is" in bench.store.body(ONE)
    assert bench.store.hand_edits() == (ONE,)
    assert bench.store.record()
    board = bench.store.read()
    assert (board.problems, bench.store.hand_edits()) == ((), ())


def test_a_status_is_obeyed_where_legal(bench: Bench) -> None:
    """From pending to cancelled by hand is obeyed; stuck gets a reason."""
    made, other = add(bench.store, task(1), task(2))
    bench.edit(made.path, ("status: pending", "status: cancelled"))
    bench.edit(other.path, ("status: pending", "status: stuck"))
    board = bench.store.read()
    assert (board.tasks[ONE].status, board.problems) == (Status.CANCELLED, ())
    stuck = board.tasks[TWO].stuck
    assert stuck is not None
    assert stuck.reason is StuckReason.MANUAL
    bench.store.record()
    assert "stuck:" in bench.read(other.path)
    assert bench.store.read().tasks[TWO].status is Status.STUCK


@pytest.mark.parametrize(
    ("old", "new", "command"),
    [
        ("status: pending", "status: done", "orange task merge"),
        ("status: pending", "status: working", "orange task run"),
        ("status: pending", "status: reviewed", "orange task approve"),
        ("status: pending", "status: reviewing", "orange task finish"),
        (f"id: {ONE}", f"id: {TWO}", "orange task create"),
        ("name: task-1", "name: other", "orange task create"),
        (f"created_at: {CREATED}", f"created_at: {STAMP}", "orange task create"),
        ("---\n\n##", "claim: {run: x, epoch: 9}\n---\n\n##", "orange task take"),
        ("---\n\n##", "approved: {commit: abc, by: me}\n---\n\n##", "orange task approve"),
        ("---\n\n##", "attempts: 7\n---\n\n##", "orange task retry"),
    ],
)
def test_what_a_file_cannot_say_is_refused(bench: Bench, old: str, new: str, command: str) -> None:
    """The accepted value stays in force, a problem names line and command; the file is neither touched nor recorded."""
    (made,) = add(bench.store, task(1))
    bench.store.record()
    before = bench.store.read().tasks[ONE]
    bench.edit(made.path, (old, new), ("title: Task 1", "title: Free"))
    text = bench.read(made.path)
    board = bench.store.read()
    assert board.tasks[ONE] == replace(before, title="Free")
    (problem,) = board.problems
    assert (problem.path, command in problem.hint) == (made.path, True)
    assert text.splitlines()[problem.line - 1] == new.splitlines()[0].replace(
        "---", text.splitlines()[problem.line - 1]
    )
    assert bench.store.hand_edits() == ()
    assert bench.store.record() is None
    assert bench.read(made.path) == text


def test_a_write_leaves_a_refused_value_for_the_person(bench: Bench) -> None:
    """A transaction changes its own keys; what is refused stays visible until the transaction sets that very key."""
    (made,) = add(bench.store, task(1))
    bench.edit(made.path, ("status: pending", "status: done"))
    with bench.store.transaction("label") as tx:
        assert tx.task(ONE).status is Status.PENDING
        tx.put(replace(tx.task(ONE), labels=("a",)))
    board = bench.store.read()
    assert (board.tasks[ONE].status, board.tasks[ONE].labels) == (Status.PENDING, ("a",))
    assert "status: done" in bench.read(made.path)
    assert len(board.problems) == 1
    with bench.store.transaction("claim") as tx:
        claim(tx, ONE, f"{ONE}-1")
    assert "status: working" in bench.read(made.path)
    assert not bench.store.read().problems


@pytest.mark.parametrize("text", ["", "no frontmatter", "---\nid: 1\n---\n", "---\ntitle: [\n---\n", "---\n- a\n---\n"])
def test_a_broken_file_freezes_its_task_only(bench: Bench, text: str) -> None:
    """It is a problem with its path, the task is frozen, the others go on, and nobody rewrites it."""
    made, _ = add(bench.store, task(1), task(2))
    bench.save(made.path, text)
    board = bench.store.read()
    assert set(board.tasks) == {TWO}
    assert board.frozen == {ONE}
    assert [problem.path for problem in board.problems] == [made.path]
    with pytest.raises(BrokenFile, match=made.path), bench.store.transaction("write") as tx:
        tx.put(replace(tx.task(ONE), title="x"))
    with bench.store.transaction("other") as tx:
        tx.put(replace(tx.task(TWO), title="x"))
    assert bench.read(made.path) == text


def test_a_copied_file_freezes_both(bench: Bench) -> None:
    """Two files with one id are two problems that name each other; nothing is done with either."""
    made, _ = add(bench.store, task(1), task(2))
    bench.save(f"tasks/copy-{ONE}/TASK.md", bench.read(made.path))
    board = bench.store.read()
    assert set(board.tasks) == {TWO}
    assert board.frozen == {ONE}
    first, second = board.problems
    assert (first.path in second.message, second.path in first.message) == (True, True)
    with pytest.raises(BrokenFile), bench.store.transaction("write") as tx:
        tx.task(ONE)


def test_a_new_file_is_taken_as_it_stands_if_at_rest(bench: Bench) -> None:
    """A hand-made task counts at once; one that claims to be working is a problem and frozen."""
    bench.save("tasks/mine/TASK.md", f"---\nid: {ONE}\ntitle: Mine\n---\n")
    bench.save("tasks/bad/TASK.md", f"---\nid: {TWO}\ntitle: Bad\nstatus: working\n---\n")
    board = bench.store.read()
    assert set(board.tasks) == {ONE}
    assert board.frozen == {TWO}
    assert bench.store.hand_edits() == (ONE,)
    assert bench.store.record()
    assert "name: mine" in bench.read("tasks/mine/TASK.md")
    assert bench.store.read().tasks[ONE].created_at


def test_a_deletion_by_hand_needs_two_looks(bench: Bench) -> None:
    """A file that is gone keeps its task until half a second later it is still gone."""
    made, _ = add(bench.store, task(1), task(2))
    bench.store.record()
    bench.delete(made.path)
    assert set(bench.store.read().tasks) == {ONE, TWO}
    assert bench.store.hand_edits() == ()
    bench.clock.seconds += 0.6
    assert set(bench.store.read().tasks) == {TWO}
    assert bench.store.hand_edits() == (ONE,)
    assert bench.store.record()
    assert bench.store.hand_edits() == ()
    assert set(bench.store.read().tasks) == {TWO}


def test_a_file_that_comes_back_was_never_gone(bench: Bench) -> None:
    """An editor's backup dance leaves no trace."""
    (made,) = add(bench.store, task(1))
    text = bench.read(made.path)
    bench.delete(made.path)
    assert ONE in bench.store.read().tasks
    bench.save(made.path, text)
    bench.clock.seconds += 5
    board = bench.store.read()
    assert (set(board.tasks), board.problems, bench.store.hand_edits()) == ({ONE}, (), ())


def test_stores_share_no_state(tmp_path: Path) -> None:
    """What one process wrote, another reads at once."""
    place = Place(tmp_path / "r")
    first: FileStore = place.store()
    second = place.store()
    assert not second.read().tasks
    add(first, task(1))
    assert set(second.read().tasks) == {ONE}
