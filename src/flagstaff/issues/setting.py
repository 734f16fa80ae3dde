"""What is known about the rollout while its issue is read?"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from flagstaff.definitions.problems import nearest
from flagstaff.definitions.project import Project
from flagstaff.errors import Problem
from flagstaff.issues.placeholders import Answers

PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The project, the flag and the answers; problems are noted in `problems`.

    `choices` says which way to take, by the line of the box or for every box that offers it.
    """

    source: str
    flag: str
    owner: str
    project: Project
    answers: Answers
    known_flags: Container[str]
    announce_to: tuple[str, ...]
    dwell: timedelta
    choices: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, line: int, what: str, remedy: str = "") -> None:
        """Note a problem; the same one in the same place only once."""
        found = Problem(file=self.source, line=line, what=what, remedy=remedy)
        if found not in self.problems:
            self.problems.append(found)

    @property
    def renamed(self) -> bool:
        """Return whether the flag chooses between two names of a job."""
        return any(rename.flag == self.flag for rename in self.project.renames)

    @property
    def testing(self) -> tuple[str, ...]:
        """Return the project's environments other than production."""
        return tuple(name for name in self.project.environments if name != PRODUCTION)


def near_flag(name: str, known_flags: Container[str]) -> str:
    """Return the known flag that was probably meant by `name`, or an empty text."""
    return nearest(name, known_flags) if isinstance(known_flags, Iterable) else ""


def unknown_flag_remedy(name: str, known_flags: Container[str]) -> str:
    """Return what to do about a flag without definition."""
    if near := near_flag(name, known_flags):
        return f"did you mean `{near}`?"
    return f"define it first: a file `{name}.yml` among the definitions"
