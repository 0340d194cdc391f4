"""The daemon's tokens: a private file each, made once; whoever can read it is the user."""

from __future__ import annotations

import os
import secrets

from orange.adapters.private import private_folder, write_whole
from orange.core.problems import StorageFailed

#: Bytes of randomness.
_STRENGTH = 32
#: Characters a token has at the least; a shorter one was made by nobody we know.
_SHORTEST = 32


def token(path: str) -> str:
    """Return the token in a file, making it where there is none. Raises StorageFailed."""
    private_folder(os.path.dirname(path))
    try:
        with open(path, encoding="ascii") as file:
            found = file.read().strip()
    except FileNotFoundError:
        found = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed(path, getattr(error, "strerror", None) or "it is no token") from error
    if len(found) >= _SHORTEST:
        os.chmod(path, 0o600)
        return found
    made = secrets.token_urlsafe(_STRENGTH)
    write_whole(path, f"{made}\n".encode())
    os.chmod(path, 0o600)
    return made
