"""The plan file: a plan as Markdown that people read and edit, and back.

A task is a heading `### key: title`, then one line a field (`- name: text`), a box for each criterion, and a quotation
for what the document says. What is in no task, such as the waves, is written for people and not read.

Next in the flow: `project.planning` keeps the files, people edit them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orange.core import emit, guardedyaml
from orange.core.entries import Frontmatter, Raw, Unreadable
from orange.core.plans import fields
from orange.core.plans.fields import Misfit
from orange.core.plans.model import Doubt, Plan, PlanTask
from orange.core.plans.schedule import cycle, schedule
from orange.core.problems import Problem

FORMAT = "1"
_GUIDE = """\
<!--
Edit this plan as you like, then run `orange plan review` and `orange plan import --confirm`.
A task is a heading `### key: title`. Below it: `- parent: KEY`, `- after: KEY` (one line for each; what is in brackets
says how sure the document is), `- type:`, `- priority:`, `- estimate:`, `- category:`, `- labels:`, `- ref:`,
`- done: yes` (not imported), `- [ ] ...` for a criterion, `> ...` for what is known about it.
Delete a task by deleting its heading and all below it. Keep the keys: an imported task is known by its key.
`- pages:`, `- lines:` and `- digest:` are orange's, to tell your edits from the document's.
-->
"""
_SECTIONS = ("Tasks", "Warnings", "Waves")


def write(plan: Plan) -> str:
    """Write a plan as a file's text."""
    lines = ["---", *_front(plan), "---", "", f"# {plan.title}", "", *_GUIDE.splitlines(), "", "## Tasks", ""]
    for task in plan.tasks:
        lines += [*_task(task), ""]
    if plan.doubts:
        lines += ["## Warnings", "", *(_doubt(doubt) for doubt in plan.doubts), ""]
    lines += ["## Waves", "", "Written anew whenever orange writes this file; edits here have no effect.", ""]
    for number, wave in enumerate(schedule(plan).waves, 1):
        lines.append(f"{number}. {', '.join(wave)}")
    return "\n".join(lines) + "\n"


def _front(plan: Plan) -> Iterator[str]:
    asked = plan.parameters
    told: dict[str, Raw] = {
        "format": FORMAT,
        "id": plan.id,
        "title": plan.title,
        "status": plan.status.value,
        "source_file": plan.source_file,
        "source_digest": plan.source_digest or None,
        "created_at": plan.created_at or None,
        "imported_at": plan.imported_at or None,
        "granularity": asked.granularity.value,
        "recursive": asked.recursive,
        "max_depth": asked.max_depth,
        "auto_ready": asked.auto_ready,
        "max_parallelism_hint": asked.max_parallelism_hint,
        **({"agent": asked.agent} if asked.agent else {}),
    }
    for key, value in told.items():
        yield from emit.entry(key, emit.written(value, block=False))
    for key, value in plan.extra.items():
        yield from emit.entry(key, emit.written(value, block=True))


def _task(task: PlanTask) -> Iterator[str]:
    yield f"### {task.key}: {task.title}"
    yield ""
    for name, text in fields.written(task):
        yield f"- {name}: {text}"
    for criterion in task.criteria:
        yield f"- [ ] {criterion}"
    if task.context:
        yield ""
        yield from (f"> {line}".rstrip() if line else ">" for line in task.context)


def _doubt(doubt: Doubt) -> str:
    where = ", ".join([*([f"line {doubt.line}"] if doubt.line else []), *([doubt.key] if doubt.key else [])])
    return f"- {doubt.kind}{f' ({where})' if where else ''}: {doubt.message}"


def parse(text: str, path: str) -> tuple[Plan | None, tuple[Problem, ...]]:
    """Read a plan file; with problems there is no plan. Never raises."""
    try:
        front = guardedyaml.read(text)
    except Unreadable as fault:
        hint = "a plan begins with a `---` line, then come `key: value` lines, then a second `---` line"
        return None, (Problem(path, fault.line, fault.message, hint),)
    reader = _Reader(path, text.count("\n", 0, front.body))
    plan = reader.front(front, text)
    reader.body(text[front.body :])
    found = replace(plan, tasks=tuple(reader.tasks), doubts=tuple(reader.doubts))
    reader.check(found)
    return (None if reader.problems else found), tuple(sorted(reader.problems, key=lambda problem: problem.line))


