"""Names and addresses: task ids, slugs, branches, and finding a task by what people call it.

Whatever leaves here may stand in a path, a branch, a session name: it consists of safe characters only.

Next in the flow: `schema` checks what a file says with these, the project facade resolves and makes names with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orange.core.model import Task
from orange.core.problems import AmbiguousTask, InvalidInput, TaskNotFound

_LETTERS = "abcdefghjkmnpqrstvwxyz"
#: What ids are made of: no character that is easily taken for another.
ID_ALPHABET = "23456789" + _LETTERS
#: How long an id is.
ID_LENGTH = 8
#: How short a prefix of an id may be to stand for it.
PREFIX_LENGTH = 4

#: An id as a regular expression.
ID_PATTERN = rf"[{_LETTERS}][{ID_ALPHABET}]{{{ID_LENGTH - 1}}}"

_SLUG_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"
_SLUG_LIMIT = 48
#: A task's name as a regular expression.
SLUG_PATTERN = rf"(?!-)[a-z0-9-]{{1,{_SLUG_LIMIT}}}(?<!-)"
_BRANCH_ALPHABET = _SLUG_ALPHABET + "ABCDEFGHIJKLMNOPQRSTUVWXYZ._/"
#: A branch becomes a file name below `refs/heads`, with `.lock` behind it while it is written.
_BRANCH_LIMIT = 200
#: What git forbids within a branch: empty parts, parts that begin or end with a dot, a lock file's name.
_BRANCH_PAIRS = ("..", "//", "/.", "./", ".lock/")
#: Letters that do not decompose into an ASCII letter and a mark.
_FOLDS = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "'": "", "’": ""}
_FOLD_TABLE = str.maketrans(_FOLDS)


def new_id(random_bytes: bytes) -> str:
    """Make an id from at least 16 random bytes (so many that the remainder favours no id measurably)."""
    if len(random_bytes) < 16:
        raise ValueError("an id needs at least 16 random bytes")
    number, first = divmod(int.from_bytes(random_bytes, "big"), len(_LETTERS))
    chars = [_LETTERS[first]]
    for _ in range(ID_LENGTH - 1):
        number, digit = divmod(number, len(ID_ALPHABET))
        chars.append(ID_ALPHABET[digit])
    return "".join(chars)


def is_id(text: str) -> bool:
    """Whether `text` is a task id."""
    return len(text) == ID_LENGTH and text[0] in _LETTERS and not text.strip(ID_ALPHABET)


def slug(text: str, limit: int = _SLUG_LIMIT) -> str:
    """Make a name for branches and folders from free text; `task` where nothing usable is left."""
    folded = text.casefold().translate(_FOLD_TABLE)
    if not folded.isascii():
        folded = _without_marks(folded)
    words = "".join(c if c in _SLUG_ALPHABET else "-" for c in folded).split("-")
    return _shortened("-".join(filter(None, words)), limit) or "task"[:limit]


def _without_marks(text: str) -> str:
    import unicodedata  # a large table that most titles do not need

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _shortened(name: str, limit: int) -> str:
    """Cut at a word's end, unless that would lose more than half."""
    if len(name) <= limit:
        return name
    at_word = name.rfind("-", 0, limit + 1)
    return name[: at_word if at_word > limit // 2 else limit].rstrip("-")


def is_slug(text: str) -> bool:
    """Whether `text` may be a task's name."""
    return (
        0 < len(text) <= _SLUG_LIMIT and not text.strip(_SLUG_ALPHABET) and text[0] != "-" != text[-1]
    )  # doubled dashes inside are somebody's own taste


def resolve(address: str, tasks: Mapping[str, Task]) -> str:
    """Find a task's id by id, ref, unique name or unique id prefix, in that order.

    Raises TaskNotFound, AmbiguousTask. What two tasks answer to at one step is a dispute, not a reason to look further.
    """
    if address in tasks:
        return address
    for found in _candidates(address, tasks):
        if len(found) == 1:
            return found[0]
        if found:
            raise AmbiguousTask(address, sorted(found))
    raise TaskNotFound(address)


def _candidates(address: str, tasks: Mapping[str, Task]) -> Iterator[list[str]]:
    yield [task.id for task in tasks.values() if task.ref == address]
    yield [task.id for task in tasks.values() if task.name == address]
    if len(address) >= PREFIX_LENGTH:
        yield [task_id for task_id in tasks if task_id.startswith(address)]


def branch_for(pattern: str, task: Task) -> str:
    """Fill `{name}`, `{id}`, `{task_id}`, `{task_slug}` into a branch pattern. Raises InvalidInput."""
    values = {"name": task.name, "id": task.id, "task_id": task.id, "task_slug": task.name}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise InvalidInput("branches.pattern", f"{match[0]} is not a placeholder (known: {known})")
        return values[match[1]]

    branch = re.sub(r"\{([^{}]*)\}", value, pattern)
    if not is_safe_branch(branch):
        raise InvalidInput("branches.pattern", f"{pattern!r} gives {branch!r}, which is not a safe branch name")
    return branch


def is_safe_branch(name: str) -> bool:
    """Whether `name` is a branch name that git, a shell, tmux and a terminal all take for nothing else."""
    if not 0 < len(name) <= _BRANCH_LIMIT or name.strip(_BRANCH_ALPHABET) or name == "HEAD":
        return False
    if name[0] in "-/." or name[-1] in "/." or name.endswith(".lock"):
        return False
    return not any(pair in name for pair in _BRANCH_PAIRS)
