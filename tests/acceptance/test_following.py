"""The user's branch follows by itself once what was in its way is gone."""

from __future__ import annotations

from tests.acceptance.place import Place


def test_a_branch_follows_once_the_way_is_clear(place: Place) -> None:
    """A file in the way holds the branch back and status says so; without the file the branch follows, unasked."""
    (place.repo / "new.txt").write_text("mine\n")
    place.create("adds-new", "write new.txt theirs\ncommit Add new")
    place.start()
    place.settled({"adds-new": "done"})

    def reason() -> object:
        return place.orange("status", "--json").json["projects"][0]["base"]["reason"]

    place.until(lambda: "new.txt" in str(reason()), "status to name the file")
    assert (place.repo / "new.txt").read_text() == "mine\n"
    (place.repo / "new.txt").unlink()
    place.until((place.repo / "new.txt").exists, "the branch to follow")
    place.until(lambda: place.git("status", "--porcelain") == "", "the checkout to have followed")
    assert (place.repo / "new.txt").read_text().strip() == "theirs"
    place.until(lambda: not reason(), "the reason to be gone")
