"""What an agent left behind for git to run: looked for before and after it, and put on record where it is.

Next in the flow: the daemon writes it into the task's trail, `orange status` names it while it is still there.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from orange import gitfiles, recordfile
from orange.core import plants, runfiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orange.core.plants import Change, Seen
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job


def look(folder: RunFolder, job: Job) -> Seen:
    """Look at the repository's hooks and configuration."""
    common = os.path.dirname(runtime_of(folder))
    return plants.Seen(gitfiles.hooks(common), gitfiles.configs(common, job.workspace))


def runtime_of(folder: RunFolder) -> str:
    """Return the project's runtime folder, which holds the folders of runs."""
    return os.path.dirname(os.path.dirname(folder.root))


def record(folder: RunFolder, job: Job, before: Seen) -> None:
    """Put on record what changed since. Raises OSError."""
    found = plants.changes(before, look(folder, job))
    if not found:
        return
    for change in found:
        folder.note("execute", change.sentence)
    folder.write_json(runfiles.PLANTED, {"planted": [change.sentence for change in found]})
    place = f"{runtime_of(folder)}/{runfiles.PLANTS}"
    os.makedirs(place, mode=0o700, exist_ok=True)
    recordfile.replace(f"{place}/{job.run}.json", _entries(folder, job, found), sync=False)


def _entries(folder: RunFolder, job: Job, found: Sequence[Change]) -> bytes:
    """Write what is remembered: where, what to say, and by a hash what stood there."""
    import hashlib

    told = [
        {
            "place": change.place,
            "message": folder.secrets.mask(f"{change.sentence} {job.run}"),
            "hash": hashlib.sha256(change.now).hexdigest() if change.what != "removed" else None,
            "workspace": job.workspace,
        }
        for change in found
    ]
    return json.dumps(told, indent=1).encode()
