"""The HTTP API over a real socket of a real daemon: what it does, what it refuses, and whom it lets in."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from orange.core.lifecycle import TRANSITIONS, Status
from tests.acceptance.api import Client, Reply, Served, client
from tests.acceptance.conftest import fresh_place
from tests.acceptance.place import Place

TASKS = "/api/v2/tasks"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One daemon for all of this; it starts nothing by itself, so that tasks stay as they were put."""
    with fresh_place(tmp_path_factory.mktemp("api")) as place:
        place.orange("daemon", "pause")
        place.start()
        yield Served(place, client(place))


def test_a_task_is_made_read_changed_connected_and_removed(served: Served) -> None:
    """The life of a task's file through the API, as the command line sees it; aliases of older programs are taken."""
    api, place = served.api, served.place
    made = api.post(TASKS, {"title": "Log in page", "labels": ["ui"]}, 201)["task"]
    older = {"title": "Store", "task_type": "feature", "priority": "P0", "description": "Why.", "status": "pending"}
    store = api.post(TASKS, older, 201)["task"]
    assert (made["status"], store["status"], store["priority"], store["body"]) == (
        "backlog",
        "pending",
        "critical",
        "Why.",
    )
    connected = api.post(f"{TASKS}/{made['id']}/dependencies", {"blocked_by": store["id"]})["task"]
    assert connected["blocked_by"] == [store["id"]] == place.task(made["id"])["blocked_by"]
    circle = api.call("POST", f"{TASKS}/{store['id']}/dependencies", {"blocked_by": [made["id"]]})
    assert (circle.status, circle.json["code"]) == (409, "dependency_cycle")
    changed = api.call("PATCH", f"{TASKS}/{made['name']}", {"title": "Page to log in", "labels": ["web", "ui"]})
    assert (changed.json["task"]["title"], changed.json["task"]["labels"]) == ("Page to log in", ["web", "ui"])
    assert "backlog" in [reason["code"] for reason in api.get(f"{TASKS}/{made['id']}/why")["waiting"]]
    free = api.call("DELETE", f"{TASKS}/{made['id']}/dependencies/{store['id']}").json["task"]
    assert free["blocked_by"] == []
    assert next(event["type"] for event in api.get(f"{TASKS}/{made['id']}/events")["events"]) == "task.created"
    assert api.call("DELETE", f"{TASKS}/{made['id']}").json == {"removed": made["id"]}
    gone = api.call("GET", f"{TASKS}/{made['id']}")
    assert (gone.status, gone.json["code"], gone.headers["Content-Type"]) == (
        404,
        "task_not_found",
        "application/problem+json",
    )


def test_many_tasks_are_created_or_none(served: Served) -> None:
    """A batch is one write: one bad task among good ones, and nothing is there afterwards."""
    api = served.api
    before = api.get(f"{TASKS}?all=true")["total"]
    bad = {"tasks": [{"title": "one"}, {"title": "two", "blocked_by": ["nobody"]}]}
    assert api.call("POST", f"{TASKS}/batch", bad).status == 404
    assert api.get(f"{TASKS}?all=true")["total"] == before
    good = {
        "tasks": [{"title": "First of two", "name": "first-of-two"}, {"title": "b", "blocked_by": ["first-of-two"]}]
    }
    first, second = api.post(f"{TASKS}/batch", good, 201)["tasks"]
    assert second["blocked_by"] == [first["id"]]


