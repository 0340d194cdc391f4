"""What is written down is true: generated parts are current, links lead somewhere, named commands exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orange.cli.app import root
from orange.core import skills
from orange.core.config_schema import BY_NAME
from orange.core.plans.answers import Rules, read
from orange.testing import docs

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "skills").rglob("*.md")]
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_generated_pages_are_current() -> None:
    """`make docs` has nothing to do."""
    stale = [path for path, text in docs.pages(str(ROOT / "docs")).items() if _text(ROOT / "docs" / path) != text]
    assert not stale, "run `make docs`"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_the_example_of_an_agents_plan_is_one() -> None:
    """What the reference shows is read as an answer, without a warning of its own making."""
    found = read(_text(ROOT / "docs/reference/plan-answer.md"), Rules(lines=12, levels=2, least=2))
    assert [task.key for task in found.tasks] == ["storage", "store", "count"]
    assert [doubt.kind for doubt in found.doubts] == ["note"]


def _prose(text: str) -> str:
    """Take the fenced blocks out."""
    return re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(_text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_resolve(page: Path) -> None:
    """Every link within the repository leads to a file, and to a heading where it names one."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(_text(page))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        if not found.exists() or (anchor and anchor not in _anchors(found)):
            broken.append(target)
    assert not broken


def _fences(text: str) -> Iterator[str]:
    for _, body in re.findall(r"^(`{3,})sh\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE):
        yield re.sub(r"<<'?EOF'?.*?^EOF$", "", body, flags=re.DOTALL | re.MULTILINE)


def _command_lines(text: str) -> Iterator[str]:
    """Yield what a reader would type: lines of `sh` blocks, and inline code, that begin with `orange`."""
    for block in _fences(text):
        yield from (line.strip() for line in block.splitlines() if line.strip().startswith("orange "))
    yield from re.findall(r"`(orange [a-z][^`]*)`", _prose(text))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_in_pages_exist(page: Path) -> None:
    """Every `orange ...` in a page names a command there is, with flags it takes."""
    wrong = {line: complaint for line in _command_lines(_text(page)) if (complaint := _complaint(line))}
    assert not wrong


def _complaint(line: str) -> str | None:
    try:
        words = shlex.split(line, comments=True)[1:]
    except ValueError:
        return None  # a line that goes on in the next
    words = words[: words.index("|")] if "|" in words else words
    command, context = _find(words)
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        return f"no such command: {words}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    flags = {word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word)}
    unknown = flags - known - {"--help", "--version"}
    return f"{context.info_name} has no {sorted(unknown)}" if unknown else None


def _find(words: list[str]) -> tuple[click.Command, click.Context]:
    command: click.Command = root
    context = click.Context(root, info_name="orange", **root.context_settings)
    for word in words:
        below = command.get_command(context, word) if isinstance(command, click.Group) else None
        if below is None:
            break
        command, context = below, click.Context(below, context, info_name=f"{context.info_name} {word}")
    return command, context


def _all_commands(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words, **command.context_settings)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _all_commands(below, f"{words} {name}")


def test_every_command_and_flag_is_in_the_reference() -> None:
    """Each command has its heading in the reference, and each of its flags stands below it."""
    sections = dict(
        re.findall(r"^## (orange[^\n]*)\n\n```text\n(.*?)^```", _reference("cli"), re.DOTALL | re.MULTILINE)
    )
    missing = [
        f"{words} {flag}"
        for words, command in _all_commands(root, "orange")
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if isinstance(parameter, click.Option) and not parameter.hidden and flag not in sections.get(words, "")
    ]
    assert not missing
    assert set(sections) == {words for words, _ in _all_commands(root, "orange")}


def test_every_setting_is_in_the_reference() -> None:
    """Each setting has its row."""
    text = _reference("configuration")
    assert not [name for name in BY_NAME if f"| `{name}`" not in text]


def _reference(page: str) -> str:
    return _text(ROOT / "docs" / "reference" / f"{page}.md")


@pytest.mark.parametrize("name", skills.OWN)
def test_own_skills_are_well_formed(name: str) -> None:
    """Orange's own skills follow the Agent Skills format and are short enough to be read whole."""
    skill = skills.read(_text(ROOT / "skills" / name / "SKILL.md"), name)
    assert "Use when" in skill.description
    assert skill.body.count("\n") < 200
