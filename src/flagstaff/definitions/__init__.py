"""How are flags and a project's settings written in YAML?"""

from flagstaff.definitions.commands import ProjectCommand
from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.flag import Definition, parse_definition
from flagstaff.definitions.flag_types import FLAG_TYPES, FlagType, is_flag_name
from flagstaff.definitions.folder import Definitions, load_definitions
from flagstaff.definitions.lint import lint, lint_to_serve
from flagstaff.definitions.percentage import parse_percentage
from flagstaff.definitions.policies import Freeze, HealthCheck, Policies
from flagstaff.definitions.project import (
    SETTINGS_FILE,
    JobGuard,
    JobRename,
    Project,
    RampSettings,
)
from flagstaff.definitions.project_file import load_project
from flagstaff.definitions.project_policies import parse_moment

__all__ = [
    "FLAG_TYPES",
    "SETTINGS_FILE",
    "Definition",
    "Definitions",
    "FlagType",
    "Freeze",
    "HealthCheck",
    "JobGuard",
    "JobRename",
    "Policies",
    "Project",
    "ProjectCommand",
    "RampSettings",
    "format_duration",
    "is_flag_name",
    "lint",
    "lint_to_serve",
    "load_definitions",
    "load_project",
    "parse_definition",
    "parse_duration",
    "parse_moment",
    "parse_percentage",
]
