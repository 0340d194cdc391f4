"""How the command line is read: options anywhere, free text that may begin with `-`, tasks that complete themselves.

`Command` sorts the words of a line before click sees them; `common`, `task` and `text` declare what many commands
share. Next in the flow: the command's function.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from orange.cli.call import Call
from orange.core.problems import InvalidInput, OrangeError

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTION_LIKE = re.compile(r"--?[A-Za-z][\w-]*(=.*)?", re.DOTALL)


class FreeText(click.Argument):
    """A positional argument that people fill with prose, which may begin with `-`."""


class Command(click.Command):
    """A command whose line is sorted into options and words first, so that prose is never taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort the line, then let click read it."""
        return super().parse_args(ctx, sort_line(self, ctx, args))


def sort_line(command: click.Command, ctx: click.Context, args: Sequence[str]) -> list[str]:
    """Put options first and prose behind `--`. What looks like an option but is none stays, for click to refuse.

    Prose is what has a space or no letter after its dashes, and whatever a required text argument still lacks.
    """
    texts = [param for param in command.get_params(ctx) if isinstance(param, click.Argument)]
    if not any(isinstance(param, FreeText) for param in texts):
        return list(args)
    options, strays, plain = _split(_option_table(command, ctx), args)
    missing = sum(param.required for param in texts) - (len(plain) - len(strays))
    if strays and missing < len(strays):
        return [*options, *(plain[i] for i in strays)]
    return [*options, "--", *plain]


def _split(takes_value: dict[str, bool], args: Sequence[str]) -> tuple[list[str], list[int], list[str]]:
    options: list[str] = []
    strays: list[int] = []
    plain: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            plain.extend(rest)
        elif arg in takes_value:
            options.append(arg)
            options.extend([value for value in [next(rest, None)] if value is not None] if takes_value[arg] else [])
        elif arg.partition("=")[0] in takes_value and arg.startswith("--"):
            options.append(arg)
        else:
            if _OPTION_LIKE.fullmatch(arg):
                strays.append(len(plain))
            plain.append(arg)
    return options, strays, plain


def _option_table(command: click.Command, ctx: click.Context) -> dict[str, bool]:
    return {
        name: not (param.is_flag or param.count)
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }


class TaskAddress(click.types.StringParamType):
    """A task's id, ref, unique name or unique prefix; completes ids and names."""

    name = "task"

    def shell_complete(self, ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """List the ids and names that begin with what is typed."""
        call = ctx.find_root().obj
        try:
            tasks = call.project.board().tasks.values() if isinstance(call, Call) else ()
        except OrangeError:
            return []
        found = ((word, task.title) for task in tasks for word in (task.name, task.id) if word.startswith(incomplete))
        return [CompletionItem(word, help=title) for word, title in found]


def _choose(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    call = ctx.find_root().obj
    if value is not None and isinstance(call, Call):
        call.chosen = value


def _choose_named(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    call = ctx.find_root().obj
    if value is not None and isinstance(call, Call) and not ctx.resilient_parsing:
        call.chosen = choose_named(call, value)


def choose_named(call: Call, name: str) -> str:
    """Return the folder of the registered project of that name. Raises InvalidInput."""
    roots = call.doors.registered()
    found = [root for root in roots if os.path.basename(root) == name]
    if len(found) == 1:
        return found[0]
    known = ", ".join(os.path.basename(root) for root in roots) or "none"
    several = f"is the name of {', '.join(found)}: use -C PATH" if found else f"is not registered (known: {known})"
    raise InvalidInput("--project", f"{name!r} {several}")


def _speak_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    call = ctx.find_root().obj
    if value and isinstance(call, Call):
        call.out.json = True


_BY_PATH = click.option(
    "-C", "path", metavar="PATH", type=click.Path(), expose_value=False, callback=_choose, help="Project folder."
)
_BY_NAME = click.option(
    "--project", metavar="NAME", expose_value=False, callback=_choose_named, help="Registered project."
)
_JSON = click.option("--json", is_flag=True, expose_value=False, callback=_speak_json, help="Print JSON only.")


def choosing(function: _F) -> _F:
    """Add the options that choose the project."""
    return _BY_PATH(_BY_NAME(function))


def common(function: _F) -> _F:
    """Add what every command has: the choice of the project and `--json`; hand over the `Call` first."""
    return choosing(_JSON(_with_call(function)))


def common_but_project(function: _F) -> _F:
    """Add what every command has but `--project NAME`, for one that gives the word a meaning of its own."""
    return _BY_PATH(_JSON(_with_call(function)))


def _with_call(function: _F) -> _F:
    wrapped: _F = click.pass_obj(function)  # type: ignore[assignment]  # click types the wrapper, not what it wraps
    return wrapped


def task(*, required: bool = False) -> Callable[[_F], _F]:
    """Add the argument TASK; where it is not required, the workspace's own task is meant."""
    return click.argument("task", required=required, type=TaskAddress(), metavar="TASK" if required else "[TASK]")


def text(name: str, *, required: bool = True) -> Callable[[_F], _F]:
    """Add an argument of prose."""
    metavar = name.upper() if required else f"[{name.upper()}]"
    return click.argument(name, cls=FreeText, required=required, metavar=metavar)


def many(*names: str, **more: Any) -> Callable[[_F], _F]:
    """Add an option that may be repeated."""
    return click.option(*names, multiple=True, **more)


def seconds(value: str) -> int:
    """Read a duration such as `90s`, `10m`, `2h`, `14d` or plain seconds. Raises click.BadParameter."""
    found = re.fullmatch(r"(\d+)([smhd]?)", value.strip())
    if not found:
        raise click.BadParameter(f"{value!r} is not a duration such as 90s, 10m or 2h")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
