"""Git configurations that were read before, for as long as none of the files they came from has changed.

Reading one starts a process, and every start of a run needs one. Where other files are included, nothing is
remembered: git does not name those that are missing or say nothing, and a condition may hang on more than files.

Next in the flow: `spares.look_config`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from orange.adapters.git import Git
from orange.adapters.workspaces import gitconfig
from orange.adapters.workspaces.gitconfig import GitConfig

#: Nanoseconds by which a file system's clock may lag behind: what changed so lately may change again unseen.
_RACY = 20_000_000
#: Configurations remembered.
_MOST = 64

#: Path -> its times of change and inode; None where nothing is.
_Stamps = dict[str, tuple[int, int] | None]

_known: dict[str, tuple[_Stamps, GitConfig]] = {}


def read(common: str, folder: str) -> GitConfig:
    """Read what is in force in a worktree, by git's folder for it. Raises GitFailed."""
    found = _known.get(folder)
    if found and found[0] == _stamps(found[0]):
        return found[1]
    begun = time.time_ns()
    config = gitconfig.read(Git(common, {"GIT_DIR": folder}))
    stamps = _stamps({*_usual(common, folder), *(os.path.join(common, path) for path in config.files)})
    if all(stamp is None or stamp[0] < begun - _RACY for stamp in stamps.values()) and not config.includes:
        if len(_known) >= _MOST:
            _known.clear()
        _known[folder] = stamps, config
    return config


def _usual(common: str, folder: str) -> Iterable[str]:
    """List where git looks for a configuration, whether there is one or not."""
    home = os.environ.get("HOME", "")
    yield from (f"{common}/config", f"{folder}/config.worktree", "/etc/gitconfig", f"{home}/.gitconfig")
    yield f"{os.environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/git/config"


def _stamps(paths: Iterable[str]) -> _Stamps:
    found: _Stamps = {}
    for path in paths:
        try:
            seen = os.stat(path)
        except OSError:
            found[path] = None
        else:
            found[path] = (seen.st_ctime_ns, seen.st_ino)
    return found
