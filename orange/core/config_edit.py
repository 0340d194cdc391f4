"""Sets one key in the text of a settings file and changes only the characters that must change.

The result is read again, and anything but exactly the wished change is refused. Next in the flow: the caller writes
the text to the file under the lock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from orange.core import config, config_file
from orange.core.config_file import Item
from orange.core.config_view import written
from orange.core.config_walk import Setting
from orange.core.problems import InvalidInput

#: Texts that YAML takes for themselves without quotes, everywhere.
_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*|[0-9]+[smhd]")
_TYPED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def assign(text: str, name: str, value: str) -> str:
    """Return the file's text with the dotted key set to the value given as text. Raises InvalidInput, NewerFormat."""
    setting, problems = config.accept(name, value)
    if setting is None:
        message, hint = (problems[0].message, problems[0].hint) if problems else ("expected a value", "")
        raise InvalidInput(name, message.removeprefix(f"{name}: ") + (f" ({hint})" if "unknown" in message else ""))
    top, before = config_file.parse(text.encode(), "config.yaml")
    if before:
        raise InvalidInput("config.yaml", f"line {before[0].line}: {before[0].message}; mend that first")
    changed = _placed(text, top, setting)
    if not _only(setting, text, changed):
        raise InvalidInput(name, "the file is written in a way that orange cannot change safely: edit it by hand")
    return changed


def _placed(text: str, top: Item, setting: Setting) -> str:
    """Replace the value where the key stands, else add the key to the deepest section of it that stands."""
    item, depth = top, 0
    for part in setting.parts:
        below = item.value.get(part) if isinstance(item.value, Mapping) else None
        if below is None:
            break
        item, depth = below, depth + 1
    if depth == len(setting.parts):
        return _replaced(text, item, _yaml(setting))
    missing = setting.parts[depth:]
    if depth == 0:
        return _appended(text, _nested(missing, setting, 0))
    if isinstance(item.value, Mapping) and not item.span.flow:
        return _inserted(text, item, _nested(missing, setting, item.span.column))
    return _replaced(text, item, _flow(item, missing, setting, text))


def _replaced(text: str, item: Item, value: str) -> str:
    start, end = item.span.start, item.span.end
    kept = text[start:end]
    tail = kept[len(kept.rstrip()) :]
    gap = " " if start and text[start - 1] == ":" else ""
    return f"{text[:start]}{gap}{value}{tail}{text[end:]}"


def _inserted(text: str, section: Item, lines: str) -> str:
    """Put lines behind the last value of a block section."""
    end = _last(section)
    at = end if text[end - 1] == "\n" else text.find("\n", end) + 1
    return text[:at] + lines + text[at:] if at else _appended(text, lines)


def _last(item: Item) -> int:
    """Find where the last value in an item ends; the parser's own mark of a block lies behind comments."""
    if item.span.flow or not isinstance(item.value, (Mapping, tuple)):
        return item.span.end
    below = item.value.values() if isinstance(item.value, Mapping) else item.value
    return max(map(_last, below))


def _appended(text: str, lines: str) -> str:
    return text + ("\n" if text and not text.endswith("\n") else "") + lines


def _nested(parts: tuple[str, ...], setting: Setting, column: int) -> str:
    *above, last = parts
    lines = [f"{' ' * (column + 2 * depth)}{_bare(part)}:" for depth, part in enumerate(above)]
    lines.append(f"{' ' * (column + 2 * len(above))}{_bare(last)}: {_yaml(setting)}")
    return "\n".join(lines) + "\n"


def _flow(section: Item, missing: tuple[str, ...], setting: Setting, text: str) -> str:
    """Write a `{...}` section, or an empty one, anew with the key added."""
    *above, last = missing
    added = "".join(f"{_bare(part)}: {{" for part in above) + f"{_bare(last)}: {_yaml(setting)}" + "}" * len(above)
    old = text[section.span.start : section.span.end].strip()
    inner = old[1:-1].strip().rstrip(",") if old.startswith("{") else ""
    return f"{{{inner}{', ' if inner else ''}{added}}}"


def _yaml(setting: Setting) -> str:
    return _dumped(written(setting.key, setting.value))


def _dumped(value: object) -> str:
    if isinstance(value, str):
        return _bare(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_dumped, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_bare(str(name))}: {_dumped(child)}' for name, child in value.items())}}}"
    return json.dumps(value)


def _bare(text: str) -> str:
    if _BARE.fullmatch(text) and text.lower() not in _TYPED:
        return text
    return json.dumps(text, ensure_ascii=False)


def _only(setting: Setting, before: str, after: str) -> bool:
    """Whether the text after differs from the one before in this setting and nothing else."""
    old, _ = config.read(before.encode(), "")
    new, problems = config.read(after.encode(), "")
    known = config.read(before.encode(), "")[1]
    rest = {name: _bare_setting(found) for name, found in old.items() if name != setting.name}
    now = {name: _bare_setting(found) for name, found in new.items() if name != setting.name}
    here = new.get(setting.name)
    return here is not None and here.value == setting.value and rest == now and len(problems) <= len(known)


def _bare_setting(setting: Setting) -> Setting:
    return replace(setting, line=0)