def test_every_free_key_of_a_task_is_changed_in_one_write(served: Served) -> None:
    """What is null is cleared; a wrong one among good ones changes nothing; families follow a new parent."""
    api = served.api
    parent, child = (api.post(TASKS, {"title": title}, 201)["task"]["id"] for title in ("Old parent", "A child"))
    other = api.post(TASKS, {"title": "New parent"}, 201)["task"]["id"]
    said = {
        "type": "bug",
        "agent": "claude",
        "model": "m",
        "effort": "high",
        "skill": "speckit",
        "base": "main",
        "publish": "none",
        "requires": ["gpu"],
        "acceptance_criteria": ["it works"],
        "context_files": ["a.py"],
        "assignee": "human",
        "estimate": "S",
        "category": "c",
        "session": "s",
        "ref": "EDIT-1",
    }
    changed = api.call("PATCH", f"{TASKS}/{child}", {**said, "parent": parent, "sections": {"Context": "Because."}})
    task = changed.json["task"]
    assert {key: task[key] for key in said} == said
    assert (task["parent"], "Because." in task["body"]) == (parent, True)
    assert api.get(f"{TASKS}/{parent}")["task"]["children"] == [child]
    task = api.call(
        "PATCH", f"{TASKS}/{child}", {**dict.fromkeys(("agent", "skill", "publish", "ref")), "parent": other}
    )
    assert [task.json["task"][key] for key in ("agent", "skill", "publish", "ref", "parent")] == [
        None,
        "auto",
        None,
        None,
        other,
    ]
    assert api.get(f"{TASKS}/{parent}")["task"]["children"] == []
    for wrong, code in (
        ({"parent": child}, "dependency_cycle"),
        ({"type": "none such"}, "invalid_input"),
        ({"base": "--upload-pack=x"}, "invalid_input"),
        ({"status": "done"}, "invalid_input"),
    ):
        refused = api.call("PATCH", f"{TASKS}/{child}", {"title": "Half", **wrong})
        assert (refused.status >= 400, refused.json["code"]) == (True, code), wrong
    assert api.get(f"{TASKS}/{child}")["task"]["title"] == "A child"
    freed = api.call("PATCH", f"{TASKS}/{child}", {"parent": None}).json["task"]
    assert freed["parent"] is None


def test_many_tasks_are_created_and_changed_or_none(served: Served) -> None:
    """One write for both; a change may lean on what is created beside it, and one stale ETag undoes everything."""
    api = served.api
    first, second = (api.post(TASKS, {"title": title}, 201)["task"]["id"] for title in ("Batch one", "Batch two"))
    before = api.get(f"{TASKS}?all=true")["total"]
    tag = api.call("GET", f"{TASKS}/{first}").headers["ETag"]
    both = {
        "tasks": [{"title": "Beside", "name": "beside-a-batch"}],
        "updates": [{"task": first, "priority": "P0", "if_match": tag}, {"task": second, "parent": "beside-a-batch"}],
    }
    new, one, two = api.post(f"{TASKS}/batch", both, 201)["tasks"]
    assert (one["priority"], two["parent"]) == ("critical", new["id"])
    stale = {"tasks": [{"title": "Not made"}], "updates": [{"task": first, "title": "Not changed", "if_match": tag}]}
    refused = api.call("POST", f"{TASKS}/batch", stale)
    assert (refused.status, refused.json["code"]) == (409, "stale_write")
    assert api.get(f"{TASKS}?all=true")["total"] == before + 1
    assert api.get(f"{TASKS}/{first}")["task"]["title"] == "Batch one"


def test_pages_show_every_task_once(served: Served) -> None:
    """Page by page the list is whole, in dispatch order, also when the last task of a page goes meanwhile."""
    api = served.api
    tasks = [{"title": f"Page {n}", "labels": ["paged"], "priority": ("low", "high")[n % 2]} for n in range(7)]
    wanted = {task["id"] for task in api.post(f"{TASKS}/batch", {"tasks": tasks}, 201)["tasks"]}
    seen: list[str] = []
    page = api.get(f"{TASKS}?label=paged&limit=3")
    seen += [task["id"] for task in page["tasks"]]
    while page["next_cursor"]:
        if len(seen) == 3:
            api.call("DELETE", f"{TASKS}/{seen[-1]}")
        page = api.get(f"{TASKS}?label=paged&limit=3&cursor={quote(page['next_cursor'])}")
        assert page["total"] == 6
        seen += [task["id"] for task in page["tasks"]]
    assert len(seen) == 7
    assert set(seen) == wanted
    assert api.call("GET", f"{TASKS}?cursor=nonsense").json["field"] == "cursor"
    chosen = api.get(f"{TASKS}?id={seen[0]}&id={seen[5]}&id=nobody")["tasks"]
    assert {task["id"] for task in chosen} == {seen[0], seen[5]}


def test_a_change_made_on_an_old_reading_is_refused(served: Served) -> None:
    """ETag and If-Match: who read first and writes last loses, and is told to read again; nothing is overwritten."""
    api = served.api
    task = api.post(TASKS, {"title": "Contended"}, 201)["task"]["id"]
    tag = api.call("GET", f"{TASKS}/{task}").headers["ETag"]
    assert api.call("PATCH", f"{TASKS}/{task}", {"title": "First"}, If_Match=tag).status == 200
    late = api.call("PATCH", f"{TASKS}/{task}", {"title": "Second"}, If_Match=tag)
    assert (late.status, late.json["code"]) == (409, "stale_write")
    assert api.get(f"{TASKS}/{task}")["task"]["title"] == "First"


