"""Is what a project's files say in order?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Problem


@click.command(context_settings=SETTINGS)
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def lint(common: Common, *, folder: Path) -> int:
    """Check `flagstaff.yml`, every definition and every plan; say all that is wrong at once."""
    from flagstaff.definitions import lint as check  # noqa: PLC0415 loads YAML, which help does not

    problems, warnings = check(folder)
    if common.json:
        output.say_json(
            {
                "ok": not problems,
                "errors": [asdict(each) for each in problems],
                "warnings": [asdict(each) for each in warnings],
            }
        )
    else:
        show(problems, warnings)
    return 1 if problems else 0


def show(problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    """Say what is wrong, a line each, and how much it is."""
    for each in problems:
        output.say(f"{output.coloured('error:', output.RED)} {each}")
    for each in warnings:
        output.say(f"{output.coloured('warning:', output.YELLOW)} {each}")
    errors, doubts = (
        output.counted(len(problems), "error"),
        output.counted(len(warnings), "warning"),
    )
    output.remark(f"{errors}, {doubts}" if problems or warnings else "nothing is wrong")
