"""What can be wrong: problems (values that are gathered and shown) and errors (requests that are refused).

Bad data is a value: a broken task file becomes a `Problem` and never stops the others. A refused request is an
exception: one base, one class per situation, its message written once, in the class. Each class carries its exit
code, HTTP status and stable code; the command line and the web face translate them once, at their edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong with a file, a setting or a part, that a person should mend."""

    #: The file, relative to the project's `.orange` folder where it lies there, else absolute.
    path: str
    #: 1-based line, or 0 where no line can be named.
    line: int
    #: What is wrong, in one sentence.
    message: str
    #: What to do about it, in one sentence.
    hint: str = ""


class OrangeError(Exception):
    """The base of every refusal. Subclasses set the class attributes and write their message."""

    #: Stable machine-readable code.
    code: ClassVar[str] = "error"
    #: Process exit code.
    exit_code: ClassVar[int] = 1
    #: HTTP status.
    http_status: ClassVar[int] = 400

    @property
    def message(self) -> str:
        """The sentence shown to people."""
        return str(self)


class IllegalTransition(OrangeError):
    """A status change that the table or a guard refuses."""

    code = "illegal_transition"
    http_status = 409

    def __init__(  # noqa: PLR0913, PLR0917 - the refusal's parts are its API
        self, task: str, source: str, target: str, legal: Iterable[str], reason: str, blockers: Iterable[str]
    ) -> None:
        super().__init__(f"task {task} cannot go from {source} to {target}: {reason}")
        self.task, self.source, self.target, self.reason = task, source, target, reason
        self.legal, self.blockers = tuple(legal), tuple(blockers)


class TaskNotFound(OrangeError):
    """No task answers to the given address."""

    code = "task_not_found"
    http_status = 404

    def __init__(self, address: str) -> None:
        super().__init__(f"no task is called {address!r}: `orange task list --all` shows them")
        self.address = address


class AmbiguousTask(OrangeError):
    """More than one task answers to the given address."""

    code = "ambiguous_task"
    http_status = 409

    def __init__(self, address: str, ids: Iterable[str]) -> None:
        self.address, self.ids = address, tuple(ids)
        shown = ", ".join(self.ids if len(self.ids) <= 9 else (*self.ids[:9], f"{len(self.ids) - 9} more"))
        super().__init__(f"{address!r} may be any of {shown}: use the id")


class StaleWrite(OrangeError):
    """A write that carries an epoch older than the task's, or finds other content than it read."""

    code = "stale_write"
    http_status = 409

    def __init__(self, task: str, reason: str) -> None:
        super().__init__(f"task {task} was changed meanwhile: {reason}")
        self.task, self.reason = task, reason


class AlreadyClaimed(OrangeError):
    """A claim lost: someone else has the task."""

    code = "already_claimed"
    http_status = 409

    def __init__(self, task: str, holder: str) -> None:
        super().__init__(f"task {task} is already claimed by {holder}")
        self.task, self.holder = task, holder


class InvalidInput(OrangeError):
    """A request whose content makes no sense; names the field."""

    code = "invalid_input"
    http_status = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class DependencyCycle(OrangeError):
    """An edge that would close a cycle of blockers and parents."""

    code = "dependency_cycle"
    http_status = 409

    def __init__(self, cycle: Iterable[str]) -> None:
        self.cycle = tuple(cycle)
        super().__init__(f"that would make a cycle: {' -> '.join(self.cycle)}")


class CapReached(OrangeError):
    """A fan-out cap on what agents create."""

    code = "cap_reached"
    http_status = 409

    def __init__(self, setting: str, limit: int, task: str) -> None:
        super().__init__(f"task {task} has reached {setting} ({limit}): finish some of it or ask for more")
        self.setting, self.limit, self.task = setting, limit, task


class NotAllowed(OrangeError):
    """Something this actor may not do (an agent approving, a run speaking for another task)."""

    code = "not_allowed"
    http_status = 403


class BrokenFile(OrangeError):
    """A task file that cannot be read, where the request needs it."""

    code = "broken_file"
    http_status = 409

    def __init__(self, problem: Problem) -> None:
        where = f"{problem.path}:{problem.line}" if problem.line else problem.path
        super().__init__(f"{where}: {problem.message}{'. ' + problem.hint if problem.hint else ''}")
        self.problem = problem


class EditFailed(OrangeError):
    """A change of a file that would not come out exactly as intended."""

    code = "edit_failed"
    http_status = 422

    def __init__(self, path: str, keys: Iterable[str], reason: str) -> None:
        self.path, self.keys, self.reason = path, tuple(keys), reason
        where = f" in {path}" if path else ""
        super().__init__(f"cannot set {', '.join(self.keys)}{where}: {reason}. Nothing was written")


class NotAProject(OrangeError):
    """No orange project here."""

    code = "not_a_project"
    http_status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not in an orange project: run `orange init` in your git repository")
        self.path = path


class TreeInTheWay(OrangeError):
    """Something that is not orange's lies where the task files belong."""

    code = "tree_in_the_way"
    http_status = 409

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists and was not made by orange: move it away, then run `orange init` again")
        self.path = path


class BranchInTheWay(OrangeError):
    """A branch of the records' name that holds something else."""

    code = "branch_in_the_way"
    http_status = 409

    def __init__(self, branch: str) -> None:
        super().__init__(
            f"a branch {branch} exists and holds no orange records: rename it, then run `orange init` again"
        )
        self.branch = branch


