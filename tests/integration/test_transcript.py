"""The log of a terminal: whole up to its limit, its end always, and never a reason to stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orange.runner import transcript
from orange.runner.transcript import Transcript

parts = st.lists(st.binary(max_size=40), max_size=12)


@given(parts)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_up_to_its_limit_everything_is_recorded(tmp_path: Path, said: list[bytes]) -> None:
    """Byte for byte, in order; the tail is its end."""
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    log = Transcript(str(path), limit=480)
    for part in said:
        log.add(part)
    log.close()
    assert path.read_bytes() == b"".join(said)
    assert log.tail == b"".join(said)


def test_beyond_its_limit_it_keeps_the_beginning_and_the_end(tmp_path: Path) -> None:
    """A marker stands where the recording stopped, at once; the end and how much is missing come at the end."""
    path = tmp_path / "log"
    log = Transcript(str(path), limit=1000)
    for number in range(200_000):
        log.add(b"%07d\n" % number)
        if number == 200:
            assert path.read_bytes().count(b"[orange: the log is full") == 1
    log.close()
    said = path.read_bytes()
    assert said.startswith(b"".join(b"%07d\n" % number for number in range(125)))
    assert said.endswith(b"0199999\n")
    assert b"[orange: %d bytes left out]" % (8 * 200_000 - 1000 - transcript.TAIL) in said
    assert len(said) < 1000 + transcript.TAIL + 300
    assert len(log.tail) == transcript.TAIL


def test_a_full_disk_ends_the_recording_and_nothing_else() -> None:
    """The trouble is noted once, in words; what follows is only kept at hand."""
    log = Transcript("/dev/full")
    log.add(b"one")
    log.add(b"two")
    log.close()
    assert log.trouble
    assert "space" in log.trouble
    assert log.tail == b"onetwo"


def test_it_is_private(tmp_path: Path) -> None:
    """Nobody else reads what an agent says; recording again adds to what is there."""
    for part in (b"a", b"b"):
        log = Transcript(str(tmp_path / "log"))
        log.add(part)
        log.close()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "log").read_bytes() == b"ab"
    with pytest.raises(FileNotFoundError):
        Transcript(str(tmp_path / "nowhere" / "log"))
