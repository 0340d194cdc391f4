"""The way into the dashboard, over a real socket of a real daemon."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.acceptance.api import Client, client
from tests.acceptance.place import Place

PAGES = ("/", "/list", "/tasks/k3f9x2ab", "/static/app.js", "/static/style.css")
NOWHERE = (
    "/nothing", "/static/../app.js", "/static/..%2f..%2fetc/passwd", "//etc/passwd", "/static/%2e%2e/app.js",
    "/static/", "/static/app.js%00", "/tasks/..", "/healthz/../static/app.js",
    "/static/vendor/../app.js", "/..;/static/app.js",
)  # fmt: skip


def test_the_dashboard_is_opened_by_a_link_that_works_once(place: Place) -> None:
    """`orange dashboard` starts the daemon; its code is good for one token, and nothing without it is told anything."""
    url = place.orange("dashboard", "--json").json["dashboard"]["url"]
    try:
        stranger, code = Client(urlsplit(url).port or 0, None), urlsplit(url).fragment.removeprefix("code=")
        for path in PAGES:
            page = stranger.call("GET", path)
            assert page.status == 200, path
            assert "default-src 'self'" in page.headers["Content-Security-Policy"]
            again = stranger.call("GET", path, If_None_Match=page.headers["ETag"])
            assert (again.status, again.body) == (304, b"")
            assert stranger.raw("GET", path, [("Host", "evil.example")]).status == 421
        assert len({(stranger.call("GET", path).status, stranger.call("GET", path).body) for path in NOWHERE}) == 1
        assert stranger.call("GET", NOWHERE[0]).status == 404
        assert stranger.call("GET", "/api/v2/tasks").status == 401
        foreign = stranger.call("POST", "/api/v2/login", {"code": code}, Origin="http://evil.example")
        assert foreign.status == 403
        token = stranger.post("/api/v2/login", {"code": code})["token"]
        assert token == client(place).token
        twice = stranger.call("POST", "/api/v2/login", {"code": code})
        assert (twice.status, twice.json["code"]) == (403, "not_allowed")
        assert place.orange("dashboard").out.startswith(f"{url.partition('#')[0]}#code=")
    finally:
        place.orange("daemon", "stop")
