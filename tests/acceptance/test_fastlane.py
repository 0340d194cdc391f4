"""Both lanes of the command line, as real processes: the same bytes, and the fast one imports next to nothing."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tests.acceptance.place import Place

LIST = ("task", "list", "--ready", "--json")


def said(place: Place, *line: str, whole: bool = False) -> tuple[int, str]:
    """Return exit code and answer of the lane that takes the line, or of the whole command line; ages left out."""
    env = place.env | ({"ORANGE_LANE": "whole"} if whole else {})
    done = subprocess.run(
        place.argv(*line), cwd=place.repo, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, re.sub(r"\d+[smh]\b *", "AGE ", done.stdout + done.stderr)


def drawn(place: Place, *line: str, whole: bool = False) -> tuple[int, str]:
    """Return exit code and answer on a terminal of 70 columns, ages left out."""
    env = place.env | ({"ORANGE_LANE": "whole"} if whole else {}) | {"TERM": "xterm", "COLUMNS": "70"}
    ours, theirs = pty.openpty()
    done = subprocess.Popen(place.argv(*line), cwd=place.repo, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return done.wait(120), re.sub(r"\d+[smh]\b *", "AGE ", text.decode())


def _read(terminal: int) -> bytes:
    """Read what there is; a terminal that its program has left reads as an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def takes_the_lane(place: Place) -> bool:
    """Whether the question is now answered without click."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orange", *LIST],
        cwd=place.repo, env=place.env, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return " click" not in done.stderr


def test_an_answer_is_kept_and_both_lanes_say_the_same(place: Place) -> None:
    """Without a daemon the second answer costs no click; a change is seen at once."""
    place.create("db")
    place.create("api", "", "--blocked-by", "db")
    first = said(place, *LIST)
    place.until(lambda: takes_the_lane(place), "an answer to be kept")
    assert said(place, *LIST) == first == said(place, *LIST, whole=True)
    place.create("docs")
    assert said(place, *LIST) == said(place, *LIST, whole=True) != first


def test_a_daemons_answer_is_that_of_the_whole_command_line(place: Place) -> None:
    """While a daemon runs, list, show, why and status are its answers, refusals too, and cost no click."""
    place.orange("daemon", "pause")
    place.create("db")
    place.create("api", "", "--blocked-by", "db")
    place.start()
    for words in ("task list --ready", "task list --all", "task show api", "task why api", "task show nope"):
        line = (*words.split(), "--json")
        assert said(place, *line) == said(place, *line, whole=True), words
        for screen in (said, drawn):
            assert screen(place, *words.split()) == screen(place, *words.split(), whole=True), words
    assert takes_the_lane(place)
