"""P10: the board over HTTP, against a server that has nothing to do but send the same bytes; after a change; events."""

from __future__ import annotations

import http.client
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from bench.board import Sample, sample
from bench.measure import Row, medians

#: Answers the bytes of a file to everything, as fast as aiohttp can.
_FLOOR = """
import sys
from aiohttp import web
data = open(sys.argv[1], "rb").read()
async def handle(request): return web.Response(body=data, content_type="application/json")
app = web.Application()
app.router.add_get("/", handle)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=lambda *_: print("up", flush=True), access_log=None)
"""
_PORT = 7790
#: How often the board is read right after a change.
_CHANGES = 20


def measure(count: int) -> Iterator[Row]:
    """Measure at one size."""
    found = sample(count, assignee="human")
    with _daemon(found) as (api, headers):
        text = _read(api, "/api/v2/tasks/board", headers)
        path = f"{found.home}/board.json"
        with open(path, "wb") as file:
            file.write(text)
        with _floor(path) as floor:
            results = medians(
                {
                    "board": _timed(lambda: _read(api, "/api/v2/tasks/board", headers)),
                    "floor": _timed(lambda: _read(floor, "/", {})),
                },
                rounds=21,
            )
        what = f"board of {count} tasks as JSON ({len(text) / 1e6:.1f} MB), nothing changed, against sent bytes"
        yield Row("P10", what, results["board"], results["floor"], 1 / 0.7)
        yield Row("P10", "the same right after a change, 95th percentile, in units of 250 ms", *_after(api, headers))
        yield Row("P10", "an edit by hand until a follower is told, median, in units of 500 ms", *_told(found, headers))


def _after(api: http.client.HTTPConnection, headers: dict[str, str]) -> tuple[float, float, float]:
    task = json.loads(_read(api, "/api/v2/tasks?limit=1", headers))["tasks"][0]["id"]
    taken = []
    for number in range(_CHANGES):
        body = json.dumps({"title": f"Changed {number}"})
        api.request("PATCH", f"/api/v2/tasks/{task}", body, {**headers, "Content-Type": "application/json"})
        api.getresponse().read()
        taken.append(_timed(lambda: _read(api, "/api/v2/tasks/board", headers))())
    return statistics.quantiles(taken, n=20)[-1], 0.25, 1.0


def _told(found: Sample, headers: dict[str, str]) -> tuple[float, float, float]:
    link = http.client.HTTPConnection("127.0.0.1", _port_of(found), timeout=60)
    link.request("GET", "/api/v2/events", headers=headers)
    lines = iter(link.getresponse())
    _until(lines, b'event: reset\ndata: {"project"')
    path = next(entry for entry in _files(found) if "status: pending" in entry[1])[0]
    taken = []
    for number in range(9):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("title: ", f"title: {number} ", 1))
        begun = time.perf_counter()
        _until(lines, b"event: tasks.changed")
        taken.append(time.perf_counter() - begun)
    link.close()
    return statistics.median(taken), 0.5, 1.0


def _files(found: Sample) -> Iterator[tuple[str, str]]:
    for path in found.run("git", "-C", f"{found.root}/.orange", "ls-files", "tasks").decode().splitlines():
        if path.endswith("TASK.md"):
            whole = f"{found.root}/.orange/{path}"
            with open(whole, encoding="utf-8") as file:
                yield whole, file.read()


def _until(lines: Iterator[bytes], wanted: bytes) -> None:
    seen = b""
    for line in lines:
        seen = seen[-200:] + line
        if wanted in seen:
            return
    raise RuntimeError("the stream ended")


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return run


def _read(link: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> bytes:
    link.request("GET", path, headers=headers)
    answer = link.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} -> {answer.status}: {data[:200]!r}")
    return data


def _port_of(found: Sample) -> int:
    url = json.loads(found.orange("daemon", "status", "--json"))["daemon"]["url"]
    return urlsplit(url or "").port or 0


@contextmanager
def _daemon(found: Sample) -> Iterator[tuple[http.client.HTTPConnection, dict[str, str]]]:
    argv = [sys.executable, "-m", "orange", "daemon", "run"]
    child = subprocess.Popen(argv, cwd=found.root, env=found.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (port := _port_of(found)):
            time.sleep(0.1)
        with open(f"{found.home}/state/orange/tokens/token", encoding="ascii") as file:
            token = file.read().strip()
        yield http.client.HTTPConnection("127.0.0.1", port, timeout=60), {"Authorization": f"Bearer {token}"}
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


@contextmanager
def _floor(path: str) -> Iterator[http.client.HTTPConnection]:
    child = subprocess.Popen([sys.executable, "-c", _FLOOR, path, str(_PORT)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield http.client.HTTPConnection("127.0.0.1", _PORT, timeout=60)
    finally:
        child.terminate()
        child.wait(60)
