"""Which policies are there, and which of them hold in this project?"""

from __future__ import annotations

from typing import Final

from flagstaff.definitions import Project
from flagstaff.services.policies.actorless import Actorless
from flagstaff.services.policies.change import Policy
from flagstaff.services.policies.consistency import Consistency
from flagstaff.services.policies.deployed_code import DeployedCode
from flagstaff.services.policies.dwell import Dwell
from flagstaff.services.policies.environment_channel import EnvironmentChannel
from flagstaff.services.policies.four_eyes import FourEyes
from flagstaff.services.policies.freeze import ChangeLock
from flagstaff.services.policies.health import ProductionHealth
from flagstaff.services.policies.production_channel import ProductionChannel
from flagstaff.services.policies.step_size import StepSize
from flagstaff.services.policies.time_share import TimeShare

POLICIES: Final = (
    Consistency,
    ProductionChannel,
    EnvironmentChannel,
    ChangeLock,
    ProductionHealth,
    DeployedCode,
    Dwell,
    StepSize,
    TimeShare,
    Actorless,
    FourEyes,
)
"""All of them, in the order in which they are asked."""


def policies_of(project: Project) -> tuple[Policy, ...]:
    """Return the policies about changes that this project has."""
    chosen = project.policies
    channel = project.channels.get("production", "")
    rules: tuple[tuple[bool, Policy], ...] = (
        (chosen.consistency, Consistency()),
        (chosen.production_channel, ProductionChannel(channel=channel)),
        (
            bool(chosen.environment_channels),
            EnvironmentChannel(channels=chosen.environment_channels),
        ),
        (True, ChangeLock(windows=(*chosen.freeze, *chosen.quiet_hours))),
        (True, ProductionHealth(asked=chosen.health is not None)),
        (chosen.require_deployed, DeployedCode()),
        (bool(chosen.min_dwell), Dwell(least=chosen.min_dwell)),
        (True, StepSize(most=chosen.max_step)),
        (not chosen.allow_random, TimeShare()),
        (not chosen.allow_actorless, Actorless()),
    )
    return tuple(policy for holds, policy in rules if holds)
