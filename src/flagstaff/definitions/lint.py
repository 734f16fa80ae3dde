"""What is wrong with a project's settings, definitions and plans, taken together?"""

from __future__ import annotations

from pathlib import Path

from flagstaff.definitions.folder import Definitions, check_folder
from flagstaff.definitions.plans.checking import check_plans
from flagstaff.definitions.problems import Problems, printable, quote
from flagstaff.definitions.project import Project
from flagstaff.definitions.project_file import check_project
from flagstaff.errors import Problem

Found = tuple[tuple[Problem, ...], tuple[Problem, ...]]
"""Errors, and warnings."""


def lint(root: Path) -> Found:
    """Return the errors and the warnings of `flagstaff.yml`, all definitions and all plans.

    Files are named as seen from `root`. Nothing is raised for what a file says.
    """
    errors, warnings, plans = _found(root)
    return errors + plans, warnings


def lint_to_serve(root: Path) -> Found:
    """Return the same, but what is wrong with plans is a warning.

    A rollout runs by the plan it was made of; files of other plans are no reason to let it stand.
    """
    errors, warnings, plans = _found(root)
    return errors, warnings + plans


def _found(root: Path) -> tuple[tuple[Problem, ...], tuple[Problem, ...], tuple[Problem, ...]]:
    """Return errors, warnings, and the errors of plans."""
    if not root.is_dir():
        return (Problem(file=printable(root), what="is not a folder"),), (), ()
    project, problems = check_project(root, shown_from=root)
    definitions, errors = check_folder(root / project.flags, root=root)
    if errors or problems.errors:
        # Plans would complain of it a second time.
        return problems.errors + errors, problems.warnings + definitions.warnings, ()
    _check_renames(project, definitions, problems)
    broken, warnings = check_plans(root, project, definitions)
    return (), problems.warnings + definitions.warnings + warnings, broken


def _check_renames(project: Project, definitions: Definitions, problems: Problems) -> None:
    flags = dict.fromkeys(rename.flag for rename in project.renames)
    for flag in flags:
        if flag not in definitions:
            near = definitions.near(flag)
            problems.warn(
                f"jobs are renamed by the flag {quote(flag)}, which is not defined",
                remedy=f"did you mean `{near[0]}`?" if near else "define it, or drop the renames",
            )
