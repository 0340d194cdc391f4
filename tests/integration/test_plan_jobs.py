"""Importing a document in two steps: previewed, committed, looked at; in the shapes programs were promised."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orange import wiring
from orange.core.lifecycle import Actor, Status
from orange.core.plans.model import Granularity, Parameters
from orange.core.problems import InvalidInput, NotAllowed
from orange.project import Project
from orange.project.plan_jobs import ImportNotFound
from orange.project.plans import Plans
from orange.project.requests import Speaker
from orange.testing import repos
from tests.data.pdfs import printed

ADA = Speaker(Actor.PERSON, "ada")
TEXT = """# PRD: Shop

## Requirements
- REQ-1: Store it
- REQ-2: Count it after REQ-1
- REQ-3: Sell it after REQ-2
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make an empty project."""
    repos.sample(tmp_path / "repo")
    wiring.init_project(str(tmp_path / "repo"), None)
    return wiring.open_project(str(tmp_path / "repo"), ADA)


def preview(plans: Plans, **asked: Any) -> Any:
    """Preview the document."""
    return plans.preview(TEXT, None, Parameters(**asked))


def test_a_preview_shows_what_a_commit_makes(project: Project) -> None:
    """The keys and kinds that programs rely on; nothing is on the board before the commit."""
    made = preview(project.plans)
    told = made["preview"]
    assert (told["prd_title"], told["root_task_ids"]) == ("Shop", ["req-1"])
    assert [(edge["from"], edge["to"]) for edge in told["dependencies"]] == [("req-1", "req-2"), ("req-2", "req-3")]
    assert told["estimated_waves"] == [["req-1"], ["req-2"], ["req-3"]]
    assert {"task_count": 3, "dependency_count": 2, "wave_count": 3}.items() <= told["summary"].items()
    job: Any = project.plans.job(made["job_id"])
    assert (job["status"], job["committed_at"], job["result"]) == ("preview_ready", None, None)
    assert job["preview"] == told
    assert project.board().tasks == {}


def test_a_commit_is_made_once_however_often_it_is_sent(project: Project) -> None:
    """The same answer each time, and one set of tasks, in the backlog unless they may begin."""
    job_id = preview(project.plans)["job_id"]
    first: Any = project.plans.commit_job(job_id)
    assert (first["job_id"], first["created_count"], first["dependency_count"]) == (job_id, 3, 2)
    assert project.plans.commit_job(job_id) == first
    assert set(project.board().tasks) == set(first["created_task_ids"])
    assert {task.status for task in project.board().tasks.values()} == {Status.BACKLOG}
    job: Any = project.plans.job(job_id)
    assert (job["kind"], job["status"], job["result"]) == ("prd_import", "committed", first)
    assert job["created_at"] <= job["committed_at"]


def test_with_auto_ready_the_graph_alone_holds_tasks_back(project: Project) -> None:
    """All of them are pending, and each waits for what it comes after."""
    made: Any = project.plans.commit_job(preview(project.plans, auto_ready=True)["job_id"])
    first, second, third = (project.board().tasks[task] for task in made["created_task_ids"])
    assert {first.status, second.status, third.status} == {Status.PENDING}
    assert [first.blocked_by, second.blocked_by, third.blocked_by] == [(), (first.id,), (second.id,)]


def test_the_same_text_with_the_same_wishes_is_the_same_job(project: Project) -> None:
    """Before and after its commit; another wish is another job."""
    job_id = preview(project.plans)["job_id"]
    assert preview(project.plans)["job_id"] == job_id
    project.plans.commit_job(job_id)
    assert preview(project.plans)["job_id"] == job_id
    assert preview(project.plans, max_parallelism_hint=1)["job_id"] != job_id


def test_what_is_not_asked_for_anew_stays_as_it_was(project: Project) -> None:
    """A document's plan remembers how it was made; another document has no such memory."""
    wanted = Parameters(Granularity.FINE, auto_ready=True, max_parallelism_hint=3)
    project.plans.decompose(TEXT, "prd.md", wanted, print)
    assert project.plans.parameters("prd.md", {}) == wanted
    assert project.plans.parameters("prd.md", {"max_parallelism_hint": 2}) == replace(wanted, max_parallelism_hint=2)
    assert project.plans.parameters("other.md", {}) == Parameters()


def test_a_file_of_the_repository_may_be_named(project: Project) -> None:
    """A PDF too; it has one plan, that follows it."""
    root = Path(project.layout.root)
    (root / "prd.pdf").write_bytes(printed(TEXT))
    made: Any = project.plans.preview(None, "prd.pdf", Parameters())
    assert [task["pages"] for task in made["preview"]["tasks"]] == [[1, 1]] * 3
    (root / "prd.pdf").write_bytes(printed(f"{TEXT}- REQ-4: Wrap it\n"))
    again: Any = project.plans.preview(None, "prd.pdf", Parameters())
    assert (again["job_id"], again["preview"]["summary"]["task_count"]) == (made["job_id"], 4)


def test_no_other_file_is_read(project: Project) -> None:
    """Neither outside of the repository, nor through a link, nor what is no file; and one source is given."""
    root = Path(project.layout.root)
    (root.parent / "secret.md").write_text(TEXT)
    (root / "link.md").symlink_to(root.parent / "secret.md")
    os.mkfifo(root / "pipe.md")
    for path in ("../secret.md", str(root.parent / "secret.md"), "link.md", ".git/config", ".git"):
        with pytest.raises(InvalidInput, match="prd_path: it is no file of the repository"):
            project.plans.preview(None, path, Parameters())
    for path, said in (("pipe.md", "it is no file"), ("none.md", "No such")):
        with pytest.raises(InvalidInput, match=f"(?i)prd_path: {path}: .*({said})"):
            project.plans.preview(None, path, Parameters())
    for content, path_or_none in ((None, None), (TEXT, "prd.md")):
        with pytest.raises(InvalidInput, match="prd_content: give either"):
            project.plans.preview(content, path_or_none, Parameters())


def test_an_unknown_job_is_named_and_agents_commit_none(project: Project) -> None:
    """In one sentence."""
    job_id = preview(project.plans)["job_id"]
    with pytest.raises(ImportNotFound, match="there is no import 'other'"):
        project.plans.job("other")
    agent = Project(project.parts, Speaker(Actor.AGENT, "robot"))
    with pytest.raises(NotAllowed):
        agent.plans.commit_job(job_id)
    assert project.board().tasks == {}
