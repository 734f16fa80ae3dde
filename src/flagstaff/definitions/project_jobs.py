"""Which background jobs have two names, and who watches them?"""

from __future__ import annotations

import re
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.flag_types import WORKER, is_flag_name
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.project import (
    DEFAULT_MAX_RATIO,
    DEFAULT_MIN_JOBS,
    JobGuard,
    JobRename,
)
from flagstaff.errors import UsageError

_RENAME_KEYS: Final = ("flag", "old", "new", "old_queue", "new_queue")
_GUARD_KEYS: Final = ("name", "flag", "jobs", "max_ratio", "min_jobs")
_MAX_RATIO: Final = 1000


def read_renames(project: Fields) -> tuple[JobRename, ...]:
    """Return the entries under `renames` that are in order, and note what is wrong with others."""
    renames: dict[str, JobRename] = {}
    for fields in project.mappings("renames"):
        fields.unknown(_RENAME_KEYS, fields.problems.error)
        rename = JobRename(
            flag=_flag(fields),
            old=fields.required("old"),
            new=fields.required("new"),
            old_queue=fields.text("old_queue"),
            new_queue=fields.text("new_queue"),
        )
        _check_rename(fields, rename)
        if not (rename.flag and rename.old and rename.new):
            continue
        if rename.old in renames:
            fields.problems.error(
                f"the job {quote(rename.old)} is renamed twice",
                line=fields.line("old"),
                remedy="keep one of the two entries",
            )
        renames.setdefault(rename.old, rename)
    return tuple(renames.values())


def _check_rename(fields: Fields, rename: JobRename) -> None:
    if rename.old and rename.old == rename.new:
        fields.problems.error(
            f"the job {quote(rename.old)} has the same name before and after",
            line=fields.line("new"),
            remedy="write the other name under `new`",
        )
    given = [key for key in ("old_queue", "new_queue") if fields.has(key)]
    if len(given) == 1:
        other = "new_queue" if given == ["old_queue"] else "old_queue"
        fields.problems.error(
            f"{fields.label(given[0])} is given, but not `{other}`",
            line=fields.line(given[0]),
            remedy="write both queues, or neither if the job stays in its queue",
        )


def read_guards(project: Fields, renaming: set[str]) -> tuple[JobGuard, ...]:
    """Return the entries under `guards`; each must watch a flag that is one of `renaming`."""
    guards: dict[str, JobGuard] = {}
    for fields in project.mappings("guards"):
        fields.unknown(_GUARD_KEYS, fields.problems.error)
        guard = JobGuard(
            name=fields.required("name"),
            flag=_flag(fields),
            jobs=_jobs(fields),
            max_ratio=fields.parsed("max_ratio", _ratio) or DEFAULT_MAX_RATIO,
            min_jobs=fields.parsed("min_jobs", _count) or DEFAULT_MIN_JOBS,
        )
        if guard.flag and guard.flag not in renaming:
            fields.problems.error(
                f"{fields.label('flag')} is {quote(guard.flag)}, which renames no job",
                line=fields.line("flag"),
                remedy=suggestion(guard.flag, sorted(renaming))
                if renaming
                else "add the job's names under `renames`",
            )
        if guard.name in guards:
            fields.problems.error(
                f"has two guards named {quote(guard.name)}",
                line=fields.line("name"),
                remedy="give each a name of its own",
            )
        guards.setdefault(guard.name, guard)
    return tuple(guard for name, guard in guards.items() if name)


def _flag(fields: Fields) -> str:
    name = fields.required("flag")
    if name and not is_flag_name(name, type_name=WORKER):
        fields.problems.error(
            f"{fields.label('flag')} is {quote(name)}, which is no name of a flag",
            line=fields.line("flag"),
            remedy="write letters and digits, with single underscores between",
        )
        return ""
    return name


def _jobs(fields: Fields) -> tuple[str, ...]:
    if not fields.has("jobs"):
        fields.required("jobs", remedy="add the logs to read, such as `jobs: log/jobs-*.jsonl`")
    return fields.parsed_list("jobs", str) or ()


def _ratio(text: str) -> float:
    number = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else 0.0
    if 1 < number <= _MAX_RATIO:
        return number
    raise UsageError(
        f"{quote(text)} is no number above 1 and up to {_MAX_RATIO}",
        hint="write how many times the old failure rate is still accepted, such as 2.0",
    )


def _count(text: str) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if number > 0:
        return number
    raise UsageError(f"{quote(text)} is no number of jobs", hint="write a whole number above 0")
