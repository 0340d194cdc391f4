"""The plan file with whatever stands in it: what is written is read back, and any text is a plan or problems."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orange.core import names
from orange.core.model import Priority
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Doubt, Edge, Granularity, Parameters, Plan, PlanStatus, PlanTask, Span
from orange.core.plans.planfile import parse, write
from orange.core.problems import InvalidInput

PATH = "plans/shop.md"

_line = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
_word = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
_keys = st.lists(st.from_regex(names.SLUG_PATTERN, fullmatch=True), min_size=1, max_size=6, unique=True)


@st.composite
def _tasks(draw: st.DrawFn) -> tuple[PlanTask, ...]:
    """Draw tasks; each is below and after earlier ones only."""
    found: list[PlanTask] = []
    for key in draw(_keys):
        before = [task.key for task in found]
        top = [task.key for task in found if task.parent is None]
        edges = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
        first = draw(st.integers(1, 10_000))
        found.append(
            PlanTask(
                key=key,
                title=draw(_line),
                parent=draw(st.sampled_from([None, *top])) if not edges else None,
                ref=draw(st.none() | _line),
                type=draw(st.sampled_from(["task", "bug", "my-own"])),
                priority=draw(st.sampled_from(Priority)),
                estimate=draw(st.sampled_from([None, "S", "2h", "10d"])),
                category=draw(st.none() | _line),
                labels=tuple(draw(st.lists(_word, max_size=3))),
                edges=tuple(Edge(other, draw(st.integers(0, 100)) / 100, draw(st.just("") | _line)) for other in edges),
                criteria=tuple(draw(st.lists(_line, max_size=3))),
                context=tuple(draw(st.lists(st.just("") | _line, max_size=3))),
                pages=draw(st.none() | st.just(Span(2, 3))),
                lines=draw(st.none() | st.just(Span(first, first + draw(st.integers(0, 9))))),
                done=draw(st.booleans()),
                digest=draw(st.none() | st.just("0123abcd")),
            )
        )
    return tuple(found)


_doubts = st.lists(
    st.builds(
        Doubt,
        st.sampled_from(["cycle", "vague"]),
        _line,
        st.none() | st.from_regex(names.SLUG_PATTERN, fullmatch=True),
        st.none() | st.integers(1, 10_000),
    ),
    max_size=3,
).map(tuple)
_bound = st.none() | st.integers(1, 99)
_plans = st.builds(
    Plan,
    id=st.from_regex(names.SLUG_PATTERN, fullmatch=True),
    title=_line,
    source_file=_line,
    source_digest=st.just("") | _word,
    status=st.sampled_from(PlanStatus),
    parameters=st.builds(Parameters, st.sampled_from(Granularity), st.booleans(), _bound, st.booleans(), _bound),
    created_at=st.sampled_from(["", "2026-11-20T09:00:00Z"]),
    imported_at=st.sampled_from(["", "2026-11-21T09:00:00Z"]),
    tasks=_tasks(),
    doubts=_doubts,
    extra=st.dictionaries(_word.map(lambda word: f"x-{word}"), _line, max_size=2),
)


@given(_plans)
def test_what_is_written_is_read_back(plan: Plan) -> None:
    """Whatever stands in the plan."""
    assert parse(write(plan), PATH) == (plan, ())


@given(st.text(max_size=300))
def test_any_text_is_a_plan_or_problems(text: str) -> None:
    """Nothing is raised."""
    for whole in (text, f"---\nid: a\nsource_file: b\n---\n{text}"):
        plan, problems = parse(whole, PATH)
        assert (plan is None) == bool(problems)


#: Pieces that mean something to the reader of documents.
_PIECES = st.sampled_from(
    ["# ", "## Tasks", "- [ ] ", "- ", "1. ", "T01 ", "REQ-2: ", "depends on ", "after ", "T01-T9", "|", "|-|", "```",
     "<!--", "-->", "> ", "\n", "\n\n", "Phase 2: ", "[P] ", "->", "P1", "Add x", "(", ")", "é", "\u2028", "\x00",
     "    "]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=60).map("".join), st.sampled_from(["a.md", "a.txt"]), st.sampled_from(Granularity))
def test_any_document_is_a_plan_that_is_read_back_or_is_refused(text: str, file: str, size: Granularity) -> None:
    """In one sentence that names the document."""
    try:
        plan = decompose(text, file, Parameters(size))
    except InvalidInput as error:
        refused = error
        plan = None
    assert parse(write(plan), PATH) == (plan, ()) if plan else file in refused.message
