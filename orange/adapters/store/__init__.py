"""The task files: read into a board, changed in transactions, recorded in history.

`files` holds the store itself and is loaded when it is asked for; `index` alone loads without the model, for answers
that only need the cached rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orange.adapters.store.files import FileStore

__all__ = ["FileStore"]


def __getattr__(name: str) -> Any:
    """Load the store when it is first asked for."""
    if name != "FileStore":
        raise AttributeError(name)
    from orange.adapters.store.files import FileStore

    return FileStore
