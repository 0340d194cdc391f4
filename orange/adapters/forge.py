"""GitHub, through its own program `gh`: who is logged in, and which repository is meant, is gh's business.

Opening is two plain calls; a look is one query for all that matters, so that following many pull requests stays well
within what GitHub allows in an hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from orange.adapters import process
from orange.adapters.git import environment
from orange.core.problems import ForgeFailed
from orange.core.pullrequest import ASKING, PullRequest, Remark

_PULLS = "repos/{owner}/{repo}/pulls"
_QUERY = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    number url state
    reviews(last: 50) { nodes { id state body author { login } authorAssociation
      comments(first: 50) { nodes { body path line } } } }
    commits(last: 1) { nodes { commit { oid statusCheckRollup { contexts(first: 100) { nodes {
      __typename
      ... on CheckRun { name status conclusion detailsUrl }
      ... on StatusContext { context state targetUrl } } } } } } }
  } }
}"""
#: Who may write to the repository, as GitHub says it of a comment's author.
_TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_RUNNING = frozenset({"PENDING", "EXPECTED"})
_FAILED = frozenset({"FAILURE", "ERROR", "TIMED_OUT", "STARTUP_FAILURE"})


class GitHub:
    """Satisfies `ports.Forge`. `folder`: any folder of the repository."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def open(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or find the one that is open. Raises ForgeFailed."""
        known = self._call(f"{_PULLS}?state=open&head={{owner}}%3A{quote(branch, safe='')}&base={quote(base, safe='')}")
        if known:
            return _opened(known[0])
        asked = {"title": title, "body": body, "head": branch, "base": base}
        return _opened(self._call("--method", "POST", _PULLS, "--input", "-", stdin=json.dumps(asked).encode()))

    def look(self, number: int) -> PullRequest:
        """Say how a pull request stands, with its reviews and checks. Raises ForgeFailed."""
        variables = ("-F", "owner={owner}", "-F", "name={repo}", "-F", f"number={number}", "-f", f"query={_QUERY}")
        answer = self._call("graphql", *variables)
        try:
            found = answer["data"]["repository"]["pullRequest"]
            return PullRequest(found["number"], found["url"], found["state"].lower(), tuple(_remarks(found)))
        except (KeyError, TypeError) as error:
            raise ForgeFailed(f"gh answered something unexpected about pull request {number}") from error

    def _call(self, *arguments: str, stdin: bytes | None = None) -> Any:
        env = environment({"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"})
        argv = ["gh", "api", *arguments]
        result = process.run(argv, cwd=self._folder, env=env, stdin=stdin)
        try:
            answer = json.loads(result.stdout)
        except ValueError:
            answer = None
        if result.status != 0 or answer is None:
            raise ForgeFailed(f"GitHub could not be asked: {_complaint(result.stderr, answer)}")
        return answer


def _complaint(stderr: str, answer: object) -> str:
    """Say in one line why gh failed: what GitHub said in detail, else gh's own words."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    details = [str(error["message"]) for error in errors or () if isinstance(error, dict) and error.get("message")]
    return " ".join("; ".join(details or [stderr]).split())[:300] or "gh said nothing"


def _opened(found: Mapping[str, Any]) -> PullRequest:
    try:
        return PullRequest(int(found["number"]), str(found["html_url"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ForgeFailed("gh answered something unexpected about a new pull request") from error


def _remarks(found: Mapping[str, Any]) -> Iterator[Remark]:
    for review in found["reviews"]["nodes"]:
        if review["state"] in ASKING and review["authorAssociation"] in _TRUSTED:
            yield from _of_review(review)
    for node in found["commits"]["nodes"]:
        commit = node["commit"]
        yield from _of_checks(commit["oid"], (commit["statusCheckRollup"] or {"contexts": {"nodes": ()}})["contexts"])


def _of_review(review: Mapping[str, Any]) -> Iterator[Remark]:
    by = (review["author"] or {"login": "ghost"})["login"]
    comments = review["comments"]["nodes"]
    if review["body"].strip() or (review["state"] == "CHANGES_REQUESTED" and not comments):
        yield Remark(review["id"], by, review["body"].strip() or "asks for changes")
    for at, comment in enumerate(comments):
        line = f":{comment['line']}" if comment["line"] else ""
        yield Remark(f"{review['id']}/{at}", by, comment["body"], f"{comment['path']}{line}")


def _of_checks(commit: str, contexts: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield the checks that failed, once none of them runs any more."""
    nodes = contexts["nodes"]
    if any(node.get("status", "COMPLETED") != "COMPLETED" or node.get("state") in _RUNNING for node in nodes):
        return
    for node in nodes:
        if (node.get("conclusion") or node.get("state")) in _FAILED:
            name = node.get("name") or node.get("context")
            where = node.get("detailsUrl") or node.get("targetUrl") or "no details"
            yield Remark(f"check/{commit}/{name}", f"check {name}", f"failed ({where})")
