"""Write docs/reference/terminal.md from the commands; `--check` says whether it is so."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from flagstaff.cli.root import COMMON_OPTIONS, TABLE, root

PAGE = Path(__file__).parents[1] / "docs/reference/terminal.md"
WIDTH = 96
_ITSELF = re.compile(r"^ +(?:-h, )?--help +Show this message and exit\.\n", re.MULTILINE)
_EMPTY = re.compile(r"^Options:\n(?=\n|\Z)", re.MULTILINE)

HEAD = """\
# On the terminal

<!-- Written by scripts/write_terminal_reference.py from the commands themselves. -->

`flagstaff COMMAND --help` says the same. The words about flags, rollouts, releases, deployments, jobs, locks, people and the
audit log are those of chat and of rollout issues too; there they begin with `/chatops run`.
"""


def page() -> str:
    """Return the page."""
    # Settings as when it is run: the names of `--help` are remembered, and make its column wider.
    context = click.Context(root, info_name="flagstaff", **root.context_settings)
    listed = [f"- [`{name}`](#{_anchor(name)}): {each.about}" for name, each in TABLE.items()]
    common = inspect.cleandoc(COMMON_OPTIONS.replace("\b\n", ""))
    parts = [HEAD, "\n".join(listed), f"```text\n{common}\n```"]
    for name in TABLE:
        command = root.get_command(context, name)
        if command is not None:
            parts += _told(command, click.Context(command, info_name=name, parent=context))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _told(command: click.Command, context: click.Context) -> Iterator[str]:
    path = context.command_path
    words = path.removeprefix("flagstaff ")
    yield f"{'##' if context.parent and context.parent.parent is None else '###'} {words}"
    yield f"```text\n{_help(command, context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden and words != "flag":
                yield from _told(below, click.Context(below, info_name=name, parent=context))


def _help(command: click.Command, context: click.Context) -> str:
    formatter = click.HelpFormatter(width=WIDTH, max_width=WIDTH)
    command.format_help(context, formatter)
    told = _ITSELF.sub("", formatter.getvalue())
    return "\n".join(line.rstrip() for line in _EMPTY.sub("", told).rstrip().splitlines())


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def main() -> int:
    """Write the page, or with `--check` return 1 if it is not as it would be written."""
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.is_file() and PAGE.read_text() == text else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
