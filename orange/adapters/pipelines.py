"""The pipelines and prompt templates of a project: its own files below `.orange`, over those that come with orange.

A file is read again when it has changed. What a clone brought along with commands in it waits for `orange trust`.
Next in the flow: `project.course` begins a run with what is found here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import orange
from orange import recordfile
from orange.adapters import trust
from orange.core import pipelines
from orange.core.layout import Layout
from orange.core.pipelines import SLUG
from orange.core.problems import PipelineUnusable, Problem
from orange.core.prompt import VARIABLES, unknown_variables
from orange.core.settings import Settings
from orange.core.steps import BY_AGENT, SHAPES, Pipeline, Shape

#: Bytes read of a file; the parser refuses what is larger than it takes.
_MOST = 1 << 20
#: How a file is recognised as unchanged; None where there is none.
_Stamp = tuple[int, int, int] | None
_BUILT_IN = os.path.dirname(orange.__file__)


class FilePipelines:
    """One project's pipelines and templates."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._folder, self._prompts = f"{layout.tree}/pipelines", f"{layout.tree}/prompts"
        #: Own files as last read: name -> stamp, pipeline, problems.
        self._own: dict[str, tuple[_Stamp, Pipeline | None, tuple[Problem, ...]]] = {}
        self._shapes: Mapping[str, Shape] = {}
        #: Settings, shapes, and both together.
        self._completed: tuple[Settings, Mapping[str, Shape], Settings] | None = None

    def get(self, name: str) -> Pipeline:
        """Return a pipeline. Raises PipelineUnusable, naming what is wrong and where."""
        own = self._read().get(name)
        if own is None:
            found = _built_in(name)
            if found is None:
                known = ", ".join(self.names())
                raise PipelineUnusable(
                    f"there is no pipeline {name!r} (known: {known}); add .orange/pipelines/{name}.yaml"
                )
            self._check_prompts(found)
            return found
        _, pipeline, problems = own
        if pipeline is None:
            raise PipelineUnusable(_said(problems[0]))
        if self._is_withheld() and pipelines.commands(pipeline):
            raise PipelineUnusable(_said(_untrusted(name)))
        self._check_prompts(pipeline)
        return pipeline

    def names(self) -> tuple[str, ...]:
        """List the names of all pipelines."""
        return tuple(sorted({*SHAPES, *self._read()}))

    def shapes(self) -> Mapping[str, Shape]:
        """How the project's own pipelines end, by name; the same mapping as long as nothing has changed."""
        self._read()
        return self._shapes

    def completed(self, settings: Settings) -> Settings:
        """Add to settings how the project's own pipelines end; the same value as long as nothing has changed."""
        shapes = self.shapes()
        if self._completed is None or self._completed[0] is not settings or self._completed[1] is not shapes:
            self._completed = (settings, shapes, replace(settings, pipelines=shapes))
        return self._completed[2]

    def template(self, name: str) -> str:
        """Return a prompt template. Raises PipelineUnusable for one that is not there or names what does not exist."""
        path = f"{self._prompts}/{name}.md"
        text = _text(path)
        if text is None:
            path = f"{_BUILT_IN}/prompts/{name}.md"
            text = _text(path)
        if text is None:
            raise PipelineUnusable(f"there is no prompt template {name!r}: add .orange/prompts/{name}.md")
        for problem in _misnamed(f"prompts/{name}.md", text):
            raise PipelineUnusable(_said(problem))
        return text

    def has_template(self, name: str) -> bool:
        """Whether there is a prompt template of that name."""
        return any(os.path.isfile(f"{folder}/{name}.md") for folder in (self._prompts, f"{_BUILT_IN}/prompts"))

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the project's own files."""
        found = [problem for _, _, problems in self._read().values() for problem in problems]
        for name, (_, pipeline, _) in sorted(self._own.items()):
            if pipeline is None:
                continue
            if self._is_withheld() and pipelines.commands(pipeline):
                found.append(_untrusted(name))
            found += self._lacking(pipeline)
        for name in _names(self._prompts, ".md"):
            found += _misnamed(f"prompts/{name}.md", _text(f"{self._prompts}/{name}.md") or "")
        return tuple(found)

    def commands(self) -> Mapping[str, str]:
        """List what the project's own pipelines would run, by place."""
        found: dict[str, str] = {}
        for _, pipeline, _ in self._read().values():
            found |= pipelines.commands(pipeline) if pipeline else {}
        return found

    def _check_prompts(self, pipeline: Pipeline) -> None:
        for problem in self._lacking(pipeline):
            raise PipelineUnusable(_said(problem))

    def _lacking(self, pipeline: Pipeline) -> Iterator[Problem]:
        """Yield the agents' steps that nobody says anything about."""
        for step in pipeline.steps:
            if step.kind in BY_AGENT and step.prompt is None and not self.has_template(step.name):
                message = f"step {step.name}: prompt: expected a text, for there is no template prompts/{step.name}.md"
                yield Problem(f"pipelines/{pipeline.name}.yaml", 0, message, "add `prompt:` to the step")

    def _is_withheld(self) -> bool:
        return trust.read(self._layout).pipelines is not None

    def _read(self) -> Mapping[str, tuple[_Stamp, Pipeline | None, tuple[Problem, ...]]]:
        """Read the project's own files, each again only when it has changed."""
        stamps = {name: _stamp(f"{self._folder}/{name}.yaml") for name in _names(self._folder, ".yaml")}
        if stamps != {name: known[0] for name, known in self._own.items()}:
            self._own = {name: self._one(name, stamp) for name, stamp in stamps.items()}
            self._shapes = {name: known[1].shape for name, known in self._own.items() if known[1] is not None}
        return self._own

    def _one(self, name: str, stamp: _Stamp) -> tuple[_Stamp, Pipeline | None, tuple[Problem, ...]]:
        known = self._own.get(name)
        if known is not None and known[0] == stamp:
            return known
        path = f"pipelines/{name}.yaml"
        text = _text(f"{self._folder}/{name}.yaml")
        if text is None:
            return stamp, None, (Problem(path, 0, "it is no file that can be read as text", "replace it"),)
        return stamp, *pipelines.parse(name, text.encode("utf-8", "surrogateescape"), path)