def test_the_same_key_does_it_once(served: Served) -> None:
    """Twenty at once with one Idempotency-Key: one task, one answer; the key cannot be used for another request."""
    api = served.api

    def create(_: int) -> Reply:
        return api.call("POST", TASKS, {"title": "Only one"}, Idempotency_Key="key-1")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))
    assert {(answer.status, answer.json["task"]["id"]) for answer in answers} == {(201, answers[0].json["task"]["id"])}
    other = api.call("POST", TASKS, {"title": "Another"}, Idempotency_Key="key-1")
    assert (other.status, other.json["field"]) == (422, "Idempotency-Key")
    assert [task["title"] for task in api.get(f"{TASKS}?all=true&limit=1000")["tasks"]].count("Only one") == 1


def test_every_pair_of_statuses_is_decided_by_the_one_table(served: Served) -> None:
    """From a backlog and a pending task to every status: what is refused says from, to and what is legal."""
    api = served.api
    for source in (Status.BACKLOG, Status.PENDING):
        for target in Status:
            task = api.post(TASKS, {"title": f"{source} to {target}", "status": source}, 201)["task"]["id"]
            answer = api.call("POST", f"{TASKS}/{task}/transition", {"status": target})
            legal = target in TRANSITIONS[source] or target is source
            if not legal:
                assert answer.status in {403, 409}, (source, target, answer)
            if answer.status == 409 and answer.json["code"] == "illegal_transition":
                found = answer.json
                assert (found["from"], found["to"], found["task"]) == (source, target, task)
                assert found["legal"] == [str(status) for status in TRANSITIONS[source]]
                assert isinstance(found["blockers"], list)
            if target in {Status.STUCK, Status.CANCELLED} and source is Status.PENDING:
                assert answer.json["task"]["status"] == target
    machine = api.get("/api/v2/state-machine")
    assert {(move["from"], move["to"]) for move in machine["transitions"]} == {
        (source.value, target.value) for source, targets in TRANSITIONS.items() for target in targets
    }


def test_the_switch_the_board_and_the_order_are_shown(served: Served) -> None:
    """Pause and resume; every task stands in one column; waves hold open tasks."""
    api = served.api
    api.post(TASKS, {"title": "Shown", "status": "pending"}, 201)
    assert api.post("/api/v2/daemon/pause", {"reason": "lunch"})["dispatch"]["reason"] == "lunch"
    assert api.get("/api/v2/status")["dispatch"] == {"paused": True, "draining": False, "reason": "lunch"}
    board = api.call("GET", f"{TASKS}/board")
    columns = board.json["columns"]
    assert api.call("GET", f"{TASKS}/board", If_None_Match=board.headers["ETag"]).status == 304
    shown = [task["id"] for column in columns.values() for task in column]
    assert len(shown) == len(set(shown)) == api.get(f"{TASKS}?all=true&limit=1")["total"]
    batches = [set(batch) for batch in api.get(f"{TASKS}/execution-order")["batches"]]
    assert set.union(*batches) <= set(shown)
    assert {task["id"] for task in api.get(f"{TASKS}/ready")["tasks"]} <= batches[0]
    for path in ("stats", "config", "forecast", "plans", "projects"):
        assert api.get(f"/api/v2/{path}")


