"""What has a project settled about its rollouts, for all flags alike?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.commands import ProjectCommand
from flagstaff.definitions.forges import Forge
from flagstaff.definitions.lifecycle import Lifecycle
from flagstaff.definitions.on_call import OnCall
from flagstaff.definitions.policies import Policies
from flagstaff.definitions.side_effects import SideEffects
from flagstaff.definitions.sources import MetricSource
from flagstaff.flags.percentage import HUNDRED
from flagstaff.rollouts.evidence.standing import Response
from flagstaff.rollouts.guard import Counting
from flagstaff.rollouts.plan import Statistics
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rules import EXPIRY

SETTINGS_FILE: Final = "flagstaff.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class RampSettings:
    """What `<rollout-percentage>` in an issue becomes.

    Attributes:
        percentages: Strictly rising, each above 0 and below 100, at most three decimals.
        dwell: The least time at each percentage.
        hold_back: For how many in 100 the flag stays off for the verification term, before it is
            on for everyone; None for no such stage. Guards have nobody to compare with after it.
        term: The verification term, for which that stage lasts.
    """

    percentages: tuple[Decimal, ...] = tuple(Decimal(number) for number in (1, 10, 25, 50, 75))
    dwell: timedelta = timedelta(minutes=15)
    hold_back: Decimal | None = None
    term: timedelta = timedelta(days=1)

    def rungs(self, dwell: timedelta) -> tuple[tuple[Decimal, timedelta], ...]:
        """Return each percentage with the least time at it, which is `dwell` at the usual ones."""
        found = [(share, dwell) for share in self.percentages]
        if self.hold_back is None:
            return tuple(found)
        at = HUNDRED - self.hold_back
        narrower = [each for each in found if each[0] < at]
        wider = [each for each in found if each[0] > at]
        return (*narrower, (at, max(self.term, dwell)), *wider)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """Where plans are, and which template a flag's plan begins with.

    Attributes:
        folder: From the project's root; templates are in `templates` in it.
        by_type: Names of templates by the type of the flag.
        by_group: Names of templates by the group of the flag; these count more.
    """

    folder: str = "plans"
    by_type: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    by_group: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRename:
    """A background job that exists under two names while a flag decides which one is used.

    The queues are given where the job moves from one to another as well, both or neither.
    """

    flag: str
    old: str
    new: str
    old_queue: str | None = None
    new_queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGuard:
    """A watch on renamed jobs, or on a metric: neither may fail out of proportion with a flag on.

    What the fields mean is said at `rollouts.guard.Guard`, which has the same.

    Attributes:
        flag: The flag that is watched; its renames, for a guard on jobs.
        jobs: Patterns of the log files, from the project's root, one JSON object per line.
        query: What is asked of a metric source instead.
    """

    name: str
    flag: str
    jobs: tuple[str, ...]
    harm_ratio: float = 1.1
    safe_below: float = 0.01
    harm_above: float = 0.5
    against_baseline: bool = False
    min_bad: int = 5
    min_excess: float = 0.0005
    weight: float = 1.0
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.ROLLBACK
    max_time: timedelta | None = None
    on_inconclusive: Response = Response.HOLD
    query: Query | None = None
    counts: str = "jobs"
    on_no_data: Response = Response.HOLD
    split: bool = False
    slower_than: float = 0.0
    unit: Counting = Counting.CALLS
    ranked: bool = False


def _frozen(**items: str) -> Mapping[str, str]:
    return MappingProxyType(items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The settings in `flagstaff.yml`; every one has a default.

    Attributes:
        flags: The folder of definitions, from the project's root.
        environments: In the order in which a command for several is executed.
        verification_term: How long to wait when an issue gives the term no length.
        placeholders: Answers to `<…>` in rollout issues.
        channels: Chat channels by what they are for, such as `production`, `team`, `support`.
        webhook: Where announcements are posted as JSON; None for nowhere.
        changelog: A file, or a folder of news fragments, from the project's root.
        stages: Stages that are only deployed to, and the environment whose flags they see.
        sources: Where guards read metrics, by name.
        statistics: How often guards may be wrong, and how often they look.
        policies: When flags may change.
        lifecycle: How long flags may live.
        plans: Where plans are, and their templates.
        commands: Programs that rollouts may run, by the names that plans and issues use.
        private_hosts: Hosts that checks may ask although their addresses are not public.
        expiry: After how long without progress a rollout expires; zero for never.
        forges: Where issues are kept beside files.
        side_effects: Who outside is told of each change of a flag.
        on_call: Where it stands who is on call; None where nowhere.
        brokers: Where background jobs wait, by the names that plans use.
    """

    flags: str = "config/feature_flags"
    environments: tuple[str, ...] = ("dev", "staging", "staging-ref", "ops", "pre", "production")
    main_branch: str = "main"
    ramp: RampSettings = field(default_factory=RampSettings)
    verification_term: timedelta = timedelta(days=1)
    placeholders: Mapping[str, str] = field(default_factory=_frozen)
    channels: Mapping[str, str] = field(default_factory=_frozen)
    webhook: str | None = None
    renames: tuple[JobRename, ...] = ()
    guards: tuple[JobGuard, ...] = ()
    sources: Mapping[str, MetricSource] = field(default_factory=lambda: MappingProxyType({}))
    statistics: Statistics = field(default_factory=Statistics)
    changelog: str = "CHANGELOG.md"
    stages: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType(
            {"staging-canary": "staging", "canary": "production"}
        )
    )
    policies: Policies = field(default_factory=Policies)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    plans: PlanSettings = field(default_factory=PlanSettings)
    commands: Mapping[str, ProjectCommand] = field(default_factory=lambda: MappingProxyType({}))
    private_hosts: tuple[str, ...] = ()
    expiry: timedelta = EXPIRY
    forges: tuple[Forge, ...] = ()
    side_effects: SideEffects = field(default_factory=SideEffects)
    on_call: OnCall | None = None
    brokers: Mapping[str, Broker] = field(default_factory=lambda: MappingProxyType({}))
