"""Rules on finished work: conditions that must all hold, the strongest one that applies, and globs."""

from __future__ import annotations

import pytest

from orange.core.rules import Change, Rule, Work, always, drop, judge, matches

SMALL = Change(("src/a.py",), 10)
LARGE = Change(("src/a.py", "migrations/1.sql", "docs/x.md"), 900)

BIG = Rule("big", "require_human", lines=800)
WIDE = Rule("wide", "reject", files=2)
SQL = Rule("sql", "escalate", paths=("migrations/**", "*.lock"))
BOTH = Rule("both", "reject", lines=800, paths=("migrations/**",))
TRIED = Rule("tried", "escalate", failed_checks=2)


@pytest.mark.parametrize(
    ("rules", "change", "failed", "rule", "evidence"),
    [
        ((), LARGE, 9, None, ""),
        ((BIG,), SMALL, 0, None, ""),
        ((BIG,), Change((), 800), 0, None, ""),
        ((BIG,), Change((), 801), 0, "big", "801 lines changed, more than 800"),
        ((WIDE,), Change(("a", "b"), 1), 0, None, ""),
        ((WIDE,), LARGE, 0, "wide", "3 files changed, more than 2"),
        ((SQL,), SMALL, 0, None, ""),
        ((SQL,), LARGE, 0, "sql", "it touches migrations/1.sql"),
        ((SQL,), Change(("x/y.lock", "a"), 1), 0, "sql", "it touches x/y.lock"),
        ((BOTH,), Change(("migrations/1.sql",), 1), 0, None, ""),
        ((BOTH,), Change(("a",), 900), 0, None, ""),
        ((BOTH,), LARGE, 0, "both", "900 lines changed, more than 800; it touches migrations/1.sql"),
        ((TRIED,), LARGE, 1, None, ""),
        ((TRIED,), Change(), 2, "tried", "its checks did not pass 2 times"),
        # the strongest wins: reject, escalate, require_human; of equals the first
        ((BIG, SQL), LARGE, 0, "sql", "it touches migrations/1.sql"),
        ((SQL, BIG, WIDE), LARGE, 0, "wide", "3 files changed, more than 2"),
        ((WIDE, BOTH), LARGE, 0, "wide", "3 files changed, more than 2"),
        (always(["migrations/**"]), LARGE, 0, "review.require_approval_for", "it touches migrations/1.sql"),
        (always([]), LARGE, 0, None, ""),
        (
            (Rule("many", "reject", paths=("**",)),),
            Change(tuple("abcde"), 1),
            0,
            "many",
            "it touches a, b, c and 2 more",
        ),
    ],
)
def test_a_rule_applies_when_all_its_conditions_hold(
    rules: tuple[Rule, ...], change: Change, failed: int, rule: str | None, evidence: str
) -> None:
    """The ruling names the rule and what each condition was seen in."""
    found = judge(rules, Work(change, failed))
    assert (found.rule if found else None, found.evidence if found else "") == (rule, evidence)


@pytest.mark.parametrize(
    ("merged", "work", "evidence"),
    [
        ({}, {}, None),
        ({"cov": 80.0}, {}, None),
        ({}, {"cov": 10.0}, None),
        ({"cov": 80.0}, {"cov": 79.5}, None),
        ({"cov": 80.0}, {"cov": 90.0}, None),
        ({"cov": 80.0}, {"cov": 79.4}, "0.6 points"),
        ({"cov": 80.0, "web": 50.0}, {"cov": 79.0, "web": 40.0}, "10 points"),
    ],
)
def test_coverage_is_held_against_what_was_merged_last(
    merged: dict[str, float], work: dict[str, float], evidence: str | None
) -> None:
    """By check, where it is lower most; where either is not known nothing is said."""
    found = judge((Rule("less", "reject", coverage_drop=0.5),), Work(drop=drop(merged, work)))
    assert (found is None) is (evidence is None)
    assert found is None or str(evidence) in found.evidence


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("migrations/**", "migrations/a.sql", True),
        ("migrations/**", "migrations/deep/a.sql", True),
        ("migrations/**", "src/migrations/a.sql", False),
        ("migrations/", "migrations/deep/a.sql", True),
        ("/migrations/*", "migrations/a.sql", True),
        ("migrations/*", "migrations/deep/a.sql", False),
        ("**/auth/*.py", "auth/x.py", True),
        ("**/auth/*.py", "a/b/auth/x.py", True),
        ("**/auth/*.py", "a/b/oauth/x.py", False),
        ("*.lock", "deep/down/x.lock", True),
        ("Makefile", "sub/Makefile", True),
        ("src/?.py", "src/a.py", True),
        ("src/?.py", "src/ab.py", False),
        ("a.b", "axb", False),
        ("[a]", "[a]", True),
        ("x\n*", "x\ny", True),
        ("**", "anything/at/all", True),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    """As `.gitignore` has them: a star stays in its folder, two do not, a bare name is looked for anywhere."""
    assert matches(glob, path) is fits
