"""An image to try containers with: a shell, git and a few tools of this machine, made without a registry."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

PROGRAMS = (
    "cat", "dirname", "echo", "env", "git", "grep", "head", "id", "kill", "ls", "mkdir", "mv", "od", "readlink", "rm",
    "sed", "sh", "sleep", "sort", "test", "touch", "tr", "true", "wc",
)  # fmt: skip
#: Podman tries to raise these, which it may not where it is in a container itself.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


#: Stands for an agent's program in the image: tells on its stream what the real one tells, and commits.
CODEX = b"""#!/bin/sh
echo '{"type": "thread.started", "thread_id": "c0ntained"}'
head -n 1 > prompt.txt
git add prompt.txt && git commit -q -m "Keep the prompt" || exit 1
echo '{"type": "turn.completed", "usage": {"input_tokens": 7, "cached_input_tokens": 0, "output_tokens": 3}}'
"""


def _stamp() -> str:
    """Tell one content of the image from another, by what it is made of."""
    found = [os.stat(os.path.realpath(shutil.which(program) or "/")) for program in PROGRAMS]
    told = repr([(program.st_size, program.st_mtime_ns) for program in found]).encode() + CODEX
    return hashlib.sha256(told).hexdigest()[:12]


#: Kept between runs of the tests, and made anew when a program of this machine is.
NAME = f"localhost/orange-test:{_stamp()}"


@cache
def engine() -> str | None:
    """Return why no container can be started here; None where podman does."""
    if shutil.which("podman") is None:
        return "podman is not installed: `make system` installs it"
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"orange-image-{os.getpid()}.tar"
    try:
        if subprocess.run(["podman", "image", "exists", NAME], check=False, capture_output=True).returncode:
            _write(folder)
            _podman("import", "--quiet", str(folder), NAME)
        _podman("run", "--rm", *LIMITS, "--network", "none", NAME, "true")
    except subprocess.CalledProcessError as error:
        return f"podman does not start a container here: {error.stderr.strip()}"
    finally:
        folder.unlink(missing_ok=True)
    return None


def required() -> None:
    """Skip, loudly, where podman does not work."""
    if why := engine():
        pytest.skip(why)


def _podman(*words: str) -> None:
    subprocess.run(["podman", *words], check=True, capture_output=True, text=True, timeout=120)


def _write(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for name in ("tmp", "var/tmp", "proc", "dev", "etc", "root", "run"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
            tar.addfile(folder)
        for name, real in sorted(_files()):
            tar.add(real, name)
        program = tarfile.TarInfo("bin/codex")
        program.mode, program.size = 0o755, len(CODEX)
        tar.addfile(program, io.BytesIO(CODEX))


def _files() -> set[tuple[str, str]]:
    """Return the programs and the libraries that they load: path in the image, file here."""
    found = set()
    for program in PROGRAMS:
        real = os.path.realpath(shutil.which(program) or program)
        found.add((f"bin/{program}", real))
        linked = subprocess.run(["ldd", real], capture_output=True, text=True, check=False).stdout
        found |= {(path.lstrip("/"), os.path.realpath(path)) for path in re.findall(r"(/\S+) \(0x", linked)}
    return found
