"""The dashboard's own files: what is packaged, read once, and given out under exactly its own name.

Nothing here is a folder that is looked into: a path that is not a name on the list is not there, however it is written.
Nobody needs a token for these files; they hold nothing but the program that runs in the browser.

Next in the flow: `app` sends them, the page's modules ask the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

#: Ending of a file -> its content type; files of other kinds are not given out.
KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}
#: What a page may load: this server's own files; no script or style within a page, no text that becomes markup.
POLICY = (
    "default-src 'self'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "frame-src 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
#: The views, each an address of its own; all are the same page, which reads where it is.
_VIEWS = re.compile(r"/(?:board|list|tree|new|quick|import|execution|tasks/[A-Za-z0-9][A-Za-z0-9._-]*)?")
#: The route of all that is no operation: names of files and views, and what is neither.
REST = "/{path:(?!api(?:/|$))(?s:.)*}"


@dataclass(frozen=True, slots=True)
class Page:
    """One file."""

    body: bytes
    kind: str
    #: Names this state of it.
    tag: str

    def is_known(self, tags: str) -> bool:
        """Whether it is among the states somebody has, as `If-None-Match` lists them."""
        return self.tag in {tag.strip().removeprefix("W/") for tag in tags.split(",")}


class Pages:
    """Every file of the dashboard, by path."""

    def __init__(self) -> None:
        self._pages = load(files("orange.web") / "static")
        self._start = self._pages.pop("/static/index.html")

    def find(self, target: str) -> Page | None:
        """Return the file a request's target names, as it came over the wire; None where there is none."""
        path = target.partition("?")[0]
        return self._start if _VIEWS.fullmatch(path) else self._pages.get(path)


def load(folder: Traversable) -> dict[str, Page]:
    """Read every file below a folder, by the path it is given out under."""
    return {f"/static/{name}": _page(name, file.read_bytes()) for name, file in _below(folder, "")}


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for found in folder.iterdir():
        if found.is_dir():
            yield from _below(found, f"{prefix}{found.name}/")
        elif found.name.rpartition(".")[2] in KINDS:
            yield f"{prefix}{found.name}", found


def _page(name: str, body: bytes) -> Page:
    return Page(body, KINDS[name.rpartition(".")[2]], f'"{sha256(body).hexdigest()[:32]}"')
