"""How is a project made ready?"""

from __future__ import annotations

from pathlib import Path

import click

from flagstaff.cli.options import Common
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Conflict, FlagstaffError, Refused

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
plans: {folder: plans}

# Answers to other `<…>` in rollout issues.
# placeholders:
#   milestone: "15.2"

# Where announcements go: channels by what they are for, and an incoming webhook.
# channels: {production: "#production", team: "#our-team"}
# notify:
#   webhook: https://chat.example.com/hooks/our-team

# Background jobs that exist under two names while a flag decides, and what must hold meanwhile.
# renames:
#   - {flag: rename_workers, old: old_name, new: new_name, old_queue: old, new_queue: new}
# guards:
#   - name: renamed workers
#     flag: rename_workers
#     jobs: log/jobs-*.jsonl
#     safe_below: 0.01
"""

EXAMPLE = """\
name: new_navigation
type: ops
group: group::navigation
introduced_by_url: https://gitlab.com/acme/shop/-/merge_requests/7
milestone: "15.2"
default_enabled: false
"""


@click.command(context_settings=SETTINGS)
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def init(common: Common, *, folder: Path) -> Outcome:
    """Make a project ready: `flagstaff.yml` and a folder for definitions."""
    from flagstaff.definitions import SETTINGS_FILE  # noqa: PLC0415 loads YAML, which help does not

    settings = folder / SETTINGS_FILE
    if settings.exists():
        raise Conflict(f"{settings} is there already", hint="check it with: flagstaff lint")
    flags = folder / "config" / "feature_flags"
    if not common.dry_run:
        _write(settings, flags)
    verb = "would write" if common.dry_run else "wrote"
    example = "\n".join(f"  {line}" for line in EXAMPLE.splitlines())
    return Outcome(
        text=f"{verb} {settings}\n\n"
        f"define a flag in {flags}/TYPE/NAME.yml, such as {flags}/ops/new_navigation.yml:\n"
        f"{example}",
        data={"settings": str(settings), "flags": str(flags), "written": not common.dry_run},
        next="flagstaff lint, and then: flagstaff server",
    )


def _write(settings: Path, flags: Path) -> None:
    try:
        flags.mkdir(parents=True, exist_ok=True)
        branch = _main_branch(settings.parent)
        text = TEMPLATE.replace("main_branch: main", f"main_branch: {branch}")
        settings.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise Refused(
            f"{exc.filename} cannot be written: {(exc.strerror or '').lower()}",
            hint="name a folder that is yours: flagstaff init FOLDER",
        ) from exc


def _main_branch(folder: Path) -> str:
    from flagstaff.cleanup.git import Git  # noqa: PLC0415 which help does not need

    try:
        return Git.at(folder).main_branch() or "main"
    except FlagstaffError:
        return "main"
