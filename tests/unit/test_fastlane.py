"""What the fast lane may be asked, and where it finds the daemon."""

from __future__ import annotations

import pytest

from orange import fastlane
from orange.core.home import home
from orange.fastlane.asking import may_ask


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("task list --json", True),
        ("task list --ready --json -C /there", True),
        ("task list --status done --label -x --json", True),
        ("task show db --json", True),
        ("task why --json db", True),
        ("status --json", True),
        ("task show --json", False),
        ("task show db extra --json", False),
        ("task list word --json", False),
        ("task list --tree --json", False),
        ("task list --json --status", False),
        ("status --watch --json", False),
        ("task update db --status done --json", True),
        ("task update db --title -x --add-label a --json", True),
        ("task update --status done --json", False),
        ("task update db --status delegated --json", False),
        ("task update --tasks a,b --status done --json", False),
        ("task create x --json", False),
        ("-C /there task list --json", False),
        ("task list --json --project there", False),
        ("task show -- db --json", False),
        ("task", False),
    ],
)
def test_only_questions_that_need_nothing_of_the_asker_are_asked(line: str, may: bool) -> None:
    """Reads of named tasks with plain options go to the daemon; everything else takes the whole command line."""
    assert may_ask(line.split()) is may


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"XDG_RUNTIME_DIR": ""},
        {"XDG_RUNTIME_DIR": "/run/user/1000"},
        {"XDG_RUNTIME_DIR": "/" + "x" * 70},
        {"XDG_RUNTIME_DIR": "/" + "x" * 71},
        {"XDG_RUNTIME_DIR": "/" + "ü" * 40},
        {"XDG_RUNTIME_DIR": "/" + "y" * 300},
    ],
)
def test_the_daemons_socket_is_where_the_daemon_puts_it(environment: dict[str, str]) -> None:
    """The lane works the path out by itself, and comes to the same."""
    assert fastlane.socket_path(environment, 1000) == home(environment, 1000).socket


@pytest.mark.parametrize(
    ("argv", "environment"),
    [
        (["task", "edit", "x"], {}),
        ([], {}),
        (["task", "list", "--json"], {"ORANGE_LANE": "whole"}),
        (["task", "list", "--json"], {"_ORANGE_COMPLETE": "bash_complete"}),
    ],
)
def test_the_lane_leaves_the_field_when_it_is_not_meant(
    argv: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other lines, completion and ORANGE_LANE=whole go to the whole command line."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert fastlane.answer(argv) is None
