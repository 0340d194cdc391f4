"""References say where a secret is; what is none, or has a mistake in it, never counts as one."""

from __future__ import annotations

import pytest

from orange.core import config, references
from orange.core.references import Reference, Unreadable, parse, variables


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("env:GH_TOKEN", Reference("env", "GH_TOKEN")),
        ("vault://secret/team/github#token", Reference("vault", "secret/team/github", "token")),
        ("vault:secret/github#token", Reference("vault", "secret/github", "token")),
        ("env:", None),
        ("env:A-B", None),
        ("env:A B", None),
        ("vault://secret#token", None),
        ("vault://secret/a", None),
        ("vault://secret/../root#token", None),
        ("vault://-flag/x#f", None),
        ("vault:///secret/x#f", None),
        ("vault://secret/x#-f", None),
        ("vault://secret/x y#f", None),
        ("vault://secret/" + "x" * 512 + "#f", None),
        ("plain value", None),
        ("", None),
    ],
)
def test_references_are_read_strictly(text: str, found: Reference | None) -> None:
    """Each of the three forms is read; paths that climb, options, overlong texts and anything else are refused."""
    assert parse(text) == found


def test_printed_variables_are_read() -> None:
    """KEY=VALUE lines, with comments, `export`, quotes and equals signs in values."""
    text = "# from a manager\n\nA=1\nexport B='two words'\n  C=\"x=y\"\nD=\nE=it's\r\n"
    assert variables(text) == {"A": "1", "B": "two words", "C": "x=y", "D": "", "E": "it's"}


@pytest.mark.parametrize("text", ["A=1\nsecret value", "A=1\n2B=s3cret", "A=1\nA B=s3cret"])
def test_an_unreadable_line_is_named_without_its_text(text: str) -> None:
    """A line that makes no sense is named by its number only: it may hold a secret."""
    with pytest.raises(Unreadable) as caught:
        variables(text)
    assert str(caught.value) == "line 2 of what it printed is no KEY=VALUE"


@pytest.mark.parametrize("value", ["ghp_" + "a1B2" * 9, "env:NOT-A-NAME", "vault:secret"])
def test_the_configuration_takes_references_but_no_secrets(value: str) -> None:
    """A token in an agent's environment is a problem that does not repeat it; a reference with a mistake is one too."""
    raw, problems = config.read(f"agents:\n  claude:\n    env: {{A: '{value}', B: plain, C: env:D}}\n".encode(), "c")
    assert [(problem.line, "expected a text; a secret as env:NAME" in problem.message) for problem in problems] == [
        (3, True)
    ]
    assert "a1B2" not in problems[0].message
    assert {"agents.claude.env.B", "agents.claude.env.C"} <= set(raw)


def test_only_references_are_looked_up() -> None:
    """Plain values stay; whatever is meant as a reference is one, so that a mistake cannot turn it into a value."""
    assert references.among({"A": "x", "B": "env:Y", "C": "vault:z", "D": "environment"}) == {
        "B": "env:Y",
        "C": "vault:z",
    }
