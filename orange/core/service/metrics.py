"""Figures in the text format of Prometheus (0.0.4). Pure.

Next in the flow: `project.figures` gathers them, `orange.web.routes.service` serves them at `/metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: What the format is called.
KIND = "text/plain; version=0.0.4"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """Figures that mean the same, of different things."""

    name: str
    #: counter or gauge.
    kind: str
    #: One sentence.
    about: str
    samples: tuple[tuple[Labels, float], ...]


def render(families: Iterable[Family]) -> str:
    """Write figures; of equal names, those of all families under one heading."""
    found: dict[str, list[Family]] = {}
    for family in families:
        found.setdefault(family.name, []).append(family)
    return "".join(line for same in found.values() for line in _lines(same))


def _lines(same: list[Family]) -> Iterable[str]:
    first = same[0]
    yield f"# HELP {first.name} {_escaped(first.about)}\n"
    yield f"# TYPE {first.name} {first.kind}\n"
    for family in same:
        for labels, value in family.samples:
            yield f"{family.name}{_labels(labels)} {_number(value)}\n"


def _labels(labels: Labels) -> str:
    told = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return _escaped(whole).replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
