"""`orange dashboard`: starts the daemon where it must, and opens its page in the browser.

Next in the flow: `web.pages` serves the page, `web.onetime` knows the code in its address.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from orange.cli.call import Call
from orange.cli.daemon import root_of
from orange.cli.parsing import Command, common


@click.command(cls=Command, epilog="Example: orange dashboard")
@click.option("--no-open", is_flag=True, help="Only print the address.")
@common
def dashboard(call: Call, /, no_open: bool) -> None:
    """Open the dashboard in your browser; starts the daemon if it does not run.

    The address it prints lets one page in, once, within a minute: ask again for another browser.
    """
    url = call.doors.dashboard(root_of(call))
    opened = call.out.terminal and not (no_open or call.out.json) and _has_screen(call.env) and call.doors.browse(url)
    call.out.give({"dashboard": {"url": url}}, lambda: [url, *(["opened in your browser"] if opened else [])])


def _has_screen(env: Mapping[str, str]) -> bool:
    """Whether a browser would have somewhere to open."""
    return sys.platform == "darwin" or bool(
        env.get("DISPLAY") or env.get("WAYLAND_DISPLAY") or env.get("WSL_DISTRO_NAME")
    )
