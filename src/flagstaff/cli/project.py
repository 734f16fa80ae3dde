"""How is a project made ready, and checked?"""

from __future__ import annotations

from pathlib import Path

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import SETTINGS
from flagstaff.definitions import SETTINGS_FILE
from flagstaff.definitions import lint as check_project
from flagstaff.errors import Conflict, Problem

TEMPLATE = """\
# What Flagstaff knows about this project. Every key may be left out; these are the defaults.
flags: config/feature_flags

environments: [dev, staging, staging-ref, ops, pre, production]
main_branch: main

# What `<rollout-percentage>` in a rollout issue becomes.
ramp:
  percentages: [1, 10, 25, 50, 75]
  dwell: 15m
verification_term: 1d

changelog: CHANGELOG.md

# Answers to other `<…>` in rollout issues.
# placeholders:
#   milestone: "15.2"

# Where announcements go: channels by what they are for, and an incoming webhook.
# channels: {production: "#production", team: "#our-team"}
# notify:
#   webhook: https://chat.example.com/hooks/…

# Background jobs that exist under two names while a flag decides, and what must hold meanwhile.
# renames:
#   - {flag: rename_workers, old: old_name, new: new_name, old_queue: old, new_queue: new}
# guards:
#   - {name: renamed workers, flag: rename_workers, jobs: log/jobs-*.jsonl, max_ratio: 2.0,
min_jobs: 50}
"""


@click.command(context_settings=SETTINGS)
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
def init(*, folder: Path) -> Outcome:
    """Make a project ready: `flagstaff.yml` and a folder for definitions."""
    settings = folder / SETTINGS_FILE
    if settings.exists():
        raise Conflict(f"{settings} is there already", hint="check it with: flagstaff lint")
    flags = folder / "config" / "feature_flags"
    flags.mkdir(parents=True, exist_ok=True)
    settings.write_text(TEMPLATE)
    return Outcome(
        text=f"wrote {settings}\nput definitions of flags under {flags}/TYPE/NAME.yml",
        data={"settings": str(settings), "flags": str(flags)},
        next="flagstaff server",
    )


@click.command(context_settings=SETTINGS)
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def lint(common: Common, *, folder: Path) -> int:
    """Check `flagstaff.yml` and every definition, and say all that is wrong at once."""
    problems, warnings = check_project(folder)
    if common.json:
        output.say_json(
            {
                "ok": not problems,
                "errors": [_json(each) for each in problems],
                "warnings": [_json(each) for each in warnings],
            }
        )
    else:
        for each in problems:
            output.say(f"{output.coloured('error', output.RED)} {each}")
        for each in warnings:
            output.say(f"{output.coloured('warning', output.YELLOW)} {each}")
        output.remark(f"{len(problems)} errors, {len(warnings)} warnings")
    return 1 if problems else 0


def _json(problem: Problem) -> dict[str, str | int]:
    return {
        "file": problem.file,
        "line": problem.line,
        "what": problem.what,
        "remedy": problem.remedy,
    }
