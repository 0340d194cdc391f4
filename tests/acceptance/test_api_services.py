"""What the HTTP API offers besides tasks: the job queue, over a real daemon that works its jobs off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.api import Client, Served, client
from tests.acceptance.conftest import configure, fresh_place
from tests.acceptance.place import Place

JOBS = "/api/queue/jobs"
IMPORT = "/api/v2/import"
QUICK = "/api/v2/quick-runs"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One daemon for all of this; nobody reviews, so that what it starts comes to its end."""
    with fresh_place(tmp_path_factory.mktemp("services")) as place:
        configure(place, "agent: script\nreview: {by: none}\n")
        place.start()
        yield Served(place, client(place))


def job(instructions: str, **more: Any) -> dict[str, Any]:
    """Make a canonical job."""
    return {"type": "task", "payload": {"task": {"instructions": instructions, **more}}}


def ended(served: Served, job_id: str) -> Any:
    """Wait until a job is over, and return it."""
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(served.api.get(f"{JOBS}/{job_id}")["job"])
        return found["status"] not in {"queued", "running"}

    served.place.until(over, f"job {job_id} to end")
    return found


def test_jobs_are_sent_worked_off_listed_and_counted(served: Served) -> None:
    """A job succeeds stage by stage, one whose agent fails is a dead letter; filters find them, telemetry counts."""
    api = served.api
    sent = {**job("Say hello\n```script\nwrite hello.txt hi\ncommit Add hello\n```"), "priority": 5, "affinityKey": "k"}
    first = api.post(JOBS, sent, 201)["job"]
    assert (first["status"], first["priority"], first["affinityKey"]) == ("queued", 1, "k")
    assert (first["runtime"], first["maxAttempts"], first["warnings"]) == ("script", 3, [])
    second = api.post(JOBS, {**job("Fail\n```script\nexit 3\n```"), "id": "J-2", "maxAttempts": 1}, 201)["job"]
    done, failed = ended(served, first["id"]), ended(served, "J-2")
    assert (done["status"], failed["status"], failed["attempt"]) == ("succeeded", "dead_letter", 1)
    assert [(stage["stage"], stage["status"]) for stage in done["stages"]] == [
        ("prepare", "finished"),
        ("execute", "finished"),
        ("publish", "finished"),
    ]
    assert (done["outcome"], done["publishResult"]["outcome"]) == ("PUBLISHED_MERGE", "merged")
    assert [stage["status"] for stage in failed["stages"]] == ["finished", "failed", "pending"]
    assert done["payload"]["task"]["instructions"].startswith("Say hello")

    def listed(query: str) -> list[str]:
        return [one["id"] for one in api.get(f"{JOBS}?{query}")["jobs"]]

    assert listed("status=succeeded&status=running") == listed("stage=publish&stageStatus=finished") == [first["id"]]
    assert listed("stage=execute&stageStatus=failed&runtime=script&skill=auto") == [second["id"]]
    assert listed("runtime=gemini") == listed("publishMode=pr") == []
    page = api.get(f"{JOBS}?type=task&limit=1")
    rest = api.get(f"{JOBS}?type=task&limit=1&cursor={page['nextCursor']}")
    assert {page["jobs"][0]["id"], rest["jobs"][0]["id"]} == {first["id"], second["id"]}
    assert (page["total"], rest["nextCursor"]) == (2, None)
    counted = api.get("/api/queue/telemetry?window=1h")
    assert counted["volume"]["byType"]["task"] == 2
    assert {(row["stage"], row["finished"], row["failed"]) for row in counted["stages"]} == {
        ("prepare", 2, 0),
        ("execute", 1, 1),
        ("publish", 1, 0),
    }
    assert counted["publish"] == [{"outcome": "merged", "count": 1, "rate": 1.0}]
    plain = api.post("/api/v2/tasks", {"title": "No job"}, 201)["task"]["id"]
    assert api.call("GET", f"{JOBS}/{plain}").json["code"] == "job_not_found"