class _Reader:
    """Reads one file, gathering what is wrong with it."""

    def __init__(self, path: str, offset: int) -> None:
        self.path, self.line = path, offset
        self.tasks: list[PlanTask] = []
        self.doubts: list[Doubt] = []
        self.problems: list[Problem] = []
        #: Key -> line of its heading; key and blocker or parent -> line of that field.
        self.places: dict[str, int] = {}
        self.named: list[tuple[str, str, str, int]] = []

    def wrong(self, line: int, message: str, hint: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.path, line, message, hint))

    # --- frontmatter

    def front(self, front: Frontmatter, text: str) -> Plan:
        """Read what a plan says of itself."""
        raw = dict(front.raw)
        values: dict[str, object] = {}
        for key, value in raw.items():
            try:
                values[key] = fields.front(key, value)
            except Misfit as misfit:
                entry = front.entries.get(key)
                line = text.count("\n", 0, entry.start) + 1 if entry else 1
                self.wrong(line, f"{key}: {misfit.message}", misfit.hint)
        for key in ("id", "source_file"):
            if not values.get(key) and not any(problem.message.startswith(key) for problem in self.problems):
                self.wrong(1, f"it has no {key}", f"add `{key}:` to the lines between `---` and `---`")
        return fields.plan(values)

    # --- tasks

    def body(self, text: str) -> None:
        """Read the sections."""
        section, comment = "Tasks", False
        for line in (whole.rstrip() for whole in text.split("\n")):
            self.line += 1
            if comment or line.startswith("<!--"):
                comment = "-->" not in line
            elif line.startswith("## "):
                section = line[3:].strip()
                if section not in _SECTIONS:
                    self.wrong(self.line, f"there is no section {section!r}", "tasks begin with `### key: title`")
            elif section == "Tasks" and line:
                self._task_line(line)
            elif section == "Warnings" and line.startswith("- "):
                self._warning(line[2:])

    def _task_line(self, line: str) -> None:
        if line.startswith("### "):
            self._heading(line[4:])
        elif line.startswith("# ") and not self.tasks:
            return
        elif not self.tasks:
            self.wrong(self.line, f"{fields.shown(line)} is in no task", "put it below a heading `### key: title`")
        elif line.startswith(">"):
            self._change(context=(*self.tasks[-1].context, line[1:].removeprefix(" ")))
        else:
            self._point(line)

    def _heading(self, text: str) -> None:
        key, title = fields.heading(text)
        if not title:
            self.wrong(self.line, "the task has no title", "write `### key: title`")
        if key in self.places:
            self.wrong(self.line, f"the key {key!r} is taken (line {self.places[key]})", "give this task another key")
        self.places.setdefault(key, self.line)
        self.tasks.append(PlanTask(key, title))

    def _point(self, line: str) -> None:
        task = self.tasks[-1]
        box = line.lstrip().lower()
        if box.startswith(("- [ ] ", "- [x] ", "* [ ] ", "* [x] ")):
            self._change(criteria=(*task.criteria, " ".join(line.lstrip()[6:].split())))
            return
        try:
            name, value = fields.field(line, task)
        except Misfit as misfit:
            self.wrong(self.line, f"{task.key}: {misfit.message}", misfit.hint)
            return
        if name == "after":
            self.named.append((task.key, "after", value[-1].blocker, self.line))
            self._change(edges=value)
        else:
            if name == "parent":
                self.named.append((task.key, "parent", str(value), self.line))
            self._change(**{name: value})

    def _change(self, **values: object) -> None:
        self.tasks[-1] = replace(self.tasks[-1], **values)  # type: ignore[arg-type] # typed by their readers

    def _warning(self, text: str) -> None:
        self.doubts.append(fields.doubt(text))

    # --- what must hold between tasks

    def check(self, plan: Plan) -> None:
        """Note edges to nowhere, and cycles."""
        known = plan.by_key()
        for key, name, other, line in self.named:
            if other not in known:
                hint = fields.nearest(other, known)
                self.wrong(line, f"{key}: {name}: there is no task {other!r} in this plan", hint)
            elif other == key:
                self.wrong(line, f"{key}: {name}: it names itself", "delete this line")
        if self.problems:
            return
        loop = _family_loop(plan)
        if loop:
            self.wrong(self.places[loop[0]], f"{' -> '.join(loop)} are parts of each other", "change one `parent`")
        elif edges := cycle(plan.tasks):
            way = " -> ".join([*(task.key for task, _ in edges), edges[0][0].key])
            line = next(
                line for key, _, other, line in self.named if (key, other) == (edges[0][0].key, edges[0][1].blocker)
            )
            self.wrong(line, f"{way} wait for each other", "delete one of their `after` lines")


def _family_loop(plan: Plan) -> list[str]:
    """Return tasks that are parts of each other, or none."""
    parents = {task.key: task.parent for task in plan.tasks}
    free: set[str] = set()
    for key in parents:
        way: list[str] = []
        at: str | None = key
        while at is not None and at not in free:
            if at in way:
                return [*way[way.index(at) :], at]
            way.append(at)
            at = parents.get(at)
        free.update(way)
    return []
