"""What is wrong with the plans that lie in a project's folder?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flagstaff.definitions.folder import Definitions
from flagstaff.definitions.plans.documents import UNSAID
from flagstaff.definitions.plans.reading import NO_FLAG, read_plan
from flagstaff.definitions.plans.setting import Surroundings
from flagstaff.definitions.plans.templates import SUFFIXES, template_names
from flagstaff.definitions.problems import Problems, printable, quote, suggestion
from flagstaff.definitions.project import Project
from flagstaff.definitions.source import read_file
from flagstaff.errors import DefinitionError, Problem


def check_plans(
    root: Path, project: Project, definitions: Definitions
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return the errors and the warnings of every plan, and of what settings say of templates.

    A value that a person gives when the rollout is created may be missing; that there is no such
    flag is a warning.
    """
    around = Surroundings(root=root, project=project, known_flags=definitions)
    errors, warnings = list(_unknown_templates(root, project)), list[Problem]()
    for path in sorted((root / project.plans.folder).glob("*")):
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        problems = Problems(printable(path.relative_to(root)))
        data = read_file(path, problems)
        errors += problems.errors
        if data is None:
            continue
        try:
            warnings += read_plan(data, around, source=problems.file).warnings
        except DefinitionError as exc:
            for each in exc.problems:
                if each.what.startswith(NO_FLAG):  # the flag of a plan that has run is gone
                    remedy = f"{each.remedy}; or delete the plan, if the flag is cleaned up"
                    warnings.append(replace(each, remedy=remedy))
                elif not each.what.startswith(UNSAID):
                    errors.append(each)
    return tuple(errors), tuple(warnings)


def _unknown_templates(root: Path, project: Project) -> tuple[Problem, ...]:
    names, problems = template_names(root, project), Problems("flagstaff.yml")
    for key, told in (("by_type", project.plans.by_type), ("by_group", project.plans.by_group)):
        for whose, name in told.items():
            if name not in names:
                problems.error(
                    f"`plans.{key}` gives {quote(whose)} the template {quote(name)}, "
                    "which does not exist",
                    remedy=suggestion(name, names),
                )
    return problems.errors
