"""Which plan is meant by a word: a file of YAML, an issue, or a template?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flagstaff.cli.rollout_files import text_of

if TYPE_CHECKING:
    from flagstaff.definitions.plans import Surroundings
    from flagstaff.rollouts.plan import Plan

SUFFIXES = (".yml", ".yaml")
UNKNOWN_COMMIT = "0" * 40
MERGE_COMMIT = "merge-commit-of-your-feature"


def is_yaml(word: str) -> bool:
    """Return whether the word names a file of YAML."""
    return word.endswith(SUFFIXES)


def project_here(*, flag: str = "", answers: dict[str, str] | None = None) -> Surroundings:
    """Return the project of this folder, as plans are read for it.

    Raises:
        DefinitionError: its settings or definitions are wrong.
    """
    # Loads YAML, which help does not need.
    from flagstaff.definitions import load_project  # noqa: PLC0415
    from flagstaff.definitions.folder import load_definitions  # noqa: PLC0415
    from flagstaff.definitions.plans import Surroundings  # noqa: PLC0415

    root = Path()
    project = load_project(root)
    return Surroundings(
        root=root,
        project=project,
        known_flags=load_definitions(root / project.flags),
        flag=flag,
        answers=answers or {},
        offers={MERGE_COMMIT: UNKNOWN_COMMIT},
    )


def plan_in(word: str, answers: dict[str, str]) -> Plan:
    """Return the plan of a file: YAML, or an issue.

    Raises:
        FlagstaffError: with everything that is wrong with it.
    """
    from flagstaff.definitions.plans import read_plan  # noqa: PLC0415 loads YAML
    from flagstaff.issues import import_issue  # noqa: PLC0415
    from flagstaff.issues.asked import check_answers  # noqa: PLC0415

    text = text_of(word)
    if is_yaml(word):
        return read_plan(text, project_here(answers=answers), source=word).plan
    check_answers(text, answers)
    around = project_here()
    imported = import_issue(
        text,
        project=around.project,
        known_flags=around.known_flags,
        resolve={**around.offers, **answers},
        source=Path(word).name,
    )
    return imported.plan
