"""What does `flagstaff.yml` say?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import SHAPES, MappingNode, read_nodes
from flagstaff.definitions.percentage import parse_hold_back, parse_percentage
from flagstaff.definitions.problems import Problems, bare, printable, quote, suggestion
from flagstaff.definitions.project import SETTINGS_FILE, Project, RampSettings
from flagstaff.definitions.project_brokers import read_brokers
from flagstaff.definitions.project_commands import read_commands, read_private_hosts
from flagstaff.definitions.project_forges import read_forges
from flagstaff.definitions.project_guards import read_guards, read_statistics
from flagstaff.definitions.project_jobs import read_renames
from flagstaff.definitions.project_lifecycle import read_lifecycle
from flagstaff.definitions.project_on_call import read_on_call
from flagstaff.definitions.project_plans import read_plan_settings
from flagstaff.definitions.project_policies import read_policies
from flagstaff.definitions.project_side_effects import read_side_effects
from flagstaff.definitions.project_sources import read_sources
from flagstaff.definitions.source import read_file
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_KEYS: Final = (
    "flags",
    "environments",
    "main_branch",
    "ramp",
    "verification_term",
    "placeholders",
    "channels",
    "notify",
    "renames",
    "guards",
    "sources",
    "statistics",
    "changelog",
    "deployment_environments",
    "policies",
    "lifecycle",
    "plans",
    "commands",
    "private_hosts",
    "expiry",
    "forges",
    "side_effects",
    "on_call",
    "brokers",
)
PRODUCTION: Final = "production"
_ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")


def load_project(root: Path) -> Project:
    """Return the settings in `root`'s `flagstaff.yml`, or the defaults where there is none.

    Raises:
        DefinitionError: With every problem of the file.
    """
    project, problems = check_project(root)
    problems.raise_errors()
    return project


def check_project(root: Path, *, shown_from: Path | None = None) -> tuple[Project, Problems]:
    """Return the settings, with defaults in the place of whatever is wrong, and what is wrong.

    Messages name the file as seen from `shown_from`.
    """
    path = root / SETTINGS_FILE
    problems = Problems(printable(path.relative_to(shown_from) if shown_from else path))
    if not path.exists() and not path.is_symlink():
        if path.with_suffix(".yaml").exists():
            problems.error(
                "is not there, but flagstaff.yaml is", remedy=f"rename it to {SETTINGS_FILE}"
            )
        return Project(), problems
    data = read_file(path, problems)
    node = None if data is None else read_nodes(data, problems)
    if isinstance(node, MappingNode):
        return _project(Fields(node, problems)), problems
    if node is not None:
        problems.error(
            f"is {SHAPES[type(node)]}, not a mapping",
            line=node.line,
            remedy="write `key: value` lines, such as `main_branch: main`",
        )
    elif not problems.errors:
        problems.warn("is empty, so the defaults hold", remedy="delete it, or write settings")
    return Project(), problems


def _project(fields: Fields) -> Project:
    default = Project()
    fields.unknown(_KEYS, fields.problems.error)
    environments = _environments(fields) or default.environments
    term = fields.parsed("verification_term", parse_duration)
    renames, sources = read_renames(fields), read_sources(fields)
    expiry = fields.parsed("expiry", parse_duration)
    return Project(
        flags=fields.text("flags") or default.flags,
        environments=environments,
        main_branch=fields.text("main_branch") or default.main_branch,
        ramp=_ramp(fields, default.ramp, term),
        verification_term=default.verification_term if term is None else term,
        placeholders=MappingProxyType(fields.texts("placeholders") or {}),
        channels=MappingProxyType(fields.texts("channels") or {}),
        webhook=_webhook(fields),
        renames=renames,
        guards=read_guards(fields, {rename.flag for rename in renames}, sources),
        sources=sources,
        statistics=read_statistics(fields),
        changelog=fields.text("changelog") or default.changelog,
        stages=MappingProxyType(_stages(fields, environments, dict(default.stages))),
        lifecycle=read_lifecycle(fields),
        plans=read_plan_settings(fields),
        commands=MappingProxyType(read_commands(fields)),
        private_hosts=read_private_hosts(fields),
        expiry=default.expiry if expiry is None else expiry,
        policies=read_policies(fields, environments),
        forges=read_forges(fields),
        side_effects=read_side_effects(fields, environments),
        on_call=read_on_call(fields),
        brokers=read_brokers(fields),
    )


def _environments(fields: Fields) -> tuple[str, ...] | None:
    names = fields.parsed_list("environments", _environment)
    twice = sorted({name for name in names or () if (names or ()).count(name) > 1})
    if twice:
        fields.problems.error(
            "`environments` has twice: " + ", ".join(twice),
            line=fields.line("environments"),
            remedy="keep each of them once, where its turn is",
        )
    if names is not None and PRODUCTION not in names:
        fields.problems.error(
            f"`environments` lacks {PRODUCTION}, which guards and policies look for by this name",
            line=fields.line("environments"),
            remedy=f"call the environment of your users {PRODUCTION}",
        )
    return names


def _environment(text: str) -> str:
    if _ENVIRONMENT.fullmatch(text):
        return text
    raise UsageError(
        f"{quote(text)} is no name of an environment",
        hint="write letters and digits, with single `-`, `_` or `.` between",
    )


def _ramp(fields: Fields, default: RampSettings, term: timedelta | None) -> RampSettings:
    ramp = fields.mapping("ramp")
    if ramp is None:
        return default if term is None else replace(default, term=term)
    ramp.unknown(("percentages", "dwell", "hold_back"), fields.problems.error)
    percentages = ramp.parsed_list("percentages", parse_percentage)
    dwell = ramp.parsed("dwell", parse_duration)
    if percentages is not None:
        _check_rising(ramp, percentages)
    return RampSettings(
        percentages=default.percentages if percentages is None else percentages,
        dwell=default.dwell if dwell is None else dwell,
        hold_back=ramp.parsed("hold_back", parse_hold_back),
        term=default.term if term is None else term,
    )


def _check_rising(ramp: Fields, percentages: tuple[Decimal, ...]) -> None:
    for before, after in pairwise(percentages):
        if after <= before:
            ramp.problems.error(
                f"`ramp.percentages` does not rise from {before} to {after}",
                line=ramp.line("percentages"),
                remedy="write each percentage once, the smallest first",
            )


def _webhook(fields: Fields) -> str | None:
    notify = fields.mapping("notify")
    if notify is None:
        return None
    notify.unknown(("webhook",), fields.problems.error)
    return notify.parsed("webhook", _web_address)


def _web_address(text: str) -> str:
    if is_web_address(text):
        return text
    # The text itself stays out of the message: a webhook's address is a secret.
    raise UsageError(
        "this is no web address", hint="write one that starts with http:// or https://"
    )


def _stages(
    fields: Fields, environments: tuple[str, ...], default: dict[str, str]
) -> dict[str, str]:
    stages = fields.texts("deployment_environments")
    if stages is None:
        return {stage: main for stage, main in default.items() if main in environments}
    for stage, main in stages.items():
        label = f"`deployment_environments.{bare(stage)}`"
        line = fields.line("deployment_environments")
        if main not in environments:
            fields.problems.error(
                f"{label} is {quote(main)}, which is no environment",
                line=line,
                remedy=suggestion(main, environments),
            )
        if stage in environments:
            fields.problems.error(
                f"{label} is an environment of its own",
                line=line,
                remedy="keep it here or in `environments`, not in both",
            )
    return stages