class RemoteUnclear(OrangeError):
    """Which remote the records come from cannot be told."""

    code = "remote_unclear"
    http_status = 409


class GitFailed(OrangeError):
    """A git command that failed; names the command and what git said."""

    code = "git_failed"
    http_status = 500

    def __init__(self, argv: Iterable[str], status: int, stderr: str) -> None:
        self.argv, self.status, self.stderr = tuple(argv), status, stderr.strip()
        super().__init__(f"`{' '.join(self.argv)}` failed ({status}): {self.stderr or 'no message'}")


class RevertConflict(OrangeError):
    """Work that cannot be taken out of its base, because later work changed the same places."""

    code = "revert_conflict"
    http_status = 409

    def __init__(self, task: str, base: str, files: Iterable[str]) -> None:
        self.task, self.files = task, tuple(files)
        super().__init__(
            f"task {task} cannot be taken out of {base}: later work changed the same places in "
            f"{', '.join(self.files)}. Nothing was changed; roll that work back first, or revert by hand"
        )


class PushRefused(OrangeError):
    """A push that could not be made: no remote, or one that says no."""

    code = "push_refused"
    http_status = 409


class ForgeFailed(OrangeError):
    """The forge's program refused, or could not be reached."""

    code = "forge_failed"
    http_status = 502


class StorageFailed(OrangeError):
    """The disk refused a write; nothing was half-written."""

    code = "storage_failed"
    http_status = 500

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}. Nothing was changed; free space or mend it and try again")
        self.path, self.reason = path, reason


class UnfinishedWrite(StorageFailed):
    """The disk failed in the middle of a write and refused to take it back; the journal holds the whole change."""

    code = "unfinished_write"

    def __init__(self, path: str, reason: str) -> None:
        OrangeError.__init__(
            self,
            f"cannot finish writing {path}: {reason}. The change is kept in the journal and is finished by the next "
            "orange command once the disk works again",
        )
        self.path, self.reason = path, reason


class NewerFormat(OrangeError):
    """A project written by a newer orange."""

    code = "newer_format"
    http_status = 409

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the project has format {found}, this orange writes format {known}: upgrade orange")


class SessionFailed(OrangeError):
    """A session could not be started, reached or proven dead."""

    code = "session_failed"
    http_status = 500


class AgentUnusable(OrangeError):
    """An agent that cannot be run here; says why and what to do."""

    code = "agent_unusable"
    http_status = 409


class PipelineUnusable(OrangeError):
    """A pipeline or prompt template that is missing or wrong; says where and what was expected."""

    code = "pipeline_unusable"
    http_status = 422


class WorkspaceFailed(OrangeError):
    """A workspace could not be made or returned."""

    code = "workspace_failed"
    http_status = 500


class WorkspaceOccupied(WorkspaceFailed):
    """A workspace that a living process works in."""

    code = "workspace_occupied"
    http_status = 409

    def __init__(self, path: str, pid: int, program: str) -> None:
        super().__init__(f"workspace {path} is in use by process {pid} ({program}): end it and try again")
        self.path, self.pid = path, pid


class WorkspaceBusy(WorkspaceFailed):
    """A workspace that another orange process is working on."""

    code = "workspace_busy"
    http_status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"workspace {name} is being worked on by another orange process: try again in a moment")


class WorkspaceKept(WorkspaceFailed):
    """A workspace that holds what could not be proven safe elsewhere."""

    code = "workspace_kept"
    http_status = 409

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"workspace {path} is kept: {reason}")
        self.path, self.reason = path, reason


class WorkspaceForeign(WorkspaceFailed):
    """Something that is not this task's workspace stands at its path."""

    code = "workspace_foreign"
    http_status = 409

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path} {what}: move it away, then try again")
        self.path = path


class BranchUnusable(WorkspaceFailed):
    """A branch that cannot be made or checked out for a task."""

    code = "branch_unusable"
    http_status = 409

    def __init__(self, branch: str, reason: str) -> None:
        super().__init__(f"branch {branch!r} cannot be used for a workspace: {reason}")
        self.branch = branch


class WorkspaceStepFailed(WorkspaceFailed):
    """A step in making or returning a workspace that failed; names the step and what was said."""

    def __init__(self, path: str, step: str, reason: str) -> None:
        super().__init__(f"workspace {path}: {step} failed: {reason}")
        self.path, self.step, self.reason = path, step, reason


class HookFailed(WorkspaceFailed):
    """A workspace hook that failed; names the hook and its last lines."""

    code = "hook_failed"

    def __init__(self, hook: str, ended: str, last: str) -> None:
        super().__init__(f"the hook workspaces.hooks.{hook} {ended}{': ' + last if last else ''}")
        self.hook = hook


class PortsExhausted(WorkspaceFailed):
    """Not enough free ports."""

    code = "ports_exhausted"
    http_status = 503

    def __init__(self, count: int, low: int, high: int) -> None:
        super().__init__(f"{count} free TCP ports could not be reserved on 127.0.0.1 between {low} and {high}")


class DaemonUnavailable(OrangeError):
    """The daemon is not running, or did not answer."""

    code = "daemon_unavailable"
    http_status = 503
