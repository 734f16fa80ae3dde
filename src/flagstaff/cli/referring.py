"""Which lines of the code speak of a flag?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.completing_here import flags
from flagstaff.commands.tree import SETTINGS


@click.command("references", context_settings=SETTINGS, short_help="Where is the flag NAME used?")
@click.argument("name", shell_complete=flags)
@click.option(
    "--project",
    default=".",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder in the repository.",
)
@click.option("--base", default="HEAD", metavar="COMMIT", help="Which commit to read.")
@click.option("--fail", is_flag=True, help="End with 1 when there are any, for CI.")
@click.pass_obj
def references(common: Common, *, name: str, project: Path, base: str, fail: bool) -> int:
    """Say every line of a commit that speaks of the flag NAME, and how.

    Python is read by its syntax, other files by whole words, and as camelCase too. What is not
    committed is not seen. Needs no server.
    """
    from flagstaff.cleanup.references import find_references  # noqa: PLC0415 help needs no git

    found = find_references(project, name, base=base)
    if common.json:
        listed = [asdict(each) for each in found]
        output.say_json({"ok": True, "flag": name, "base": base, "references": listed})
    else:
        for each in found:
            output.say(f"{each.path}:{each.line}: {each.kind}: {each.text}")
        files = len({each.path for each in found})
        output.remark(f"lines: {len(found)}, files: {files}" if found else f"nothing uses {name}")
    return 1 if fail and found else 0
