"""What is known while a plan is read?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstaff.definitions.flag import Definition
from flagstaff.definitions.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The project that a plan is read for.

    Attributes:
        root: the project's folder, in which templates are looked for.
        known_flags: the flags that have a definition.
        flag: the flag that is asked for, empty when the plan says it.
        answers: values of parameters; they count more than what files say.
        offers: values of parameters that nothing else says.
        running: whether the flag has a rollout already, and may be cleaned up.
    """

    root: Path
    project: Project
    known_flags: Mapping[str, Definition]
    flag: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, str] = field(default_factory=dict)
    running: bool = False
