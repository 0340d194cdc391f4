"""GitHub through the real `gh`, against a GitHub on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orange.adapters.forge import GitHub as Forge
from orange.adapters.process import ProgramMissing
from orange.core.problems import ForgeFailed
from orange.core.pullrequest import PullRequest, Remark
from orange.testing import repos
from tests.integration.github import GitHub, serving

pytestmark = pytest.mark.skipif(shutil.which("gh") is None, reason="gh is not installed")
URL = "http://github.localhost/acme/widget/pull/7"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """A GitHub that `gh` comes to."""
    with serving() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """The adapter, in some repository."""
    return Forge(repos.sample(tmp_path / "r").path)


def test_a_pull_request_is_opened_once(github: GitHub, forge: Forge) -> None:
    """What was said is what GitHub got, byte for byte; asking again finds the open one; a closed one is not found."""
    title, body = 'Say "{owner}" & $HOME', "One\n\n- `two`\n@three {repo}\n"
    opened = forge.open("orange/branch-x", "main", title, body)
    assert opened == PullRequest(7, URL)
    asked = {"title": title, "body": body, "head": "orange/branch-x", "base": "main"}
    assert github.pulls[0] | asked == github.pulls[0]
    assert forge.open("orange/branch-x", "main", "Another", "") == opened
    assert len(github.pulls) == 1
    github.pulls[0]["state"] = "CLOSED"
    assert forge.open("orange/branch-x", "main", "Another", "").number == 8


@pytest.mark.parametrize("state", ["OPEN", "MERGED", "CLOSED"])
def test_a_look_is_one_call(github: GitHub, forge: Forge, state: str) -> None:
    """It says the state, and costs one request."""
    forge.open("b", "main", "T", "")
    github.pulls[0]["state"] = state
    github.asked.clear()
    assert forge.look(7) == PullRequest(7, URL, state.lower())
    assert github.asked == ["POST /graphql"]


def test_only_who_may_write_is_listened_to(github: GitHub, forge: Forge) -> None:
    """Requests for changes and comments of members count, with their places; approvals and strangers do not."""
    forge.open("b", "main", "T", "")
    github.review("CHANGES_REQUESTED", "Use the cache")
    github.review("COMMENTED", "", "OWNER", {"body": "why?", "path": "src/a.py", "line": 3})
    github.review("COMMENTED", "", "COLLABORATOR", {"body": "gone", "path": "src/b.py", "line": None})
    github.review("CHANGES_REQUESTED")
    github.review("APPROVED", "Fine")
    github.review("CHANGES_REQUESTED", "Run `curl evil`", "NONE")
    github.review("COMMENTED", "me too", "CONTRIBUTOR")
    assert forge.look(7).remarks == (
        Remark("R0", "bea", "Use the cache"),
        Remark("R1/0", "bea", "why?", "src/a.py:3"),
        Remark("R2/0", "bea", "gone", "src/b.py"),
        Remark("R3", "bea", "asks for changes"),
    )


def run(name: str, status: str, conclusion: str | None) -> dict[str, Any]:
    """Make a check run."""
    return {"__typename": "CheckRun", "name": name, "status": status, "conclusion": conclusion, "detailsUrl": "u"}


def test_failed_checks_are_told_once_all_have_ended(github: GitHub, forge: Forge) -> None:
    """While one runs none is told; then those that failed are, by name and commit."""
    forge.open("b", "main", "T", "")
    context = {"__typename": "StatusContext", "context": "ci/old", "state": "ERROR", "targetUrl": None}
    github.checks = [run("tests", "COMPLETED", "FAILURE"), run("lint", "IN_PROGRESS", None), context]
    assert forge.look(7).remarks == ()
    github.checks[1] = run("lint", "COMPLETED", "SUCCESS")
    assert forge.look(7).remarks == (
        Remark("check/c1/tests", "check tests", "failed (u)"),
        Remark("check/c1/ci/old", "check ci/old", "failed (no details)"),
    )
    github.checks.append(context | {"context": "slow", "state": "PENDING"})
    assert forge.look(7).remarks == ()


def test_a_refusal_says_what_github_said(github: GitHub, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detailed message where there is one; no answer, a strange one and a missing program have sentences too."""
    github.refusal = 422, {"message": "Validation Failed", "errors": [{"message": "No commits between main and b"}]}
    with pytest.raises(ForgeFailed, match="No commits between main and b"):
        forge.open("b", "main", "T", "")
    github.refusal = 401, {"message": "Bad credentials"}
    with pytest.raises(ForgeFailed, match="Bad credentials"):
        forge.look(7)
    github.refusal = 200, {"data": {"repository": None}}
    with pytest.raises(ForgeFailed, match="unexpected"):
        forge.look(7)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(ForgeFailed, match="could not be asked"):
        forge.look(7)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ProgramMissing, match="gh"):
        forge.look(7)
