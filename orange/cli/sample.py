"""The demonstration's material: a small repository, and the tasks that are worked off in it. Data only.

The agent is `script`: it does what the ```script block of the task says, so that no account is needed.
"""

from __future__ import annotations

from typing import NamedTuple

#: The sample repository's files.
FILES = {
    "README.md": "# Corner shop\n\nA small web shop, built by a handful of tasks.\n",
    "shop/__init__.py": '"""A corner shop."""\n',
    ".gitignore": "__pycache__/\n",
}

CONFIG = """\
format: 1
agent: script
review: {by: none}
"""


class Sample(NamedTuple):
    """One task of the demonstration."""

    name: str
    title: str
    body: str
    blocked_by: tuple[str, ...] = ()


def _body(context: str, *script: str) -> str:
    lines = "\n".join(script)
    return f"## Context\n\n{context}\n\n```script\n{lines}\n```\n"


def _part(name: str, title: str, flags: str = "") -> tuple[str, ...]:
    """Let the script create a child that has a script of its own."""
    return (
        f'create {name} "{title}" {flags}'.rstrip(),
        "  ```script",
        f"  write shop/{name}.py # {title}",
        f"  commit {title}",
        "  ```",
    )


TASKS = (
    Sample(
        "db",
        "Database schema",
        _body(
            "A table of things to sell.",
            "say designing the schema",
            "write shop/schema.sql create table item (id integer primary key, name text, price integer);",
            "commit Add the database schema",
        ),
    ),
    Sample(
        "api",
        "Items over HTTP",
        _body(
            "Cut from a base that holds the schema: the script insists on it.",
            "require shop/schema.sql",
            "write shop/api.py def items(db): return db.execute('select * from item').fetchall()",
            "commit Serve the items",
        ),
        ("db",),
    ),
    Sample(
        "ui",
        "A page of items",
        _body(
            "Needs what api made.",
            "require shop/api.py",
            "write shop/page.html <ul id=items></ul>",
            "commit Show the items",
        ),
        ("api",),
    ),
    Sample(
        "docs",
        "Describe the shop",
        _body(
            "Depends on nothing, so it runs beside the others.",
            "append README.md Run it with `python -m shop`.",
            "commit Describe how to run the shop",
        ),
    ),
    Sample(
        "checkout",
        "Let customers pay",
        _body(
            "Too large for one: its agent splits it into three and hands it over.",
            "say this is too large for one task",
            "write docs/checkout.md The checkout: a basket, a payment, a receipt.",
            "commit Outline the checkout",
            *_part("basket", "Collect items in a basket"),
            *_part("payment", "Take the money"),
            *_part("receipt", "Print a receipt", "--blocked-by basket --blocked-by payment"),
            "delegate",
        ),
    ),
)