def test_a_task_goes_from_api_to_merged(place: Place) -> None:
    """Create, run, look at the diff, comment, request changes, approve: done, with nothing but the API."""
    place.orange("config", "set", "review.by", "human")
    place.start()
    api = client(place)
    body = "```script\nwrite a.txt hello\ncommit Add a\n```\n"
    task = api.post(TASKS, {"title": "Greet", "body": body, "status": "pending"}, 201)["task"]["id"]

    def status() -> str:
        return str(api.get(f"{TASKS}/{task}")["task"]["status"])

    place.until(lambda: status() == "reviewing", "the first review")
    assert "+hello" in api.get(f"{TASKS}/{task}/diff")["diff"]
    api.post(f"{TASKS}/{task}/comments", {"comments": {"file": "a.txt", "line": 1, "text": "Say more."}})
    api.post(f"{TASKS}/{task}/reject", {"feedback": "Not yet."})
    place.until(lambda: api.get(f"{TASKS}/{task}")["task"]["claim"]["epoch"] == 2, "the work to be taken up again")
    place.until(lambda: status() == "reviewing", "the second review")
    stale = api.call("POST", f"{TASKS}/{task}/approve", {"commit": "0" * 40})
    assert stale.status == 409, stale
    place.until(lambda: api.call("POST", f"{TASKS}/{task}/approve").status == 200, "the approval")
    place.until(lambda: status() == "done", "the merge")
    again = api.call("POST", f"{TASKS}/{task}/run")
    assert (again.status, again.json["code"]) == (409, "illegal_transition")


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "unreadable"),
        (b'{"title": NaN}', "application/json", 400, "unreadable"),
        (b'{"title": "a", "title": "b"}', "application/json", 400, "unreadable"),
        (b"[" * 100_000, "application/json", 400, "unreadable"),
        (b'{"title": "\xff"}', "application/json", 400, "unreadable"),
        (b'{"title": "\\ud800"}', "application/json", 422, "invalid_input"),
        (b"[]", "application/json", 422, "invalid_input"),
        (b'{"titel": "a"}', "application/json", 422, "invalid_input"),
        (b'{"title": 5}', "application/json", 422, "invalid_input"),
        (b'{"title": ""}', "application/json", 422, "invalid_input"),
        (b'{"title": "a"}', "text/plain", 415, "not_json"),
        (b"title=a", "application/x-www-form-urlencoded", 415, "not_json"),
        (b'{"title": "' + b"a" * (1 << 20) + b'"}', "application/json", 413, "unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    served: Served, data: bytes, kind: str, status: int, code: str
) -> None:
    """No request makes a traceback, and none is half done."""
    headers = [("Authorization", f"Bearer {served.api.token}"), ("Content-Type", kind)]
    answer = served.api.raw("POST", TASKS, headers, data)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["detail"]


def test_only_the_legitimate_combination_gets_in(served: Served) -> None:
    """Tokens x hosts x origins x content types, on a route of every kind: only what is ours in every part passes."""
    api, place = served.api, served.place
    ours = f"127.0.0.1:{api.port}"
    tokens = {"none": None, "wrong": "x" * 43, "read": client(place, ".read").token, "full": api.token}
    hosts = (ours, f"localhost:{api.port}", f"evil.example:{api.port}", "127.0.0.1")
    origins = (None, f"http://{ours}", "http://evil.example", "null")
    kinds = ("application/json", "text/plain")
    routes = (
        ("GET", f"{TASKS}?limit=1", None),
        ("POST", f"{TASKS}/nobody/cancel", b"{}"),
        ("GET", "/api/v2/none", None),
    )
    for (method, path, data), (name, token), host, origin, kind in product(
        routes, tokens.items(), hosts, origins, kinds
    ):
        headers = [("Host", host)]
        headers += [("Authorization", f"Bearer {token}")] if token else []
        headers += [("Origin", origin)] if origin else []
        headers += [("Content-Type", kind)] if data else []
        answer = api.raw(method, path, headers, data)
        there = {"GET": 200, "POST": 404}[method] if path != "/api/v2/none" else 404
        if host not in hosts[:2]:
            expected = 421
        elif origin not in origins[:2]:
            expected = 403
        elif data and kind != "application/json":
            expected = 415
        elif name in {"none", "wrong"}:
            expected = 401
        elif name == "read" and method == "POST":
            expected = 403
        else:
            expected = there
        assert answer.status == expected, (method, path, name, host, origin, kind, answer)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_health_needs_no_token_but_our_name(served: Served) -> None:
    """A monitor may ask whether it is well; a page that rebinds a name may not."""
    nobody = Client(served.api.port, None)
    assert nobody.call("GET", "/healthz").json["status"] == "ok"
    assert nobody.raw("GET", "/healthz", [("Host", "evil.example")]).status == 421
    assert served.api.call("POST", "/healthz").status == 405
    head = nobody.call("HEAD", "/healthz")
    assert (head.status, head.body) == (200, b"")


