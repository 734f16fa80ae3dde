"""What will the guards of a rollout be able to tell, before it begins?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from flagstaff.cli.options import Common
from flagstaff.cli.rollout_files import answers_in, text_of
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.rollouts.guard import Arm


@click.group(cls=Tree, context_settings=SETTINGS)
def plan() -> None:
    """See what a rollout will do, before it begins."""


@plan.command(context_settings=SETTINGS)
@click.argument("issue", metavar="ISSUE.md")
@click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)
@click.pass_obj
def check(common: Common, *, issue: str, answers: tuple[str, ...]) -> Outcome:
    """Say what the guards of the issue's rollout can tell at the traffic in the logs.

    Reads `flagstaff.yml` and the job logs of the last day in this folder; no server is asked.
    """
    # Loads YAML and the importer, which help does not need.
    from flagstaff.definitions import load_project  # noqa: PLC0415
    from flagstaff.definitions.folder import load_definitions  # noqa: PLC0415
    from flagstaff.integrations.metrics.job_logs import BASELINE, JobLogs  # noqa: PLC0415
    from flagstaff.issues import import_issue  # noqa: PLC0415
    from flagstaff.rollouts.forecast import forecasts  # noqa: PLC0415

    del common
    root = Path()
    project = load_project(root)
    imported = import_issue(
        text_of(issue),
        project=project,
        known_flags=load_definitions(root / project.flags),
        resolve={"merge-commit-of-your-feature": "0" * 40, **answers_in(answers)},
        source=Path(issue).name,
    )
    lines, warnings = [], []
    for guard in imported.plan.guards:
        if guard.query is not None:
            lines.append(f"{guard.name}: asks {guard.query.source}, which is not asked before")
            continue
        measured = JobLogs(root, guard, datetime.now(UTC)).measure()
        lines.append(f"{guard.name}: {measured.error or _traffic(measured.baseline)}")
        for each in forecasts(imported.plan, guard, measured.baseline, BASELINE):
            lines.append(f"  {each.text}")
            warnings += [each.warning] if each.warning else []
    if not imported.plan.guards:
        warnings.append("no guard watches this rollout")
    text = "\n".join([*lines, *(f"warning: {each}" for each in warnings)])
    return Outcome(ok=not warnings, text=text, data={"stages": [*lines], "warnings": [*warnings]})


def _traffic(arm: Arm) -> str:
    return f"{arm.failed:,} of {arm.total:,} jobs under the old names failed in the last day"
