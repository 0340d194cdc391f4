"""`orange init`: the beginning of everything."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line


@click.command(cls=Command, epilog='Then: orange task create "Add a login page", orange daemon start')
@click.option("--remote", metavar="R", help="Take the task branch from this remote.")
@common
def init(call: Call, /, remote: str | None) -> None:
    """Make this git repository an orange project, or mend one; safe to repeat."""
    done = call.doors.init_project(call.path, remote)
    call.out.give(dict(done), lambda: [one_line(done["message"])])
