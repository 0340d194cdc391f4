"""The durable write path: a redo journal over the task files, with every file operation behind one seam."""

from __future__ import annotations

from orange.adapters.journal.durable import Disk
from orange.adapters.journal.entry import Entry, Kind, Moved, Op, blob_id
from orange.adapters.journal.journal import STAGING, Journal

__all__ = ["STAGING", "Disk", "Entry", "Journal", "Kind", "Moved", "Op", "blob_id"]
