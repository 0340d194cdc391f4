"""What is about the service itself: whether it is well, its projects, the table of moves, its own description.

Next in the flow: nothing; these are answered here.
"""

from __future__ import annotations

import time

from orange import __version__
from orange.core.lifecycle import TRANSITIONS, Actor, Status
from orange.core.service import metrics
from orange.core.service.metrics import Family
from orange.core.service.shapes import Record, Text
from orange.core.service.views import OBJECT, TEXT, many, record, words
from orange.web.operation import PROJECT, Kind, Operation, Request


def _health(_request: Request) -> object:
    return {"status": "ok", "version": __version__}


def _projects(request: Request) -> object:
    return {"projects": [{"name": name, "path": root} for root, name in request.face.projects().items()]}


def _login(request: Request) -> object:
    return {"token": request.face.login(request.body["code"], request.caller)}


def _machine(_request: Request) -> object:
    moves = [
        {"from": source.value, "to": target.value, "means": means}
        for source, targets in TRANSITIONS.items()
        for target, means in targets.items()
    ]
    return {
        "states": [status.value for status in Status],
        "transitions": moves,
        "actors": [actor.value for actor in Actor],
        "initial": [Status.BACKLOG.value, Status.PENDING.value],
    }


def _follow(request: Request) -> object:
    return request.project.name if "project" in request.query else None


def _metrics(request: Request) -> object:
    face = request.face
    told = face.status()
    since = told.get("since")
    up = max(0.0, time.time() - since) if isinstance(since, float) else 0.0
    found = [
        Family("orange_info", "gauge", "The daemon that serves this.", (({"version": __version__}, 1),)),
        Family("orange_daemon_uptime_seconds", "gauge", "How long the daemon has been running.", (({}, up),)),
    ]
    for root, name in face.projects().items():
        alone = list(face.projects().values()).count(name) == 1
        found += face.open(root, None).figures(name if alone else root)
    return metrics.render(found)


def _describe(_request: Request) -> object:
    from orange.web.openapi import document
    from orange.web.routes import OPERATIONS as EVERY

    return document(EVERY)


_MOVE = record({"from": words(Status), "to": words(Status), "means": TEXT}, more=False)
_MACHINE = record(
    {"states": many(words(Status)), "transitions": many(_MOVE), "actors": many(TEXT), "initial": many(words(Status))},
    more=False,
)
_PROJECTS = record({"projects": many(record({"name": TEXT, "path": TEXT}, more=False))}, more=False)

OPERATIONS = (
    Operation(
        "health",
        "GET",
        "/healthz",
        "Say whether the daemon is well.",
        record({"status": TEXT, "version": TEXT}, more=False),
        _health,
        of_project=False,
        public=True,
    ),
    Operation(
        "projects", "GET", "/api/v2/projects", "List the projects served.", _PROJECTS, _projects, of_project=False
    ),
    Operation(
        "state_machine",
        "GET",
        "/api/v2/state-machine",
        "List the statuses and the legal moves.",
        _MACHINE,
        _machine,
        of_project=False,
    ),
    Operation(
        "events",
        "GET",
        "/api/v2/events",
        "Follow what happens: server-sent events; `Last-Event-ID` goes on where a stream ended.",
        TEXT,
        _follow,
        Record({"project": PROJECT}),
        of_project=False,
        kind=Kind.EVENTS,
    ),
    Operation(
        "metrics",
        "GET",
        "/metrics",
        "Figures for Prometheus: tasks, runs, slots, tokens, cost.",
        TEXT,
        _metrics,
        of_project=False,
        kind=Kind.FIGURES,
    ),
    Operation(
        "login",
        "POST",
        "/api/v2/login",
        "Get the token for the one-time code of `orange dashboard`.",
        record({"token": TEXT}, more=False),
        _login,
        body=Record({"code": Text(least=1, longest=200)}, ("code",)),
        of_project=False,
        public=True,
    ),
    Operation("openapi", "GET", "/api/v2/openapi.json", "Describe all of this.", OBJECT, _describe, of_project=False),
)
