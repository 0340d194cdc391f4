"""What differs between two boards, and whose view that changes."""

from __future__ import annotations

from dataclasses import replace

from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.service.news import Differences, differences, said_otherwise, touched

DB, API, UI = (
    Task("aaaaaaaa", "db", "db"),
    Task("bbbbbbbb", "api", "api", blocked_by=("aaaaaaaa",)),
    Task("cccccccc", "ui", "ui", parent="dddddddd"),
)
ALL = Task("dddddddd", "all", "all", children=("cccccccc",))
BOARD = {task.id: task for task in (DB, API, UI, ALL)}


def test_equal_content_is_no_difference() -> None:
    """A file that was read again and says the same is no news."""
    assert differences(BOARD, BOARD) == ((), ())
    assert differences(BOARD, {id_: replace(task) for id_, task in BOARD.items()}) == ((), ())


def test_new_changed_and_gone_tasks_are_told_apart() -> None:
    """Each by its id."""
    after = {**BOARD, DB.id: replace(DB, title="store"), "eeeeeeee": Task("eeeeeeee", "new", "new")}
    del after[UI.id]
    assert differences(BOARD, after) == Differences((DB.id, "eeeeeeee"), (UI.id,))


def test_what_orange_notes_is_not_what_somebody_said() -> None:
    """A task that was claimed says the same as before; one with another title does not."""
    assert not said_otherwise(DB, replace(DB, run="aaaaaaaa-1", updated_at="2026-11-21T10:00:00Z"))
    assert said_otherwise(DB, replace(DB, title="store"))
    assert said_otherwise(None, DB)


def test_a_change_touches_the_parent_and_what_waits() -> None:
    """Progress, reasons and readiness of other tasks follow from it."""
    after = {**BOARD, DB.id: replace(DB, status=Status.DONE), UI.id: replace(UI, title="page")}
    found = differences(BOARD, after)
    assert touched(found, BOARD, after, ()) == (DB.id, API.id, UI.id, ALL.id)
    gone = {id_: task for id_, task in BOARD.items() if id_ != UI.id}
    assert touched(differences(BOARD, gone), BOARD, gone, ()) == (UI.id, ALL.id)


def test_what_became_ready_is_touched_although_nothing_of_it_changed() -> None:
    """Capabilities and settings make tasks ready, too."""
    assert touched(Differences((), ()), BOARD, BOARD, {API.id}) == (API.id,)
