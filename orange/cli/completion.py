"""`orange completion`: prints the script that makes a shell complete commands, options and task names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from orange.cli.app import root
from orange.cli.call import Call
from orange.cli.parsing import Command, common

_EPILOG = """\b
Install:
  bash: eval "$(orange completion bash)" in ~/.bashrc
  zsh:  eval "$(orange completion zsh)" in ~/.zshrc
  fish: orange completion fish > ~/.config/fish/completions/orange.fish
"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
def completion(call: Call, /, shell: str) -> None:
    """Print the completion script of a shell."""
    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"there is no completion for {shell}")
    source = completer(root, {}, "orange", "_ORANGE_COMPLETE")
    script = source.source_template % source.source_vars()
    call.out.give({"shell": shell, "script": script}, script.splitlines)
