"""P15: reading a large document, and importing 2 000 tasks: a plan's, and another tool's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator

from bench.board import Sample, orange_program
from bench.measure import Row, cpu, medians, scratch

_TASKS = 2_000
_BYTES = 5_000_000
_PROSE = "The system keeps what people write and shows it again when they come back to it later in the day. "


def measure(_count: int) -> Iterator[Row]:
    """Measure; the sizes are those that were promised."""
    text = _document()
    read = medians(
        {"parse": lambda: _spent(lambda: _parse(text)), "decompose": lambda: _spent(lambda: _decompose(text))}
    )
    what = f"decompose a document of {len(text) / 1e6:.1f} MB, against parsing its Markdown (s CPU)"
    yield Row("P15", what, read["decompose"], read["parse"], 10.0)
    rounds = {
        "files": _write_files,
        "plan": lambda: _imported("plan.md", _list(), "plan", "create", "plan.md", "--auto-import"),
        "tool": lambda: _imported("tasks.json", _taskmaster(), "task", "import", "tasks.json"),
    }
    found = medians(rounds, 3)
    yield Row("P15", f"plan create --auto-import of {_TASKS} tasks, against 3 s (s CPU)", found["plan"], 3.0, 1.0)
    yield Row("P15", f"task import of {_TASKS} tasks, against 3 s (s CPU)", found["tool"], 3.0, 1.0)
    yield Row("P15", "the same, against writing as many files (s CPU)", found["tool"], found["files"], None)


def _document() -> str:
    chapter = "\n\n".join([_PROSE * 5] * 10)
    text, number = "# Big\n", 0
    while len(text) < _BYTES:
        text += f"\n## Chapter {number}\n\n{chapter}\n\n"
        text += "".join(
            f"- REQ-{number * 3 + i}: The shop must store {number}-{i}. Depends on REQ-{number * 3 + i - 1}.\n"
            for i in range(3)
        )
        number += 1
    return text


def _list() -> str:
    return "# Plan\n\n## Requirements\n\n" + "".join(
        f"- REQ-{i}: The shop must store thing {i}.{f' Depends on REQ-{i - 1}.' if i % 3 else ''}\n"
        for i in range(1, _TASKS + 1)
    )


def _taskmaster() -> str:
    tasks = [
        {"id": i, "title": f"Store thing {i}", "description": _PROSE, "details": _PROSE * 3, "status": "pending",
         "priority": "high", "dependencies": [i - 1] if i % 3 == 2 else [], "subtasks": []}
        for i in range(1, _TASKS + 1)
    ]  # fmt: skip
    return json.dumps({"master": {"tasks": tasks}})


def _spent(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _parse(text: str) -> object:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").parse(text)


def _decompose(text: str) -> object:
    from orange.core.plans.decompose import decompose
    from orange.core.plans.model import Parameters

    return decompose(text, "big.md", Parameters())


def _imported(name: str, text: str, *args: str) -> float:
    """Return what an import takes in a project of its own."""
    found = _project()
    with open(f"{found.root}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
    return cpu([orange_program(), *args], cwd=found.root, env=found.env)


def _project() -> Sample:
    folder = scratch("orange-bench-documents-")
    found = Sample(f"{folder}/repo", f"{folder}/home")
    os.makedirs(found.root)
    os.makedirs(f"{found.home}/run", mode=0o700)
    found.run("git", "init", "-q", "-b", "main")
    found.run("git", "commit", "-q", "--allow-empty", "-m", "first")
    found.orange("init")
    return found


def _write_files() -> float:
    """Return what it takes to make as many folders with two files, synced at the end."""
    folder = scratch("orange-bench-files-")
    return _spent(lambda: _fill(folder))


def _fill(folder: str) -> None:
    for i in range(_TASKS):
        os.mkdir(f"{folder}/{i}")
        for name in ("TASK.md", "events.jsonl"):
            with open(f"{folder}/{i}/{name}", "x", encoding="utf-8") as file:
                file.write(_PROSE * 8)
    os.sync()
