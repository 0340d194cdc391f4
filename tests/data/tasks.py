"""Hypothesis strategies for tasks: every key, with values that YAML would like to misread."""

from __future__ import annotations

from hypothesis import strategies as st

from orange.core import times
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Merged, Priority, Publish, Request, RequestKind, Stuck, Task
from orange.core.names import new_id

ODD_TEXTS = (
    "no", "1e5", "null", "~", "2026-11-20", "12:30:45", "0x1F", "a: b", "a #b", "- a", "'", '"', "\\", "it's \"so\"",
    "%", "{a}", "[a]", "@a", "`a`", "C#", "a:", ":a", "<<", "=", "ä 漢 🍊", "a\u00a0b", "a  b", "---", "...", "*a",
    "&a", "!a", "|", "k3f9x2ab",
)  # fmt: skip
#: What a line of a file may hold, without the control characters and separators that are refused.
_LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"], exclude_characters="\ufeff")
lines = st.one_of(st.sampled_from(ODD_TEXTS), st.text(_LETTERS, min_size=1, max_size=8))
texts = st.one_of(lines, st.lists(lines, min_size=2, max_size=3).map("\n".join))
ids = st.binary(min_size=16, max_size=16).map(new_id)
stamps = st.integers(0, 4_000_000_000).map(times.stamp)
slugs = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
branches = st.sampled_from(["main", "feature/x", "1.0", "0x1F"])
_maybe_line = st.none() | lines
_line_lists = st.lists(lines, max_size=3).map(tuple)
_id_lists = st.lists(ids, max_size=3).map(tuple)
_counts = st.integers(0, 10**12)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just("") | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(lines, inner, max_size=2),
    max_leaves=4,
)
_raw = st.recursive(
    st.none() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(lines, inner, max_size=2),
    max_leaves=4,
)
_unknown = lines.filter(lambda key: key not in Task.__dataclass_fields__)


def _some(**parts: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=parts)


tasks = st.builds(
    lambda required, optional: Task(**required, **optional),
    st.fixed_dictionaries({"id": ids, "title": lines.filter(str.strip), "name": slugs}),
    _some(
        status=st.sampled_from(Status),
        ref=_maybe_line,
        type=slugs,
        pipeline=st.none() | slugs,
        priority=st.sampled_from(Priority),
        blocked_by=_id_lists,
        parent=st.none() | ids,
        children=_id_lists,
        labels=_line_lists,
        category=_maybe_line,
        assignee=_maybe_line,
        session=_maybe_line,
        estimate=st.sampled_from([None, "XS", "XL", "2h", "1d"]),
        acceptance_criteria=_line_lists,
        context_files=_line_lists,
        agent=_maybe_line,
        model=_maybe_line,
        effort=_maybe_line,
        skill=lines,
        base=st.none() | branches,
        branch=st.none() | branches,
        publish=st.none() | st.sampled_from(Publish),
        requires=_line_lists,
        acceptance=st.none() | texts,
        budget=st.fixed_dictionaries({}, optional={"minutes": _counts, "tokens": _counts, "usd": st.just(2.5)}),
        job=st.dictionaries(lines, _json, max_size=2),
        source=st.dictionaries(lines, lines, max_size=2),
        workspace=_maybe_line,
        tmux_session=_maybe_line,
        run=_maybe_line,
        ports=st.lists(st.integers(1, 65535), max_size=2).map(tuple),
        claim=st.none() | st.builds(Claim, _maybe_line, _counts, _maybe_line, _maybe_line, st.none() | stamps),
        attempts=_counts,
        review_round=_counts,
        stuck=st.none() | st.builds(Stuck, st.sampled_from(StuckReason), texts, st.none() | texts, stamps),
        request=st.none() | st.builds(Request, st.sampled_from(RequestKind), texts, stamps),
        approved=st.none() | st.builds(Approval, lines, lines, stamps),
        merged=st.none() | st.builds(Merged, lines, branches, stamps),
        reopened=_maybe_line,
        created_at=stamps,
        updated_at=stamps,
        extra=st.dictionaries(_unknown, _raw, max_size=2),
    ),
)
