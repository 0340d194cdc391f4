"""Whether sandboxes can be had on this machine."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import pytest


@cache
def _works() -> bool:
    argv = ["bwrap", "--ro-bind", "/", "/", "true"]
    return bool(shutil.which("bwrap")) and subprocess.run(argv, check=False, capture_output=True).returncode == 0


def required() -> None:
    """Skip the test where bubblewrap does not work."""
    if not _works():
        pytest.skip("bubblewrap does not work here: `make system` installs it, and user namespaces must be allowed")
