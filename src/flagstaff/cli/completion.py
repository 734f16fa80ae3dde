"""How does the shell learn to complete our words?"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from flagstaff.cli import output
from flagstaff.commands.tree import SETTINGS


@click.command(context_settings=SETTINGS)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    r"""Print what makes the SHELL complete Flagstaff's words.

    \b
    bash:  eval "$(flagstaff completion bash)"
    """
    found = get_completion_class(shell)
    if found is not None:
        root = context.find_root().command
        output.say(found(root, {}, "flagstaff", "_FLAGSTAFF_COMPLETE").source())
