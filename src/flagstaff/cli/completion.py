"""How does the shell learn to complete our words?"""

from __future__ import annotations

import click

from flagstaff.cli import output
from flagstaff.commands.tree import SETTINGS


@click.command(context_settings=SETTINGS)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print what makes your shell complete these words.

    \b
    bash:  eval "$(flagstaff completion bash)"              in ~/.bashrc
    zsh:   eval "$(flagstaff completion zsh)"               in ~/.zshrc
    fish:  flagstaff completion fish > ~/.config/fish/completions/flagstaff.fish
    """  # noqa: D301 a mark for Click
    from click.shell_completion import get_completion_class  # noqa: PLC0415 rarely needed

    found = get_completion_class(shell)
    if found is not None:
        root = context.find_root().command
        output.say(found(root, {}, "flagstaff", "_FLAGSTAFF_COMPLETE").source())
