"""Shows the configuration in force: every key, its value as a file would say it, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orange.core import times
from orange.core.config import Origin, Source
from orange.core.config_schema import KEYS
from orange.core.config_values import Key, Kind
from orange.core.settings import Settings


def rows(settings: Settings, sources: Mapping[str, Source]) -> list[dict[str, object]]:
    """List `key`, `value` (JSON-able, durations as `10m`) and `source` for every setting in force."""
    return [
        {"key": name, "value": value, "source": str(sources.get(name, Source(Origin.DEFAULT)))}
        for key in KEYS
        for name, value in shown(key, settings)
    ]


def shown(key: Key, settings: Settings) -> Iterator[tuple[str, object]]:
    """Yield the names and values that a key stands for: one, or one for each word at its star."""
    path = key.field.split(".") if key.field else key.name.split(".")
    for name, value in _reached(settings, path, ()):
        yield key.name if key.field else ".".join(name), written(key, value)


def written(key: Key, value: Any) -> object:
    """Turn a typed value into what a settings file would say."""
    if key.kind is Kind.DURATION and value is not None:
        return times.duration_text(int(value))
    if key.kind is Kind.ITEMS:
        return [_item(key, dict(item) if isinstance(item, Mapping) else item._asdict()) for item in value]
    if key.kind is Kind.TEXTS:
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(key: Key, item: Mapping[str, Any]) -> Mapping[str, object]:
    known = {child.name: child for child in key.items}
    return {name: written(known[name], value) if name in known else value for name, value in item.items()}


def _reached(value: Any, path: list[str], so_far: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not path:
        yield so_far, value
        return
    first, *rest = path
    if first == "*":
        for word, below in value.items():
            yield from _reached(below, rest, (*so_far, word))
        return
    below = value.get(first) if isinstance(value, Mapping) else getattr(value, first)
    yield from _reached(below, rest, (*so_far, first))
