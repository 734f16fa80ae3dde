"""Which background jobs have two names?"""

from __future__ import annotations

from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.flag_types import WORKER, is_flag_name
from flagstaff.definitions.problems import quote
from flagstaff.definitions.project import JobRename

_RENAME_KEYS: Final = ("flag", "old", "new", "old_queue", "new_queue")


def read_renames(project: Fields) -> tuple[JobRename, ...]:
    """Return the entries under `renames` that are in order, and note what is wrong with others."""
    renames: dict[str, JobRename] = {}
    for fields in project.mappings("renames"):
        fields.unknown(_RENAME_KEYS, fields.problems.error)
        rename = JobRename(
            flag=flag_of(fields),
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


def flag_of(fields: Fields) -> str:
    """Return the flag that an entry is about, or note what is wrong with it."""
    name = fields.required("flag")
    if name and not is_flag_name(name, type_name=WORKER):
        fields.problems.error(
            f"{fields.label('flag')} is {quote(name)}, which is no name of a flag",
            line=fields.line("flag"),
            remedy="write letters and digits, with single underscores between",
        )
        return ""
    return name
