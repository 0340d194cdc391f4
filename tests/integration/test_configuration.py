"""The configuration files on disk: what counts while there is a mistake in one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orange.adapters.configuration import Configuration
from orange.core.home import Home
from orange.core.layout import Layout

GOOD = "format: 1\nreview: {by: none}\nlimits: {attempts: 5}\n"
WRONG_VALUE = "format: 1\nreview: {by: nobody}\nlimits: {attempts: 7}\n"
UNKNOWN_KEY = "format: 1\nreveiw: {by: none}\n"
NO_YAML = "format: 1\nreview: {by: none\n"


class Place:
    """A project's and a user's folders."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(str(folder / "repo"), str(folder / "repo" / ".git"))
        self.home = Home(str(folder / "state"), str(folder / "run"), str(folder / "config"))

    def write(self, path: str, text: str) -> None:
        """Write one of the files, as another file: two writes within a clock tick must not look alike."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).with_name("new").write_text(text)
        Path(path).with_name("new").replace(path)

    def open(self) -> Configuration:
        """Look at the files as a new process does."""
        return Configuration(self.layout, self.home, {})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A project without configuration."""
    return Place(tmp_path)


@pytest.mark.parametrize("mistake", [WRONG_VALUE, UNKNOWN_KEY, NO_YAML])
def test_a_mistake_leaves_the_last_good_file_in_force(place: Place, mistake: str) -> None:
    """For who has read it before, and for every new process; mended, the new one counts."""
    place.write(place.layout.config, GOOD)
    running = place.open()
    assert (running.settings().review.by, running.settings().limits.attempts) == ("none", 5)
    place.write(place.layout.config, mistake)
    for reader in (running, place.open()):
        assert (reader.settings().review.by, reader.settings().limits.attempts) == ("none", 5)
        (problem,) = reader.problems()
        assert problem.path == "config.yaml"
        assert problem.line > 0
        assert "(the last good one)" in str([row for row in reader.rows() if row["key"] == "review.by"])
    place.write(place.layout.config, WRONG_VALUE.replace("nobody", "human"))
    assert (running.settings().review.by, running.settings().limits.attempts) == ("human", 7)
    assert not running.problems()


def test_the_users_file_is_kept_as_well(place: Place) -> None:
    """A mistake in one's own settings does not put the defaults in force."""
    place.write(place.home.settings, "limits: {max_agents: 7}\n")
    assert place.open().settings().limits.max_agents == 7
    place.write(place.home.settings, "limits: {max_agents: many}\n")
    assert place.open().settings().limits.max_agents == 7
    assert [problem.path for problem in place.open().problems()] == [place.home.settings]


def test_without_a_last_good_file_the_rest_of_it_counts(place: Place) -> None:
    """A project that arrives with a mistake still has its other settings."""
    place.write(place.layout.config, WRONG_VALUE)
    found = place.open()
    assert (found.settings().review.by, found.settings().limits.attempts) == ("human", 7)
    assert len(found.problems()) == 1


def test_where_nothing_can_be_kept_the_file_is_read_all_the_same(place: Place) -> None:
    """A machine whose folders cannot be written is told no less."""
    place.write(place.layout.config, GOOD)
    Path(place.layout.runtime).parent.mkdir(parents=True)
    Path(place.layout.runtime).write_text("a file in the way")
    assert place.open().settings().review.by == "none"