@cache
def _built_in(name: str) -> Pipeline | None:
    """Read a pipeline that comes with orange; None where there is none of that name."""
    if name not in SHAPES:
        return None
    path = f"{_BUILT_IN}/pipelines/{name}.yaml"
    found, problems = pipelines.parse(name, (_text(path) or "").encode(), path)
    assert found is not None, problems
    return found


def _said(problem: Problem) -> str:
    where = f"{problem.path}:{problem.line}" if problem.line else problem.path
    return f"{where} {problem.message}"


def _untrusted(name: str) -> Problem:
    message = "it came with commands that nobody on this machine has looked at"
    return Problem(f"pipelines/{name}.yaml", 0, message, "read it, then run `orange trust`")


def _misnamed(path: str, text: str) -> Iterator[Problem]:
    for line, name in unknown_variables(text):
        yield Problem(path, line, f"there is no variable {{{name}}}", f"the variables are {', '.join(VARIABLES)}")


def _names(folder: str, ending: str) -> list[str]:
    """List the files of a folder by name; what has no name that a pipeline may have is none."""
    import re

    try:
        found = os.listdir(folder)
    except OSError:
        return []
    names = (name.removesuffix(ending) for name in found if name.endswith(ending))
    return sorted(name for name in names if re.fullmatch(SLUG, name))


def _stamp(path: str) -> _Stamp:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text(path: str) -> str | None:
    """Read a regular file, never through a link; None where there is none."""
    data = recordfile.plain(path, _MOST)
    return None if data is None else data.decode("utf-8", "surrogateescape")