def test_a_websocket_is_not_opened_by_strangers(served: Served) -> None:
    """Without an origin of ours the handshake is refused, on every path."""
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Authorization", f"Bearer {served.api.token}")]
    for path in (TASKS, "/api/v2/sessions/x/terminal"):
        assert served.api.raw("GET", path, upgrade).status == 403
        assert served.api.raw("GET", path, [*upgrade, ("Origin", "http://evil.example")]).status == 403


def test_a_runs_screen_is_shown_as_it_grows(place: Place) -> None:
    """A WebSocket of our own page: what was said, what is said, and its end; a stranger's is refused."""
    place.start()
    api = client(place, ".read")
    task = place.create("talk", f"say hello\nrun until test -e {place.home}/go; do sleep 0.1; done\nsay goodbye")
    place.until(lambda: "hello" in place.orange("task", "log", task).out, "the first words")

    async def watch(origin: str, token: str | None, session: str) -> str:
        url, seen = f"http://127.0.0.1:{api.port}/api/v2/sessions/{session}/terminal", ""
        offered = ("orange.screen", f"bearer.{token}")
        async with ClientSession() as http, http.ws_connect(url, protocols=offered, origin=origin) as link:
            assert link.protocol == "orange.screen"
            async for message in link:
                seen += message.data.decode()
                if "hello" in seen:
                    (place.home / "go").touch()
        return seen

    ours = f"http://127.0.0.1:{api.port}"
    for origin, token, session, status in (
        ("http://evil.example", api.token, task, 403),
        (ours, "x" * 43, task, 401),
        (ours, api.token, "nobody", 404),
    ):
        with pytest.raises(WSServerHandshakeError) as refused:
            asyncio.run(watch(origin, token, session))
        assert refused.value.status == status
    assert "goodbye" in asyncio.run(watch(ours, api.token, str(place.task(task)["tmux_session"])))
    assert api.call("GET", f"/api/v2/sessions/{task}/terminal").status == 426


def test_a_target_with_another_host_in_it_is_refused(served: Served) -> None:
    """An absolute-form target names a host of its own; it is not looked at any further."""
    with socket.create_connection(("127.0.0.1", served.api.port), timeout=30) as link:
        text = f"GET http://evil.example/api/v2/tasks HTTP/1.1\r\nHost: 127.0.0.1:{served.api.port}\r\n\r\n"
        link.sendall(text.encode())
        assert link.recv(4096).split(b" ")[1] == b"400"


def test_the_description_names_what_is_served(served: Served) -> None:
    """Each operation of the OpenAPI document is there: a stranger to the token is told so, not that it is missing."""
    document = served.api.get("/api/v2/openapi.json")
    assert document["openapi"] == "3.1.0"
    nobody = Client(served.api.port, None)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = path.replace("{task}", "none").replace("{dependency}", "none")
            expected = {200, 400} if operation.get("security") == [] else {401}
            assert nobody.call(method.upper(), place).status in expected, (method, path)


def test_tokens_are_the_users_alone(served: Served) -> None:
    """Nobody else can read them, and they are the same after a restart of the daemon."""
    folder = Path(served.place.env["XDG_STATE_HOME"], "orange", "tokens")
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "token": 0o600,
        "token.read": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_agent_that_finds_the_token_is_still_an_agent(place: Place) -> None:
    """Who asks is told by the process at the other end of the connection: it can approve nothing."""
    place.orange("config", "set", "review.by", "human")
    place.start()
    api = client(place)
    asks = (
        f"import json, urllib.request as r; q = r.Request('http://127.0.0.1:{api.port}{TASKS}/TASK/approve', b'{{}}', "
        f"{{'Authorization': 'Bearer {api.token}', 'Content-Type': 'application/json'}}); r.urlopen(q)"
    )
    program = place.home / "asks.py"
    program.write_text(asks)
    waits = place.create("waits", "write a.txt a\ncommit Add a")
    place.settled({"waits": "reviewing"})
    program.write_text(asks.replace("TASK", waits))
    place.create("asks", f"run {sys.executable} {program} 2> why.txt || cat why.txt\nwrite b.txt b\ncommit Add b")
    place.settled({"asks": "reviewing"})
    assert place.task(waits)["status"] == "reviewing"
    log = place.orange("task", "log", "asks").out
    assert "HTTP Error 403" in log, log
    api.post(f"{TASKS}/{waits}/approve")
    place.settled({"waits": "done"})
