"""What is wrong with a project's settings, definitions and plans, taken together?"""

from __future__ import annotations

from pathlib import Path

from flagstaff.definitions.folder import Definitions, check_folder
from flagstaff.definitions.plans.checking import check_plans
from flagstaff.definitions.problems import Problems, printable, quote
from flagstaff.definitions.project import Project
from flagstaff.definitions.project_file import check_project
from flagstaff.errors import Problem


def lint(root: Path) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return the errors and the warnings of `flagstaff.yml`, all definitions and all plans.

    Files are named as seen from `root`. Nothing is raised for what a file says.
    """
    if not root.is_dir():
        return (Problem(file=printable(root), what="is not a folder"),), ()
    project, problems = check_project(root, shown_from=root)
    definitions, errors = check_folder(root / project.flags, root=root)
    if errors or problems.errors:
        # Plans would complain of it a second time.
        return problems.errors + errors, problems.warnings + definitions.warnings
    _check_renames(project, definitions, problems)
    errors, warnings = check_plans(root, project, definitions)
    return errors, problems.warnings + definitions.warnings + warnings


def _check_renames(project: Project, definitions: Definitions, problems: Problems) -> None:
    flags = dict.fromkeys(rename.flag for rename in project.renames)
    for flag in flags:
        if flag not in definitions:
            near = definitions.near(flag)
            problems.warn(
                f"jobs are renamed by the flag {quote(flag)}, which is not defined",
                remedy=f"did you mean `{near[0]}`?" if near else "define it, or drop the renames",
            )
