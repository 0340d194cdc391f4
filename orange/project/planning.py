"""Plans of a project: decompose a document into a plan file, find and review plans. Importing is `plan_import`'s.

Next in the flow: a person edits the file, `plan_import` makes tasks of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orange.core import names, times
from orange.core.plans import digest, planfile
from orange.core.plans.decompose import LARGEST, decompose
from orange.core.plans.model import Parameters, Plan, PlanStatus
from orange.core.plans.renewal import Change, renewed
from orange.core.problems import BrokenFile, InvalidInput, Problem
from orange.project.parts import Parts

_FOLDER = "plans"
#: The name of a document that came by standard input: each is another one.
NAMELESS = "-"


@dataclass(frozen=True, slots=True)
class Held:
    """A plan file as it is; without a plan where something is wrong with it."""

    path: str
    plan: Plan | None
    problems: tuple[Problem, ...] = ()

    @property
    def id(self) -> str:
        """The file's name without its ending: what people call the plan."""
        return self.path.removeprefix(f"{_FOLDER}/").removesuffix(".md")


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking an agent has cost."""

    agent: str
    #: One for each question.
    runs: tuple[str, ...]
    #: Read and written.
    tokens: int
    #: None where the agent did not tell.
    usd: float | None


@dataclass(frozen=True, slots=True)
class Drafted:
    """What decomposing came to."""

    plan: Plan
    path: str
    #: How it differs from the plan there was; None where there was none.
    changes: tuple[Change, ...] | None
    #: What an agent's answers cost; None where none was asked.
    spent: Spent | None = None


def preview(text: str, source: str, asked: Parameters) -> Plan:
    """Decompose a document and write nothing. Raises InvalidInput."""
    check_text(text, source)
    return decompose(text, source, asked)


def check_text(text: str, source: str) -> None:
    """Refuse what is too large or no text. Raises InvalidInput."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise InvalidInput(source, f"it is larger than {LARGEST >> 20} MiB: split it")
    if "\0" in text:
        raise InvalidInput(source, "it is no text: give Markdown or plain text")


def draft(parts: Parts, text: str, source: str, asked: Parameters) -> Drafted:
    """Decompose a document into a plan file; one that is there already is brought up to the document.

    Raises InvalidInput, BrokenFile for a plan of this document that cannot be read.
    """
    return keep(parts, preview(text, source, asked))


def keep(parts: Parts, fresh: Plan) -> Drafted:
    """Write a plan's file; one that is there already is brought up to it. Raises BrokenFile."""
    with parts.store.transaction(f"decompose {names.slug(fresh.source_file)}") as tx:
        old = _plan_of(parts, tx.text, fresh.source_file)
        if old is None:
            path, plan, changes = _new_path(parts, fresh), fresh, None
            plan = replace(plan, id=_id(path), created_at=times.stamp(parts.clock.now()))
        else:
            path = path_of(old)
            plan, changes = renewed(old, fresh)
            plan = replace(plan, status=_status(old, plan))
        tx.write(path, planfile.write(plan))
    return Drafted(plan, path, changes)


def _status(old: Plan, plan: Plan) -> PlanStatus:
    """A plan that says something else than what was imported is a draft again."""
    same = [digest.of(task) for task in old.tasks] == [digest.of(task) for task in plan.tasks]
    return old.status if same else PlanStatus.DRAFT


def plan_of(parts: Parts, source: str) -> Plan | None:
    """Find the plan of a document. Raises BrokenFile for one that cannot be read."""
    return _plan_of(parts, parts.store.text, source)


def is_of(plan: Plan, text: str, asked: Parameters) -> bool:
    """Whether a plan was made of this very text with these options."""
    return plan.source_digest == digest.of_text(text) and plan.parameters == asked


def path_of(plan: Plan) -> str:
    """Return where a plan's file lies."""
    return f"{_FOLDER}/{plan.id}.md"


def _plan_of(parts: Parts, read: Callable[[str], str | None], source: str) -> Plan | None:
    """Find the plan of a document, read anew."""
    for path in _paths(parts) if source != NAMELESS else ():
        text = read(path)
        plan, problems = planfile.parse(text or "", path)
        if plan is not None and plan.source_file == source:
            return replace(plan, id=_id(path))
        if plan is None and text is not None and f"source_file: {source}\n" in text:
            raise BrokenFile(problems[0])
    return None


def _new_path(parts: Parts, plan: Plan) -> str:
    taken = set(_paths(parts))
    base = plan.id[:44]
    paths = (f"{_FOLDER}/{base if number == 1 else f'{base}-{number}'}.md" for number in range(1, len(taken) + 2))
    return next(path for path in paths if path not in taken)


def _paths(parts: Parts) -> list[str]:
    return [f"{_FOLDER}/{name}" for name in parts.store.names(_FOLDER) if name.endswith(".md")]


def _id(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def held(parts: Parts) -> list[Held]:
    """List the plans, newest first; what is wrong with one is told with it."""
    found = [_read(parts, path) for path in _paths(parts)]
    return sorted(found, key=lambda one: one.plan.created_at if one.plan else "", reverse=True)


def _read(parts: Parts, path: str) -> Held:
    return read(path, parts.store.text(path))


def read(path: str, text: str) -> Held:
    """Read a plan file's text; the file's name is the plan's id."""
    plan, problems = planfile.parse(text, path)
    return Held(path, replace(plan, id=_id(path)) if plan else None, problems)


def find(parts: Parts, address: str | None) -> Held:
    """Find a plan by its name, or the only one that is not imported. Raises InvalidInput, BrokenFile."""
    plans = held(parts)
    if address is None:
        waiting = [one for one in plans if one.plan is None or one.plan.status is not PlanStatus.IMPORTED]
        found = waiting or plans
    else:
        name = _id(address)
        found = [one for one in plans if one.id == name]
    if len(found) != 1:
        raise InvalidInput("PLAN", _which(address, found or plans))
    if found[0].plan is None:
        raise BrokenFile(found[0].problems[0])
    return found[0]


def _which(address: str | None, plans: list[Held]) -> str:
    known = ", ".join(one.id for one in plans)
    if not plans:
        return "there is no plan: `orange plan decompose FILE` makes one"
    return f"no plan is called {address!r} (there are {known})" if address else f"say which one: {known}"
