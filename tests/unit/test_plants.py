"""What git would run is found in a repository's own files, and what changed of it is said."""

from __future__ import annotations

import pytest

from orange.core.plants import Change, Seen, changes, settings


def _seen(config: str, **hooks: bytes) -> Seen:
    return Seen(hooks, {"config": config.encode()})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[core]\n\tfsmonitor = touch x\n", {"core.fsmonitor": "touch x"}),
        ("[CORE] HooksPath=.husky", {"core.hookspath": ".husky"}),
        ("[core]\n\tsshCommand = ssh \\\n -v\n", {"core.sshcommand": "ssh  -v"}),
        ('[filter "a.B"]\n clean = evil\n smudge = cat\n', {"filter.a.B.clean": "evil", "filter.a.B.smudge": "cat"}),
        ('[diff "x"] textconv = run', {"diff.x.textconv": "run"}),
        ("[alias]\n st = !evil\n", {"alias.st": "!evil"}),
        ('[includeIf "gitdir:/"]\n path = /evil', {"includeif.gitdir:/.path": "/evil"}),
        ("[include]\n path = a\n path = b\n", {"include.path": "a\nb"}),
        ("[credential]\n helper = !evil", {"credential.helper": "!evil"}),
        ('[credential "https://x"]\n helper = !evil', {"credential.https://x.helper": "!evil"}),
        ('[user]\n name = fsmonitor\n[branch "core"]\n remote = origin\n# [core]\n;fsmonitor = x\n', {}),
        ("fsmonitor = x\n[core\nfsmonitor = y\n", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_settings_that_name_commands_are_found(text: str, found: dict[str, str]) -> None:
    """Sections in any case, on one line or several, with subsections and continued lines; nothing else counts."""
    assert {key.removeprefix("config: "): value.decode() for key, value in settings(_seen(text)).items()} == found


def test_what_changed_is_said() -> None:
    """Hooks and settings that were added, changed or removed; what stayed is not mentioned."""
    before = _seen("[core]\n pager = less\n editor = vi\n", kept=b"1", edited=b"1", gone=b"1")
    after = _seen("[core]\n pager = evil\n fsmonitor = evil\n", kept=b"1", edited=b"2", new=b"1")
    assert changes(before, after) == (
        Change("hooks/edited", "changed", b"2"),
        Change("hooks/gone", "removed", b""),
        Change("hooks/new", "added", b"1"),
        Change("config: core.editor", "removed", b""),
        Change("config: core.fsmonitor", "added", b"evil"),
        Change("config: core.pager", "changed", b"evil"),
    )
    assert changes(after, after) == ()


def test_the_sentences_say_what_and_where() -> None:
    """A hook is named; a setting is named with its value."""
    assert Change("hooks/pre-commit", "added", b"#!/bin/sh").sentence == (
        "the hook hooks/pre-commit was added during the run"
    )
    assert Change("config: core.fsmonitor", "changed", b"evil").sentence == (
        "the git setting config: core.fsmonitor (evil) was changed during the run"
    )
