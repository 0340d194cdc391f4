"""The dashboard's files are found by exactly their names, and a code lets in once, for a minute."""

from __future__ import annotations

from itertools import count, product

import pytest

from orange.web.onetime import GOOD_FOR, Codes
from orange.web.pages import POLICY, Pages

PAGES = Pages()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/", "text/html"),
        ("/?project=a/b", "text/html"),
        ("/list", "text/html"),
        ("/tasks/k3f9x2ab", "text/html"),
        ("/tasks/T-001.b?x", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/views/board.js?1", "text/javascript"),
        ("/static/style.css", "text/css"),
        ("/static/orange.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_given_out_under_its_name(target: str, kind: str) -> None:
    """Each file has its type; each view is the one page."""
    found = PAGES.find(target)
    assert found is not None
    assert found.kind.partition(";")[0] == kind


_UP = ("..", "%2e%2e", "%2E.", "....", ". .", "%252e%252e", "..%00", "%c0%ae%c0%ae", "..;", "．．")
_JOINTS = ("/", "%2f", "\\", "%5c", "//", "/./")
_PLACES = ("", "/static", "/static/views", "/tasks", "/static/vendor")


def test_no_way_round_leads_anywhere() -> None:
    """However a path climbs, it is no name; nor are a file's own folder, another case, or what is no web file."""
    climbing = [
        f"{place}{joint}{up}{joint}{end}"
        for place, joint, up, end in product(_PLACES, _JOINTS, _UP, ("etc/passwd", "app.js", ""))
    ]
    others = [
        "/static",
        "/static/",
        "/static/views",
        "/static/APP.js",
        "/static/app.js/",
        "/static/app.js%00",
        "//static/app.js",
        "/static/index.html",
        "/static/vendor/SHA256SUMS",
        "/static/vendor/LICENSE.htm",
        "/app.js",
        "/tasks",
        "/tasks/",
        "/tasks/.git",
        "/tasks/a/b",
        "/tasks/a%2fb",
        "/board/",
        "*",
        "app.js",
    ]
    odd = ["", "/\n", "/static/app.js\n"]
    assert len(climbing) > 500
    assert [target for target in (*climbing, *others, *odd) if PAGES.find(target)] == []


def test_a_state_is_known_by_its_tag() -> None:
    """A browser that has a file is not sent it again, however it says so."""
    page = PAGES.find("/")
    assert page is not None
    assert page.is_known(page.tag)
    assert page.is_known(f'"other", W/{page.tag}')
    assert not page.is_known('"other"')
    assert not page.is_known("")


def test_nothing_runs_but_our_own_files() -> None:
    """The policy lets no script or style stand within a page, and no text become markup."""
    assert "unsafe" not in POLICY
    assert "require-trusted-types-for 'script'" in POLICY


def test_a_code_is_good_once_and_not_for_long() -> None:
    """Used twice, too late or made up, it is refused; many that are never used do not pile up."""
    now, numbers = [0.0], count()
    codes = Codes(lambda: now[0], lambda: f"code {next(numbers)}")
    first, second = codes.make(), codes.make()
    assert codes.use(first)
    assert not codes.use(first)
    now[0] = GOOD_FOR
    assert not codes.use(second)
    assert not codes.use("made up")
    many = [codes.make() for _ in range(1000)]
    assert sum(codes.use(code) for code in many) == 100
    assert not codes.use(many[0])