def test_legacy_jobs_are_warned_of_counted_and_can_be_switched_off(served: Served) -> None:
    """The warning stays with the job; switched off, they are refused by name and nothing is created."""
    api, place = served.api, served.place
    legacy: dict[str, Any] = {"type": "codex_exec", "payload": {"instruction": "Fix it", "codex": {"effort": "low"}}}
    legacy["payload"]["requiredCapabilities"] = ["what no machine has"]  # so that it is never started
    made = api.post(JOBS, legacy, 201)["job"]
    assert "codex_exec" in made["warnings"][0]
    assert (made["type"], made["runtime"], made["effort"]) == ("codex_exec", "codex", "low")
    assert api.get("/api/queue/telemetry")["legacy"]["byType"] == {"codex_exec": 1}
    place.orange("config", "set", "queue.legacy", "false")
    try:
        refused = api.call("POST", JOBS, legacy)
        assert (refused.status, refused.json["field"]) == (422, "type")
        assert "queue.legacy" in refused.json["detail"]
    finally:
        place.orange("config", "set", "queue.legacy", "true")
    assert len(api.get(f"{JOBS}?type=codex_exec")["jobs"]) == 1


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"task": {}}, "task.instructions"),
        ({"task": {"instructions": "a", "runtime": {"mode": "cobol"}}}, "task.runtime.mode"),
        ({"repository": "acme/other", "task": {"instructions": "a"}}, "repository"),
        ({"task": {"instructions": f"use ghp_{'a1B2' * 9}"}}, "payload.task.instructions"),
    ],
)
def test_a_job_that_cannot_be_taken_names_its_field(served: Served, payload: dict[str, Any], field: str) -> None:
    """Refused with 422; the secret is in no answer."""
    refused = served.api.call("POST", JOBS, {"type": "task", "payload": payload})
    assert (refused.status, refused.json["field"]) == (422, field)
    assert b"ghp_" not in refused.body


def test_quick_actions_are_asked_for_looked_at_and_promoted(served: Served) -> None:
    """A completed one becomes one task, however often that is asked; a failed one becomes none."""
    api, place = served.api, served.place

    def asked(script: str) -> dict[str, Any]:
        said = {"prompt": f"Do it once\n```script\n{script}\n```"}
        made = str(api.post(QUICK, said, 201)["quick_run"]["id"])
        found: dict[str, Any] = {}

        def over() -> bool:
            found.update(api.get(f"{QUICK}/{made}")["quick_run"])
            return found["status"] in {"completed", "failed"}

        place.until(over, f"quick action {made} to end")
        return found

    done, failed = asked("write q.txt q\nsay all is well"), asked("exit 4")
    assert (done["status"], done["error"], done["promoted_task_id"]) == ("completed", None, None)
    assert "all is well" in done["result_summary"]
    assert failed["status"] == "failed"
    assert failed["error"]
    assert {one["id"] for one in api.get(QUICK)["quick_runs"]} >= {done["id"], failed["id"]}
    first, again = (api.post(f"{QUICK}/{done['id']}/promote") for _ in range(2))
    assert first["task"]["id"] == again["task"]["id"] == again["quick_run"]["promoted_task_id"]
    assert first["task"]["source"]["kind"] == "promoted_quick_action"
    refused = api.call("POST", f"{QUICK}/{failed['id']}/promote")
    assert (refused.status, refused.json["code"]) == (409, "not_completed")
    missing = api.call("GET", f"{QUICK}/zzzzzzzz")
    assert (missing.status, missing.json["code"]) == (404, "quick_run_not_found")


