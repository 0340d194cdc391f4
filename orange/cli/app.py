"""The root command: finds the command a line names, importing only that one, and shows the manual.

Next in the flow: one module per noun, named in `catalog`.
"""

from __future__ import annotations

from importlib import import_module

import click

from orange import __version__
from orange.cli import catalog
from orange.cli.parsing import choosing

_MANUAL = """Orange turns this git repository into a workplace for coding agents.

Work is written as TASK.md files under .orange/; `orange task list --ready` shows what may start, the daemon starts it,
and `orange status` says why something does not move. TASK is an id, a ref, a unique name or a unique beginning of an
id. -C PATH or --project NAME, anywhere on the line, chooses the project; --json prints JSON only.
"""
_EPILOG = """\b
Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 a bug in orange; 130 interrupted.
Begin:      orange init, orange task create "Add a login page", orange daemon start, orange status
"""


class CatalogGroup(click.Group):
    """A group whose commands are those of the catalog below its words."""

    def __init__(self, words: str = "", **attrs: object) -> None:
        super().__init__(**attrs)  # type: ignore[arg-type]  # click's own keywords, passed through
        self.words = words

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the next words."""
        return list(catalog.children(self.words))

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or make the group, of that name."""
        words = self.words + cmd_name
        if words in catalog.COMMANDS:
            entry = catalog.COMMANDS[words]
            return _finished(getattr(import_module(f"orange.cli.{entry.module}"), entry.name), entry)
        if cmd_name in catalog.children(self.words):
            return choosing(CatalogGroup(words=f"{words} ", name=cmd_name, help=catalog.GROUPS[cmd_name]))
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command named first on the line; an unknown one is answered with the nearest name."""
        name = args[0]
        if name not in catalog.children(self.words) and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command `orange {self.words}{name}`{_nearest(self.words, name)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command below this group, under its heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for words, entry in catalog.COMMANDS.items():
            if words.startswith(self.words):
                sections.setdefault(entry.section, []).append((words[len(self.words) :], entry.help))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


def _finished(command: click.Command, entry: catalog.Entry) -> click.Command:
    command.short_help = entry.help
    if not (command.help or "").startswith(entry.help):
        command.help = f"{entry.help}\n\n{command.help}" if command.help else entry.help
    return command


def _nearest(words: str, name: str) -> str:
    from difflib import get_close_matches

    known = list(catalog.children(words)) if words else [*catalog.children(""), *catalog.COMMANDS]
    found = get_close_matches(name, known, 1) or [full for full in catalog.COMMANDS if full.split()[-1] == name][:1]
    return f": did you mean `orange {words if found[0] in known else ''}{found[0]}`?" if found else ""


root = choosing(
    CatalogGroup(
        name="orange",
        help=_MANUAL,
        epilog=_EPILOG,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )
)
click.version_option(__version__, prog_name="orange", message="%(prog)s %(version)s")(root)
