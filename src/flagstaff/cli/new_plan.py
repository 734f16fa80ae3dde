"""How does somebody begin a plan?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstaff.cli.options import Common
from flagstaff.cli.plan_sources import MERGE_COMMIT, project_here
from flagstaff.commands.completing_here import flags
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Conflict, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = "# What every key means: docs/reference/plan-files.md\n"


@click.command(context_settings=SETTINGS)
@click.argument("flag", metavar="FLAG", shell_complete=flags)
@click.option("--template", default="", metavar="NAME", help="Which one; else the flag's own.")
@click.pass_obj
def new(common: Common, *, flag: str, template: str) -> Outcome:
    """Write a plan for FLAG to begin with, into the folder of plans."""
    # Loads YAML, which help does not need.
    from flagstaff.definitions.plans import default_template, parameters_of  # noqa: PLC0415

    around = project_here(flag=flag)
    definition = around.known_flags.get(flag)
    if definition is None:
        raise NotFound(
            f"no flag {flag} is defined under {around.project.flags}",
            hint="define it in YAML first",
        )
    name = template or default_template(definition, around.project)
    text = _written(flag, name, parameters_of(name, around))
    path = around.root / around.project.plans.folder / f"{flag}.yml"
    if path.exists():
        raise Conflict(f"{path} is there already", hint=f"flagstaff plan show {path}")
    if not common.dry_run:
        write_file(path, text)
    verb = "would write" if common.dry_run else "wrote"
    return Outcome(
        text=f"{verb} {path}:\n\n{text.rstrip()}",
        data={"path": str(path), "template": name, "plan": text, "written": not common.dry_run},
        next=f"flagstaff plan show {path}",
    )


@click.command(context_settings=SETTINGS)
@click.pass_obj
def templates(common: Common) -> Outcome:
    """List the templates of this project and those that are built in."""
    from flagstaff.definitions.plans import parameters_of, template_names  # noqa: PLC0415

    del common
    around = project_here()
    found = {
        name: parameters_of(name, around) for name in template_names(around.root, around.project)
    }
    named = list(found.items())
    lines = [f"{name}{_parameters(each)}" for name, each in named]
    return Outcome(
        text="\n".join(lines),
        data={
            "templates": [{"name": name, "parameters": {**each}} for name, each in found.items()]
        },
        next="flagstaff plan new FLAG --template NAME",
    )


def _parameters(parameters: Mapping[str, str | None]) -> str:
    shown = [name if value is None else f"{name}: {value}" for name, value in parameters.items()]
    return f" ({', '.join(shown)})" if shown else ""


def _written(flag: str, name: str, parameters: Mapping[str, str | None]) -> str:
    lines = [f"flag: {flag}", f"extends: {name}"]
    for needed in (True, False):
        for key, value in parameters.items():
            if (value is None) is not needed:
                continue
            if key == MERGE_COMMIT:
                shown = f"  # {key}: SHA  # else the commit that brought the flag"
            else:
                shown = f"  {key}:  # has to be said" if needed else f"  # {key}: {value}"
            lines += [*(() if "parameters:" in lines else ("parameters:",)), shown]
    return HEAD + "\n".join(lines) + "\n"


def write_file(path: Path, text: str) -> None:
    """Write a plan, in a folder that is made if it is not there.

    Raises:
        Refused: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise Refused(
            f"{exc.filename} cannot be written: {(exc.strerror or '').lower()}",
            hint="see to the folder's permissions",
        ) from exc
