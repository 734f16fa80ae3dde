"""Where are a project's plans, and which templates do they begin with?"""

from __future__ import annotations

from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.project import PlanSettings

_KEYS: Final = ("folder", "by_type", "by_group")


def read_plan_settings(project: Fields) -> PlanSettings:
    """Return what is written under `plans`, with the defaults for the rest."""
    default = PlanSettings()
    fields = project.mapping("plans")
    if fields is None:
        return default
    fields.unknown(_KEYS, fields.problems.error)
    folder = fields.text("folder") or default.folder
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts:
        fields.problems.error(
            f"{fields.label('folder')} is {quote(folder)}, which is outside the project",
            line=fields.line("folder"),
            remedy="write a folder of the project, such as `plans`",
        )
        folder = default.folder
    by_type = fields.texts("by_type") or {}
    for name in by_type:
        if name not in FLAG_TYPES:
            fields.problems.error(
                f"{fields.label('by_type')} names {quote(name)}, which is no type of flags",
                line=fields.line("by_type"),
                remedy=suggestion(name, FLAG_TYPES),
            )
    return PlanSettings(
        folder=folder,
        by_type=MappingProxyType(by_type),
        by_group=MappingProxyType(fields.texts("by_group") or {}),
    )
