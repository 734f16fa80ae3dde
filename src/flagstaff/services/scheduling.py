"""When will the steps of a rollout be taken, as the project's policies have it?"""

from __future__ import annotations

from flagstaff.definitions.plans.telling import windows_of
from flagstaff.rollouts.rollout import Rollout
from flagstaff.rollouts.schedule import Schedule, schedule
from flagstaff.services.unit import Unit


def schedule_of(unit: Unit, rollout: Rollout) -> Schedule:
    """Return when the steps of a rollout will be taken, from now on."""
    project = unit.context.project
    least = project.policies.min_dwell
    return schedule(rollout, unit.now, windows=windows_of(project), least=least)
