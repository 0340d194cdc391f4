"""A run's container, as command lines of podman and docker: made with the run, entered by its programs, gone with it.

In there is the image, and of this machine only what is mounted, at the same paths: the workspace, what committing in
it needs, the agent's own folders. Its first program waits at a pipe that the run's supervisor holds open, so that it
ends with its supervisor, however that ends.

Next in the flow: `adapters.isolation.container` finds out what there is, the runner runs these lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from orange.core import runfiles, sandbox
from orange.core.sandbox import Cage

#: What a machine must be able to do for this isolation, as tasks' capabilities are called.
CAPABILITY = "container"
ENGINES = ("podman", "docker")
#: What is known of each container of ours: whose it is.
TASK, RUN, PROJECT = "orange.task", "orange.run", "orange.project"
#: Processes in a container, at most.
PROCESSES = 4096
#: What the first program does: wait until nobody holds the pipe open any more.
_WAIT = 'trap "exit 0" TERM; read -r _ < "$0"'
#: Said of a name that an image has its own of, or that is true for one process alone.
_NOT_PASSED = frozenset({"PATH", "PWD", "OLDPWD", "SHLVL", "SHELL", "HOSTNAME", "_"})
_LISTED = {
    "podman": '{{.ID}}\t{{index .Labels "orange.task"}}\t{{index .Labels "orange.project"}}',
    "docker": '{{.ID}}\t{{.Label "orange.task"}}\t{{.Label "orange.project"}}',
}


@dataclass(frozen=True, slots=True)
class Engine:
    """The program that runs containers."""

    #: podman or docker.
    kind: str
    #: Where it is.
    path: str
    #: Where it finds its own things: told with each call, as a run's programs have a small environment.
    env: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """Begin a command line of it."""
        return ("env", *(f"{name}={value}" for name, value in sorted(self.env.items())), self.path)


@dataclass(frozen=True, slots=True)
class Box:
    """One run's container."""

    run: str
    task: str
    #: The clone's id: another clone on this machine may have a task of the same id.
    project: str
    image: str
    home: str
    #: `uid:gid`; None where the engine runs as the user and keeps the id.
    user: str | None
    #: Existing files to be read in there, such as git's own settings.
    read: tuple[str, ...] = ()
    #: This machine's own limits: where podman itself runs in a container it may raise none, and tries to.
    ulimits: tuple[str, ...] = ()
    memory: str | None = None
    cpus: str | None = None

    @property
    def name(self) -> str:
        """Its exact name."""
        return f"orange-{self.run}"


def begin(engine: Engine, box: Box, cage: Cage) -> tuple[str, ...]:
    """Return the command that makes and starts it."""
    return tuple(_begin(engine, box, cage))


def _begin(engine: Engine, box: Box, cage: Cage) -> Iterator[str]:
    yield from (*engine.words, "run", "--detach", "--rm", "--pull", "never", "--name", box.name)
    for label, value in ((TASK, box.task), (RUN, box.run), (PROJECT, box.project)):
        yield from ("--label", f"{label}={value}")
    yield from ("--network", "host" if cage.network else "none", "--pids-limit", str(PROCESSES))
    yield from ("--cap-drop", "all", "--security-opt", "no-new-privileges", "--security-opt", "label=disable")
    for limit in box.ulimits:
        yield from ("--ulimit", limit)
    if box.user is None:
        yield from ("--userns", "keep-id")
    else:
        yield from ("--user", box.user)
    for option, most in (("--memory", box.memory), ("--cpus", box.cpus)):
        if most is not None:
            yield from (option, most)
    # Podman would fill them with what they cover.
    yield from _empty(box, cage, "rw,exec,mode=1777,notmpcopyup" if engine.kind == "podman" else "rw,exec,mode=1777")
    yield from _mounts(box, cage)
    yield from ("--workdir", cage.workspace, "--entrypoint", "sh", box.image, "-c", _WAIT, pipe(cage.folder))


def _empty(box: Box, cage: Cage, how: str) -> Iterator[str]:
    for folder in (f"{cage.common}/orange", *([] if box.home == "/" else [box.home])):
        yield from ("--tmpfs", f"{folder}:{how}")


def _mounts(box: Box, cage: Cage) -> Iterator[str]:
    """Mount what is seen. The engine sorts by path, so that what lies deeper covers what is around it."""
    found = dict.fromkeys((cage.common, cage.folder, *box.read), ",readonly")
    found |= dict.fromkeys((*cage.own, sandbox.mailbox(cage.folder), cage.workspace, *sandbox.committing(cage)), "")
    found |= dict.fromkeys((*sandbox.pointers(cage), *cage.others), ",readonly")
    for path, how in found.items():
        yield from ("--mount", f"type=bind,source={path},target={path}{how}")
    yield from ("--mount", f"type=bind,source=/dev/null,target={cage.admin}/config.worktree,readonly")


def mountable(path: str) -> bool:
    """Whether a path can be told to an engine, which reads it as a line of comma-separated values."""
    return not any(character in path for character in ',"\n\r')


def end(engine: Engine, name: str) -> tuple[str, ...]:
    """Return the command that removes a container by its exact name, with all that runs in it."""
    at_once = ("--time", "0", "--ignore") if engine.kind == "podman" else ()
    return (*engine.words, "rm", "--force", *at_once, name)


def enter(engine: Engine, name: str, folder: str, env: Iterable[str], *, terminal: bool) -> tuple[str, ...]:
    """Return the words before a program in there: it has these variables, and the run's `orange` on its PATH."""
    told = [word for variable in sorted(env) if variable not in _NOT_PASSED for word in ("--env", variable)]
    screen = ("--tty",) if terminal else ()
    started = ("sh", "-c", 'PATH="$0:$PATH"; export PATH; exec "$@"', f"{folder}/{runfiles.BIN}")
    return (*engine.words, "exec", "--interactive", *screen, *told, name, *started)


def pipe(folder: str) -> str:
    """Return the pipe that is open for writing for as long as a run's supervisor lives."""
    return f"{sandbox.mailbox(folder)}/{runfiles.ALIVE}"


def listing(engine: Engine) -> tuple[str, ...]:
    """Return the command that lists all containers of ours, running or not."""
    told = ("--filter", f"label={TASK}", "--format", _LISTED[engine.kind])
    return (*engine.words, "ps", "--all", "--no-trunc", *told)


def of_tasks(listed: str, tasks: Collection[str], project: str) -> tuple[str, ...]:
    """Return the ids of the containers of these tasks: by labels that are exactly theirs, never by what looks alike."""
    rows = (line.split("\t") for line in listed.splitlines())
    return tuple(row[0] for row in rows if len(row) == 3 and row[1] in tasks and row[2] == project)


def lacking(settings: Mapping[str, str | None]) -> str:
    """Say what is missing where containers are asked for and cannot be had, in one sentence."""
    if not settings.get("image"):
        return "agents are to run in containers, and workspaces.container.image names no image"
    engine = settings.get("engine") or ENGINES[0]
    return (
        f"agents are to run in containers, and there is no {engine} on the PATH: install it, or set "
        "workspaces.isolation to sandbox"
    )
