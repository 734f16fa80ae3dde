"""How does a flag get its rollout issue?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from flagstaff.cli.rollout_files import answers_in, text_of
from flagstaff.commands.completing_here import flags
from flagstaff.commands.model import CreateRollout
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError

TEMPLATES: Final = (".gitlab/issue_templates", ".github/ISSUE_TEMPLATE")
"""Where forges look for templates too."""


@click.command("create", context_settings=SETTINGS)
@click.argument("flag", metavar="FLAG", shell_complete=flags)
@click.option("--template", default="", metavar="FILE", help="A file, or a template's name.")
@click.option("--title", default="", metavar="TEXT", help="Else the one in the template.")
@click.option("--forge", default="", metavar="FORGE", help="As flagstaff.yml calls it.")
@click.option("--project", default="", metavar="GROUP/PROJECT", help="Else the forge's own.")
@click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)
@click.option("--start", is_flag=True, help="Begin at once.")
def create(  # noqa: PLR0913 one for each option
    *,
    flag: str,
    template: str,
    title: str,
    forge: str,
    project: str,
    answers: tuple[str, ...],
    start: bool,
) -> CreateRollout:
    """Write the rollout issue of FLAG, keep it on a forge, and make a rollout of it.

    Without --template, Flagstaff's own is taken. <owner> and <milestone> also become the assignee
    and the milestone of the issue. With --dry-run nothing is made, and every line is shown.
    """
    return CreateRollout(
        flag=flag,
        template=text_of(str(_template(template))) if template else "",
        title=title.strip(),
        forge=forge,
        project=project,
        placeholders=answers_in(answers),
        start=start,
    )


def _template(named: str) -> Path:
    if Path(named).is_file():
        return Path(named)
    known = [
        path
        for folder in TEMPLATES
        if Path(folder).is_dir()
        for path in sorted(Path(folder).glob("*.md"))
    ]
    found = next((path for path in known if named in {path.name, path.stem}), None)
    if found is None:
        names = ", ".join(path.stem for path in known)
        raise UsageError(
            f"there is no template {named}",
            hint=f"there are: {names}" if names else f"name a file, or put it into {TEMPLATES[0]}",
        )
    return found
