"""The records of runs: a folder for each below the project's runtime folder, written by two hands.

`prepare` writes what the supervisor is to do; the supervisor writes everything else, and `close` the end of a run whose
supervisor died before it could; `record` reads all of it. An ended run's record never changes, so it is read once.

Next in the flow: `sessions` starts the supervisor, the reconciler reads the records.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from orange import recordfile
from orange.core import redact, reviews, runfiles
from orange.core.agents import UNTOLD, Command, Conversation, Resume, Spent
from orange.core.checks import Check
from orange.core.ending import Ending, Subject, error_text, readable, result, shown
from orange.core.layout import Layout
from orange.core.model import Outcome
from orange.core.ports import Course, RunRecord, RunSpec, StepSpec
from orange.core.problems import InvalidInput, OrangeError, StorageFailed
from orange.core.retry import NEUTRAL
from orange.core.settings import AgentSettings
from orange.core.steps import Result, Step, main_step

#: Bytes of a vanished run's output that its error report may quote.
TAIL = 65_536
#: Bytes of what an agent said that are read, from its end.
WORDS = 8 << 20
#: Seconds after which a folder's time of change is certain to differ from that of an earlier look.
SETTLED = 2.0

#: (spec, prompt file) -> the agent's program. Raises OrangeError for an agent that cannot be run so.
MakeCommand = Callable[[RunSpec, str], Command]


class FileRuns:
    """The runs of one project."""

    def __init__(
        self,
        layout: Layout,
        command: MakeCommand,
        now: Callable[[], float] = time.time,
        secrets: redact.Secrets = redact.SHAPES,
    ) -> None:
        self._root = layout.runs
        self._make, self._now, self._secrets = command, now, secrets
        #: Ended runs' records, as far as anybody asked for them since the last look, and before it.
        self._asked: dict[str, RunRecord] = {}
        self._before: dict[str, RunRecord] = {}
        #: The root's time of change and what was in it then: task -> epochs.
        self._seen: tuple[int, Mapping[str, list[int]]] = (0, {})

    def folder(self, run: str) -> str:
        """The run's folder, whether it exists or not. Raises InvalidInput for what is no run's name."""
        if not runfiles.is_safe(run):
            raise InvalidInput("run", f"{run!r} is no run's name")
        return f"{self._root}/{run}"

    def keep(self, run: str, name: str, value: Mapping[str, object]) -> None:
        """Write a JSON artifact into a run's folder, where there is one; secrets are masked. Raises StorageFailed."""
        path = f"{self.folder(run)}/{name}"
        try:
            recordfile.replace(path, (json.dumps(self._secrets.mask_value(value), indent=1) + "\n").encode())
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StorageFailed(path, error.strerror or str(error)) from error

    def review(self, run: str) -> Mapping[str, object] | None:
        """What a run that reviews came to; None where it came to nothing."""
        return recordfile.values(f"{self.folder(run)}/{runfiles.REVIEW}")

    def report(self, run: str) -> Mapping[str, object] | None:
        """What a run says of itself at its end; None before that."""
        return recordfile.values(f"{self.folder(run)}/{runfiles.SUMMARY}")

    def checks(self, run: str, *, of_merge: bool = False) -> Mapping[str, object] | None:
        """What the project's checks came to in a run, or on the merge of its work; None where none were run."""
        return recordfile.values(f"{self.folder(run)}/{runfiles.MERGE_CHECKS if of_merge else runfiles.CHECKS}")

    def prepare(self, spec: RunSpec) -> str:
        """Write the spec and the agent's command; a run that was launched keeps what it has. Raises StorageFailed."""
        folder = self.folder(spec.run)
        told: dict[str, object] = {
            "format": runfiles.FORMAT,
            "spec": asdict(replace(spec, course=None)),
            "command": self._told(spec),
        }
        if spec.course:
            told["course"] = self._course(spec, spec.course)
        data = (json.dumps(told, indent=1) + "\n").encode()
        path = f"{folder}/{runfiles.SPEC}"
        if _read(path) == data or os.path.exists(f"{folder}/{runfiles.LAUNCHED}"):
            return folder
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            recordfile.replace(path, data)
            recordfile.sync_folder(self._root)
        except OSError as error:
            raise StorageFailed(path, error.strerror or str(error)) from error
        return folder

    def command(self, spec: RunSpec) -> Command:
        """The program of a run's agent. Raises AgentUnusable, InvalidInput."""
        return self._make(spec, f"{self.folder(spec.run)}/{runfiles.PROMPT}")

    def record(self, run: str) -> RunRecord | None:
        """What is on disk about a run; None for one never prepared, or whose spec cannot be read."""
        found = self._asked.get(run) or self._before.get(run) or _record(self.folder(run))
        if found and found.outcome:
            self._asked[run] = found
        return found

    def recent(self, live: Iterable[str], tasks: Iterable[str], attempts: int) -> Mapping[str, RunRecord]:
        """Records of the named runs, and of each named task the latest: so many ended ones that used up an attempt."""
        self._before, self._asked = self._asked, {}
        named = ((run, self.record(run)) for run in live)
        found = {run: record for run, record in named if record}
        epochs = self._epochs()
        for task in tasks:
            found |= self._latest(task, epochs.get(task, ()), attempts)
        return found

    def planted(self, run: str) -> tuple[str, ...]:
        """What a run's agent left behind for git to run, in one sentence each."""
        told = (recordfile.values(f"{self.folder(run)}/{runfiles.PLANTED}") or {}).get("planted")
        return tuple(map(str, told)) if isinstance(told, list) else ()

    def said(self, run: str) -> str:
        """What a run's agent said: its stream's words where it has one, else all its terminal showed."""
        folder = self.folder(run)
        if os.path.exists(f"{folder}/{runfiles.SAID}"):
            return _tail(f"{folder}/{runfiles.SAID}", WORDS).decode("utf-8", "replace")
        return readable(_tail(f"{folder}/{runfiles.OUTPUT}", WORDS))

    def last(self, task: str) -> int:
        """The highest epoch under which a run of the task left anything here; 0 when none did."""
        return max(self._epochs().get(task, ()), default=0)

    def stages(self, run: str) -> Sequence[Mapping[str, object]]:
        """What a run's supervisor noted of its stages and steps, oldest first; a torn last line comes later."""
        *lines, _ = (_read(f"{self.folder(run)}/{runfiles.STAGES}") or b"").split(b"\n")
        return [_line(line) for line in lines]

    def published(self, run: str, code: str | None, line: str) -> None:
        """Note what came of publishing: a line in its log and, where it gives one, the code. Raises StorageFailed."""
        folder = self.folder(run)
        log = f"{folder}/{runfiles.LOGS}/publish.log"
        try:
            if not os.path.isdir(folder):
                return
            os.makedirs(os.path.dirname(log), mode=0o700, exist_ok=True)
            with open(log, "a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise StorageFailed(log, error.strerror or str(error)) from error
        summary = recordfile.values(f"{folder}/{runfiles.SUMMARY}")
        if code and summary:
            self.keep(run, runfiles.SUMMARY, {**summary, "code": code})

    def close(self, run: str, outcome: Outcome, message: str, commit: str | None) -> None:
        """Write how a run ended that is proven dead and left no result. Raises StorageFailed."""
        record, folder = self.record(run), self.folder(run)
        if record is None or record.outcome:
            return
        output = _tail(f"{folder}/{runfiles.OUTPUT}")
        ending = Ending(outcome, message, command=_command(folder), output=output)
        ended = result(ending, commit, self._now(), recordfile.values(f"{folder}/{runfiles.AGENT}"))
        told = json.dumps(self._secrets.mask_value(ended), indent=1) + "\n"
        try:
            if ending.failed:
                report = self._secrets.mask(error_text(folder, Subject.of(record.spec), ending))
                recordfile.replace(f"{folder}/{runfiles.ERROR}", report.encode("utf-8", "replace"), sync=False)
            recordfile.replace(f"{folder}/{runfiles.RESULT}", told.encode())
        except OSError as error:
            raise StorageFailed(folder, error.strerror or str(error)) from error

    def stop(self, run: str, grace: float, reason: str | None = None) -> None:
        """Tell a run to end, and keep it from ever being started; its supervisor sees it within seconds.

        Raises StorageFailed.
        """
        folder = self.folder(run)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            recordfile.replace(f"{folder}/{runfiles.STOP}", runfiles.stop_order(grace, reason))
        except OSError as error:
            raise StorageFailed(folder, error.strerror or str(error)) from error

    def park(self, run: str, *, waiting: bool) -> None:
        """Stop a run's clocks while it waits for somebody, or let them go on. Raises StorageFailed."""
        path = f"{self.folder(run)}/{runfiles.PARKED}"
        try:
            if waiting:
                recordfile.replace(path, b"", sync=False)
            elif os.path.exists(path):
                os.unlink(path)
        except OSError as error:
            raise StorageFailed(path, error.strerror or str(error)) from error

    def _told(self, spec: RunSpec) -> dict[str, object]:
        try:
            command = self.command(spec)
        except OrangeError as refused:
            return asdict(Command((), {})) | {"refusal": refused.message}
        return asdict(command) | {"refusal": None}

    def _course(self, spec: RunSpec, course: Course) -> dict[str, object]:
        """Write down a run's steps: what each agent is told and, where it is another one, its program."""
        steps = [step._asdict() | self._step(spec, course.specs.get(step.name)) for step in course.steps]
        results = [result._asdict() for result in course.results]
        return {"pipeline": course.pipeline, "main": main_step(course.steps), "steps": steps, "results": results}

    def _step(self, spec: RunSpec, told: StepSpec | None) -> dict[str, object]:
        if told is None:
            return {}
        own = (told.agent, told.model, told.effort) == (spec.agent, spec.model, spec.effort)
        own = own and told.agent_settings.mode == "headless"  # another's words are among its arguments
        same = {"agent": told.agent, "model": told.model, "effort": told.effort, "agent_settings": told.agent_settings}
        words = {"prompt": told.prompt, "followup": told.taken_up}
        there = replace(spec, **same, **words, resume=spec.resume if told.agent == spec.agent else None)  # type: ignore[arg-type]  # fields of the spec
        return {
            "told": {"agent": told.agent, "prompt": told.prompt, "followup": told.followup, "taken_up": told.taken_up},
            "command": None if own else self._told(there),
            "continued": self._continued(there),
        }

    def _continued(self, spec: RunSpec) -> tuple[str, ...] | None:
        """Return the program that goes on with the conversation of this run's earlier steps, its id left open."""
        try:
            inner = self.command(replace(spec, resume=Resume(runfiles.SESSION))).inner
        except OrangeError:
            return None
        return inner.resumed if inner else None

    def _latest(self, task: str, epochs: Iterable[int], attempts: int) -> Mapping[str, RunRecord]:
        found: dict[str, RunRecord] = {}
        for epoch in sorted(epochs, reverse=True):
            record = self.record(f"{task}-{epoch}")
            if record:
                found[record.spec.run] = record
                attempts -= record.outcome is not None and record.outcome not in NEUTRAL
            if attempts <= 0:
                break
        return found

    def _epochs(self) -> Mapping[str, list[int]]:
        try:
            changed = os.stat(self._root).st_mtime_ns
            if changed != self._seen[0] or self._now() - changed / 1e9 < SETTLED:
                self._seen = changed, _by_task(os.listdir(self._root))
        except FileNotFoundError:
            return {}
        return self._seen[1]


def _by_task(runs: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for run in runs:
        epoch = run.rpartition("-")[2]
        if epoch.isdecimal() and (task := reviews.task_of(run)):
            found.setdefault(task, []).append(int(epoch))
    return found


def _record(folder: str) -> RunRecord | None:
    try:
        told = json.loads(_read(f"{folder}/{runfiles.SPEC}") or b"")
        spec, course = _spec(told["spec"]), _course(told.get("course"), folder)
    except (ValueError, KeyError, TypeError):
        return None
    launched, result = (
        recordfile.values(f"{folder}/{runfiles.LAUNCHED}"),
        recordfile.values(f"{folder}/{runfiles.RESULT}") or {},
    )
    ended = result.get("outcome") in set(Outcome)
    return RunRecord(
        spec=spec,
        launched=launched is not None,
        started_at=(launched or {}).get("at"),
        ended_at=result.get("ended_at") if ended else None,
        outcome=Outcome(result["outcome"]) if ended else None,
        exit_code=result.get("exit_code"),
        signature=result.get("signature"),
        message=result.get("message") if ended else _complaint(folder),
        commit=result.get("commit"),
        checked=result.get("checked"),
        figures=result.get("figures") or {},
        conversation=_conversation(recordfile.values(f"{folder}/{runfiles.AGENT}") or {}),
        course=course,
    )


def _course(told: dict[str, Any] | None, folder: str) -> Course | None:
    """Read a run's steps with what came of them; before the first of them, with what it began with."""
    if told is None:
        return None
    steps = tuple(Step(**{key: step[key] for key in Step._fields}) for step in told["steps"])
    latest = recordfile.values(f"{folder}/{runfiles.STEPS}") or {}
    results = tuple(Result(**result) for result in latest.get("results", told["results"]))
    return Course(told["pipeline"], steps, results, now=latest.get("now"))


def _conversation(told: dict[str, Any]) -> Conversation:
    """Read what an agent's stream told; what makes no sense counts as not told."""
    try:
        told = {"agent": None, **told}
        values = {field.name: told[field.name] for field in fields(Conversation)}
        used = Spent(**values["tokens"]) if values["tokens"] is not None else None
        so_far = Spent(**values["conversation_tokens"])
    except (KeyError, TypeError):
        return UNTOLD
    return Conversation(**values | {"tokens": used, "conversation_tokens": so_far})


def _spec(told: dict[str, Any]) -> RunSpec:
    values = {field.name: told[field.name] for field in fields(RunSpec) if field.name in told}
    settings = {field.name: told["agent_settings"][field.name] for field in fields(AgentSettings)}
    settings["args"], values["ports"] = tuple(settings["args"]), tuple(values["ports"])
    values["writable"] = tuple(values.get("writable", ()))
    values["checks"] = tuple(Check(*check) for check in values.get("checks", ()))
    if values.get("resume"):
        values["resume"] = Resume(values["resume"]["session"], Spent(**values["resume"]["spent"]))
    return RunSpec(**values | {"agent_settings": AgentSettings(**settings)})


def _line(data: bytes) -> Mapping[str, object]:
    """Read one line of the stages; one that makes no sense says nothing, and still counts."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _command(folder: str) -> str:
    """Show the agent's command of a run whose spec was read before; empty where there is none."""
    told = recordfile.values(f"{folder}/{runfiles.SPEC}") or {}
    return shown(told.get("command", {}).get("argv", ()))


def _complaint(folder: str) -> str | None:
    """Return the last thing a supervisor without a result said on standard error."""
    lines = (_read(f"{folder}/{runfiles.COMPLAINTS}") or b"").decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def _tail(path: str, most: int = TAIL) -> bytes:
    """Read the end of a log; nothing where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read()
    except OSError:
        return b""


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
