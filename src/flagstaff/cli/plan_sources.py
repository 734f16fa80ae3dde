"""Which plan is meant by a word: a file of YAML, an issue, or a template?"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flagstaff.cli.rollout_files import text_of
from flagstaff.errors import Unavailable

if TYPE_CHECKING:
    from flagstaff.definitions.plans import Surroundings
    from flagstaff.rollouts.plan import Plan

SUFFIXES = (".yml", ".yaml")
UNKNOWN_COMMIT = "0" * 40
MERGE_COMMIT = "merge-commit-of-your-feature"
_FLAG = re.compile(r"^flag:[ \t]*[\"']?([a-z0-9_]+)", re.MULTILINE)


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
    from flagstaff.issues import flag_named_in, import_issue  # noqa: PLC0415
    from flagstaff.issues.asked import check_answers  # noqa: PLC0415

    text = text_of(word)
    around = project_here(answers=answers)
    if is_yaml(word):
        named = _FLAG.search(text)
        return read_plan(text, _with_history(around, named[1] if named else ""), source=word).plan
    check_answers(text, answers)
    around = _with_history(around, flag_named_in(text, around.known_flags))
    imported = import_issue(
        text,
        project=around.project,
        known_flags=around.known_flags,
        resolve={**around.offers, **answers},
        source=Path(word).name,
    )
    return imported.plan


def _with_history(around: Surroundings, flag: str) -> Surroundings:
    """Return the project with the commit that brought the flag, if git knows it here."""
    from flagstaff.integrations.forge.git import GitRepository  # noqa: PLC0415 as above

    with suppress(Unavailable):
        repository = GitRepository.around(around.root) if flag else None
        brought = repository and repository.introduction(f"{around.project.flags}/**/{flag}.y*ml")
        if brought:
            return replace(around, offers={MERGE_COMMIT: brought.sha})
    return around