#: Ways to write a path that leads elsewhere, and what could be put before and behind it.
DOTS = ("..", "%2e%2e", "%2E.", "..%00", "....", "..;", "%252e%252e", "..%c0%af", "\uff0e\uff0e", "..%5c")
SLASHES = ("/", "%2f", "%5c", "//")
TARGETS = ("spec.json", "etc/passwd", "output.log", "../config", "TASK.md", "")
FORMS = [
    f"{first}{slash.join([dots] * depth)}{slash}{target}"
    for dots, slash, target in product(DOTS, SLASHES, TARGETS)
    for depth, first in ((1, "logs/"), (3, ""), (9, "/"))
]


def test_runs_tell_what_they_said_and_left_and_nothing_else(served: Served) -> None:
    """A log comes page by page and whole; each file of the record is there; every other path is the same 404."""
    api, place = served.api, served.place
    token = f"ghp_{'a1B2' * 9}"
    body = f"```script\nsay begin {token}\nsay é end\nwrite log.txt 1\ncommit Add log\n```\n"
    task = api.post("/api/v2/tasks", {"title": "Speak", "body": body.replace(token, "none"), "status": "pending"}, 201)
    name = task["task"]["id"]
    place.until(lambda: api.get(f"/api/v2/tasks/{name}")["task"]["status"] == "done", "the task to be done")
    (run,) = api.get(f"/api/v2/tasks/{name}/runs")["runs"]
    assert (run["kind"], run["outcome"], run["code"]) == ("work", "finished", "PUBLISHED_MERGE")
    path = f"/api/v2/runs/{run['run']}"
    page = api.get(f"{path}/log")
    assert "é end" in page["text"]
    assert (page["after"], page["ended"]) == (page["size"], True)
    assert api.get(f"{path}/log?after={page['after']}")["text"] == ""
    middle = len(page["text"].partition("\n")[0].encode()) + 1
    assert page["text"].encode()[middle:] == api.get(f"{path}/log?after={middle}")["text"].encode()
    listed = {one["path"]: one["size"] for one in api.get(f"{path}/artifacts")["artifacts"]}
    assert {"task_context.json", "output.log", "patches/changes.patch", "reports/run_summary.json"} <= set(listed)
    for artifact, size in listed.items():
        found = api.call("GET", f"{path}/artifacts/{artifact}")
        assert (found.status, found.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert len(found.body) == size
    folder = place.repo / ".git" / "orange" / "runs" / run["run"]
    with (folder / "output.log").open("a") as file:
        file.write(f"{token}\n")
    assert token not in api.get(f"{path}/log?after={page['size']}")["text"]
    assert token.encode() not in api.call("GET", f"{path}/artifacts/output.log").body
    (folder / "review.json").symlink_to("/etc/passwd")
    nothing = api.call("GET", f"{path}/artifacts/review.json")
    assert (nothing.status, nothing.json["code"]) == (404, "run_not_found")
    for form in (*FORMS[:500], "spec.json", "mail", "skills/a/SKILL.md"):
        asked = f"{path}/artifacts/{quote(form, safe='/%;.')}"
        assert api.call("GET", asked).body == nothing.body, form
    for odd in ("x", "..", "%2e%2e", f"{run['run']}x", "A-1", "-"):
        assert api.call("GET", f"/api/v2/runs/{odd}/log").body == nothing.body, odd


def test_agents_are_listed_as_the_command_line_lists_them(served: Served) -> None:
    """Which there are, and why one is unusable."""
    assert served.api.get("/api/v2/agents") == served.place.orange("agents", "--json").json


PRD = "# Shop\n\n## Tasks\n\n- [ ] Store\n- [ ] Page (depends on Store)\n- [ ] Mail (depends on Page)\n"


def test_a_document_is_previewed_and_committed_once(place: Place) -> None:
    """The preview makes no task and survives a restart; committed twice, its tasks are there once, only roots ready."""
    place.orange("daemon", "pause")
    place.start()
    api = client(place)
    asked = {"prd_content": PRD, "granularity": "fine", "auto_ready": True, "max_parallelism_hint": 2}
    before = api.get("/api/v2/tasks?all=true&limit=1")["total"]
    shown = api.post(f"{IMPORT}/prd/preview", asked)
    preview, job_id = shown["preview"], shown["job_id"]
    assert preview["prd_title"] == "Shop"
    keys = [task["key"] for task in preview["tasks"]]
    assert [(edge["from"], edge["to"]) for edge in preview["dependencies"]] == [("store", "page"), ("page", "mail")]
    assert (preview["root_task_ids"], preview["estimated_waves"]) == (["store"], [["store"], ["page"], ["mail"]])
    assert preview["summary"]["wave_count"] == 3
    assert api.post(f"{IMPORT}/prd/preview", asked)["job_id"] == job_id
    assert api.get("/api/v2/tasks?all=true&limit=1")["total"] == before
    place.orange("daemon", "stop")
    place.start()
    api = client(place)
    assert api.get(f"{IMPORT}/{job_id}")["job"]["status"] == "preview_ready"
    made = api.post(f"{IMPORT}/prd/commit", {"job_id": job_id})
    assert (made["created_count"], made["dependency_count"]) == (len(keys), 2)
    assert api.post(f"{IMPORT}/prd/commit", {"job_id": job_id}) == made
    assert api.get("/api/v2/tasks?all=true&limit=1")["total"] == before + len(keys)
    job = api.get(f"{IMPORT}/{job_id}")["job"]
    assert (job["status"], job["result"]["created_task_ids"]) == ("committed", made["created_task_ids"])
    assert (job["preview"]["summary"]["task_count"], job["kind"]) == (len(keys), "prd_import")
    ready = {task["id"]: task["title"] for task in api.get("/api/v2/tasks/ready")["tasks"]}
    assert {title for id_, title in ready.items() if id_ in made["created_task_ids"]} == {"Store"}


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({}, 422, "invalid_input"),
        ({"prd_content": "a", "prd_path": "README.md"}, 422, "invalid_input"),
        ({"prd_path": "../../../../etc/passwd"}, 422, "invalid_input"),
        ({"prd_path": ".git/config"}, 422, "invalid_input"),
        ({"prd_path": "missing.md"}, 422, "invalid_input"),
        ({"prd_path": "."}, 422, "invalid_input"),
        ({"prd_content": "a", "granularity": "tiny"}, 422, "invalid_input"),
        ({"prd_content": "x" * (9 << 20)}, 422, "invalid_input"),
        ({"prd_content": "x" * (17 << 20)}, 413, "unreadable"),
    ],
)
def test_a_document_that_is_none_makes_no_plan(served: Served, said: dict[str, Any], status: int, code: str) -> None:
    """Refused in one sentence; a file of the repository may be named, none beside it."""
    api = served.api
    plans = api.get("/api/v2/plans")
    refused = api.call("POST", f"{IMPORT}/prd/preview", said)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert api.get("/api/v2/plans") == plans
    assert api.call("GET", f"{IMPORT}/none").json["code"] == "import_not_found"
    assert api.call("POST", f"{IMPORT}/prd/commit", {"job_id": "none"}).status == 404


def test_figures_are_read_by_prometheus(served: Served) -> None:
    """Its own parser finds the tasks, slots, runs and the daemon's age; a stranger finds nothing."""
    api = served.api
    done = api.post(JOBS, job("Count\n```script\nsay counted\n```"), 201)["job"]["id"]
    ended(served, done)
    answer = api.call("GET", "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        (sample.name, sample.labels.get("status") or sample.labels.get("outcome") or ""): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }
    counts = served.place.orange("status", "--json").json["projects"][0]["counts"]
    assert {status: found["orange_tasks", status] for status in counts} == counts
    assert found["orange_runs_total", "finished"] >= 1
    assert found["orange_slots", ""] >= found["orange_slots_free", ""] >= 0
    assert found["orange_daemon_uptime_seconds", ""] > 0
    assert {"orange_queue_depth", "orange_info", "orange_dispatch_paused"} <= {name for name, _ in found}
    assert Client(api.port, None).call("GET", "/metrics").status == 401
