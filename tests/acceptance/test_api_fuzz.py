"""The HTTP API against thousands of requests made from its own description, valid ones and others.

What is described must be what is answered: no server error, no answer beyond its schema, nothing accepted that the
description excludes, and the records of the project are sound afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.api import client
from tests.acceptance.place import Place

FACTOR = int(os.environ.get("ORANGE_TORTURE", "1"))
#: These start or end what is not of one request, or never end themselves; they have tests of their own.
LEFT_OUT = ("drain", "resume", "events")
#: Most made requests name no other project, and a valid one may contradict how things are: 422 is right for it.
CONFIG = """
[parameters]
"query.project" = "repo"

[checks]
positive_data_acceptance.enabled = false
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422]

[[operations]]  # batches of the largest size would be most of the work
include-operation-id = "create_tasks"
phases.coverage.enabled = false
"""


def told_once(part: Any) -> Any:
    """Leave out further names of the same key, which cannot stand beside each other, and names of requests."""
    if isinstance(part, dict):
        return {key: told_once(value) for key, value in part.items() if not is_alias(value)}
    if isinstance(part, list):
        return [told_once(value) for value in part if not (isinstance(value, dict) and value.get("name") == KEY)]
    return part


def is_alias(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("description", "")).startswith("The same as `")


KEY = "Idempotency-Key"


def test_thousands_of_requests_from_the_description_find_nothing(place: Place, tmp_path: Path) -> None:
    """Each operation alone, with every kind of wrong part, and one after another on what was made before."""
    place.orange("daemon", "pause")
    place.start()
    api = client(place)
    document, config, report = (tmp_path / name for name in ("openapi.json", "schemathesis.toml", "report.json"))
    document.write_text(json.dumps(told_once(api.get("/api/v2/openapi.json"))))
    config.write_text(CONFIG)
    argv = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run", str(document)]
    argv += ["--url", f"http://127.0.0.1:{api.port}", "--header", f"Authorization: Bearer {api.token}"]
    argv += [part for name in LEFT_OUT for part in ("--exclude-operation-id", name)]
    argv += ["--max-examples", str(8 if FACTOR == 1 else 60 * FACTOR), "--request-timeout", "120"]
    argv += [] if FACTOR > 1 else ["--seed", "1"]
    argv += ["--suppress-health-check", "all", "--continue-on-failure", "--no-shrink", "--no-color"]
    argv += ["--report", "json", "--report-json-path", str(report)]
    done = subprocess.run(argv, cwd=tmp_path, env=place.env, capture_output=True, text=True, check=False)
    said = "\n".join(line[:500] for line in done.stdout.splitlines() if line.strip())
    assert done.returncode == 0, said[-20_000:]
    assert json.loads(report.read_text())["test_cases"]["generated"] >= 2000 * FACTOR, said[-2000:]
    found = place.orange("status", "--json").json["projects"][0]
    assert found["problems"] == []
    assert place.task(api.post("/api/v2/tasks", {"title": "Still here"}, 201)["task"]["id"])["title"] == "Still here"
    place.orange("daemon", "stop")  # what it writes while git looks would be taken for missing
    place.git("fsck", "--no-dangling")
    assert "Traceback" not in (place.home / "daemon.out").read_text()
