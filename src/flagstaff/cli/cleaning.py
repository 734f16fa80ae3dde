"""What does the removal of a flag change, and on which branch is that?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.requesting import open_for
from flagstaff.commands.completing_here import flags
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Conflict, UsageError

if TYPE_CHECKING:
    from flagstaff.cleanup.changes import CleanupPlan
    from flagstaff.definitions import Project

MOST_LINES = 5
"""Lines of one file that only speak of the flag, and are shown."""


@click.command("cleanup", context_settings=SETTINGS, short_help="Remove a flag from the code.")
@click.argument("flag", shell_complete=flags)
@click.option(
    "--keep",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="The answer that stays; the code for the other one goes.",
)
@click.option("--diff", is_flag=True, help="Only the diff, for `git apply`.")
@click.option("--branch", is_flag=True, help="Commit it on a branch; the checkout stays as it is.")
@click.option(
    "--open-request",
    is_flag=True,
    help="Commit it on a branch, run the command `test` there, push, and open a merge request.",
)
@click.option("--remote", default="origin", show_default=True, help="Where to push.")
@click.option("--name", metavar="BRANCH", help="How to call the branch; otherwise cleanup/FLAG.")
@click.option(
    "--project",
    default=".",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder with `flagstaff.yml`, in the repository.",
)
@click.option("--base", default="HEAD", show_default=True, metavar="COMMIT", help="What to clean.")
@click.pass_obj
def cleanup(  # noqa: PLR0913  each option answers a question of its own
    common: Common,
    *,
    flag: str,
    keep: str,
    diff: bool,
    branch: bool,
    open_request: bool,
    remote: str,
    name: str | None,
    project: Path,
    base: str,
) -> int:
    """Show what goes with FLAG, or commit it on a branch.

    Python is rewritten as if the flag always gave the answer that stays; its definition goes, and
    so do jobs with two names under the one that lost. What cannot be decided is left in place and
    said with the reason. Only what is committed is read. Needs no server.
    """
    # Loads LibCST and YAML, which help does not need.
    from flagstaff.cleanup.branch import write_branch  # noqa: PLC0415
    from flagstaff.cleanup.changes import diff_text  # noqa: PLC0415
    from flagstaff.cleanup.plan import plan_cleanup  # noqa: PLC0415
    from flagstaff.definitions import load_project  # noqa: PLC0415
    from flagstaff.integrations.forge.branches import old_jobs  # noqa: PLC0415

    branch = branch or open_request
    if name and not branch:
        raise UsageError("`--name` is the name of a branch", hint="add `--branch`")
    settings = load_project(project)
    found = plan_cleanup(
        project,
        flag,
        keep=keep == "on",
        renames=old_jobs(settings, flag),
        changelog=_changelog(project, settings),
        title=f"Remove the `{flag}` feature flag",
        base=base,
    )
    if not found.changes and not found.residues:
        raise Conflict(
            f"nothing in {base} refers to {flag}", hint=_meant(project / settings.flags, flag)
        )
    written = ""
    if branch and not common.dry_run:
        message = f"Remove the `{flag}` feature flag\n\nIt is always {keep} from now on.\n"
        made = write_branch(
            project, found, branch=name or f"cleanup/{flag}", message=message, base=base
        )
        written = f"{made.branch} ({made.commit[:12]})"
    address = ""
    if open_request and not common.dry_run:
        address = open_for(project, settings, found, made.branch, remote)
    if common.json:
        output.say_json(
            {
                "ok": True,
                "flag": flag,
                "keep": keep,
                "base": found.base,
                "files": [each.path for each in found.changes],
                "residues": [str(each) for each in found.residues],
                "diff": diff_text(found),
                "branch": written.partition(" ")[0],
                "request": address,
            }
        )
        return 0
    if diff or not branch or common.dry_run:
        output.say(diff_text(found).rstrip("\n"))
    if not diff:
        _tell(found, flag, keep, written)
    if address:
        output.say(address)
    return 0


def _tell(found: CleanupPlan, flag: str, keep: str, written: str) -> None:
    asking = [each for each in found.residues if each.reference.kind.asks]
    told: Counter[str] = Counter()
    for each in sorted(found.residues, key=lambda each: not each.reference.kind.asks):
        path, asks = each.reference.path, each.reference.kind.asks
        told[path] += not asks
        if asks or told[path] <= MOST_LINES:
            output.remark(f"{output.coloured('left for you:', output.YELLOW)} {each}")
    for path, count in told.items():
        if count > MOST_LINES:
            output.remark(f"left for you: {count - MOST_LINES} more in {path}; --json has them all")
    files, lines = len(found.changes), len(found.residues)
    counted = f"{output.counted(files, 'file')} changed, {output.counted(lines, 'line')} left"
    output.remark(f"{counted}; on the branch {written}" if written else counted)
    if asking and keep == "on":
        output.remark(
            f"before it is merged, mend the {output.counted(len(asking), 'line')} that may still"
            f" ask for {flag}: where nobody defines it, it is off"
        )


def _changelog(project: Path, settings: Project) -> Path | None:
    """Return where news goes, if the project has such a place."""
    place = Path(settings.changelog)
    return place if (project / place).exists() else None


def _meant(folder: Path, flag: str) -> str:
    from flagstaff.definitions.folder import check_folder  # noqa: PLC0415

    if near := check_folder(folder)[0].near(flag):
        return f"did you mean {' or '.join(near)}?"
    return "look at its name; `flagstaff feature list` says which there are"
