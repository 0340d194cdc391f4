"""Files of jobs, and names of repositories."""

from __future__ import annotations

import pytest

from orange.core import jobfile, repositories
from orange.core.jobs import JobRefused

ONE = '{"type": "task", "payload": {"task": {}}}'
READ = {"type": "task", "payload": {"task": {}}}


@pytest.mark.parametrize(
    ("text", "count"),
    [(ONE, 1), (f"[{ONE}, {ONE}]", 2), (f'{{"jobs": [{ONE}]}}', 1), (f"{ONE}\n\n{ONE}\n", 2), ('{"task": {}}', 1)],
)
def test_the_forms_of_a_file(text: str, count: int) -> None:
    """One job, a list, one a line, a bare payload."""
    assert jobfile.envelopes(text) == [READ] * count


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1, column 2"),
        (f"{ONE}\n{{oops}}\n", "line 2, column 2"),
        ("[]", "jobs"),
        ("[1]", "job 1"),
        ('{"jobs": NaN}', "line 1"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_what_is_no_file_of_jobs(text: str, where: str) -> None:
    """The place is named."""
    with pytest.raises(JobRefused) as refused:
        jobfile.envelopes(text)
    assert refused.value.field == where


@pytest.mark.parametrize(
    ("name", "address", "same"),
    [
        ("acme/shop", "git@github.com:acme/shop.git", True),
        ("Acme/Shop", "https://github.com/acme/shop/", True),
        ("acme/shop", "ssh://git@example.org:2222/acme/shop.git", True),
        ("acme/shop", "https://ada@example.org/acme/shop", True),
        ("https://github.com/acme/shop", "git@github.com:acme/shop.git", True),
        ("https://github.com/acme/shop", "git@gitlab.com:acme/shop.git", False),
        ("acme/shop", "git@github.com:acme/shop2.git", False),
        ("acme/shop", "git@github.com:other/shop.git", False),
        ("acme/shop", "/srv/git/shop.git", False),
    ],
)
def test_names_of_the_same_repository(name: str, address: str, same: bool) -> None:
    """By owner and name, and by the host where one is named."""
    assert repositories.is_name(name)
    assert repositories.same(name, address) is same


@pytest.mark.parametrize("name", ["shop", "acme/shop/more", "https://a:b@c/d/e", "file:///x/y", "../x y", "git@h", ""])
def test_what_is_no_name_of_a_repository(name: str) -> None:
    """Neither a path nor an address with credentials."""
    assert not repositories.is_name(name)
