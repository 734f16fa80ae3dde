"""What would the removal of this flag change in the whole repository?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from flagstaff.cleanup.changelog import changelog_entry
from flagstaff.cleanup.changes import CleanupPlan, FileChange, OldJob, ReferenceKind
from flagstaff.cleanup.data.files import DataCleaner
from flagstaff.cleanup.declared import conventions_of
from flagstaff.cleanup.declared_jobs import Declared
from flagstaff.cleanup.definition import without_entries
from flagstaff.cleanup.documents import clean_documents
from flagstaff.cleanup.jobs import JobCleaner, decided
from flagstaff.cleanup.patterns import DEFAULT, Conventions
from flagstaff.cleanup.python_files import PythonCleaner
from flagstaff.cleanup.renames import losers
from flagstaff.cleanup.residues import residues
from flagstaff.cleanup.scripts.files import ScriptCleaner
from flagstaff.cleanup.template_files import clean_templates
from flagstaff.cleanup.tree import GitTree, Overlay, Tree
from flagstaff.errors import UsageError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CleanupRequest:
    """What to remove, and how.

    `keep` is the answer that stays. With `keep` the old names in `renames` go, else the new ones.
    `changelog` is a file, or a folder of fragments, relative to the repository; `title` its line.
    """

    flag: str
    keep: bool
    renames: tuple[OldJob, ...] = ()
    changelog: Path | None = None
    title: str = ""
    conventions: Conventions = DEFAULT


def plan_cleanup(  # noqa: PLR0913  each argument answers a question of its own
    root: Path,
    flag: str,
    *,
    keep: bool,
    renames: Sequence[OldJob] = (),
    changelog: Path | None = None,
    title: str = "",
    base: str = "HEAD",
    conventions: Conventions = DEFAULT,
) -> CleanupPlan:
    """Plan the removal of `flag` from the commit `base` of the repository at `root`.

    Only reads, and only what is committed: the work tree does not matter.

    Args:
        root: any folder of the repository.
        flag: the flag's name.
        keep: the answer that stays; the code for the other one goes.
        renames: background jobs with two names, of which the losing one goes.
        changelog: a file or a folder of fragments, relative to the repository's top.
        title: the line for the changelog; a plain one by default.
        base: a branch, tag or commit.
        conventions: how the project asks for flags and where it keeps them.

    Raises:
        NotFound: no such repository or base.
        UsageError: the flag has no name, or the changelog lies outside of the repository.
    """
    tree = GitTree.at(root, base)
    request = CleanupRequest(
        flag=flag,
        keep=keep,
        renames=tuple(renames),
        changelog=changelog,
        title=title,
        conventions=conventions,
    )
    return dataclasses.replace(plan_in(tree, request), base=tree.commit)


def plan_in(tree: Tree, request: CleanupRequest) -> CleanupPlan:
    """Plan the removal of a flag from the files of a tree."""
    _check(request)
    conventions = conventions_of(tree, request.conventions)
    request = dataclasses.replace(request, conventions=conventions)
    work = Overlay(tree)
    python = PythonCleaner(work, request.flag, request.conventions, keep=request.keep)
    python.clean()
    declared = decided(work, told := python.declared_jobs(), keep=request.keep)
    jobs = _jobs(request.renames, told, declared)
    names = dataclasses.replace(losers(request.flag, jobs, keep=request.keep), declared=declared)
    names = JobCleaner(work, python, names).clean()
    clean_templates(work, python.flag, keep=request.keep)
    scripts = ScriptCleaner(work, python.flag, request.conventions, keep=request.keep)
    scripts.clean()
    python.drop_constants()
    python.drop_setting()
    python.lay_out()
    _clean_yaml(work, request)
    data = DataCleaner(work, python.flag, request.conventions)
    data.clean()
    clean_documents(work, python.flag, data)
    if work.changed and request.changelog is not None:
        title = request.title or _title(request)
        work.write(*changelog_entry(tree, request.changelog, request.flag, title))
    lines = {
        ReferenceKind.VALUE: python.answers | scripts.answers,
        ReferenceKind.UNPINNED: python.unpinned,
    }
    return CleanupPlan(
        flag=request.flag,
        keep=request.keep,
        changes=tuple(
            FileChange(path=path, before=tree.read(path), after=after)
            for path, after in sorted(work.changed.items())
        ),
        jobs=jobs,
        residues=residues(work, request.flag, names, (request.conventions, lines, python.doubles)),
    )


def _jobs(
    renames: Sequence[OldJob], told: Iterable[OldJob], declared: Sequence[Declared]
) -> tuple[OldJob, ...]:
    """Return the jobs of which a name goes: of those in settings, and of those in the code."""
    jobs = {(job.old, job.new): job for job in (*renames, *(each.job for each in declared))}
    left = {(job.old, job.new) for job in told} - {(d.job.old, d.job.new) for d in declared}
    return tuple(job for names, job in jobs.items() if names not in left)


def _check(request: CleanupRequest) -> None:
    if not request.flag.strip():
        raise UsageError("the flag to remove has no name", hint="give the name of one flag")
    place = request.changelog
    if place is not None and (place.is_absolute() or ".." in place.parts):
        raise UsageError(
            f"the changelog {place} is not inside the repository",
            hint="give its path relative to the top of the repository, such as CHANGELOG.md",
        )


def _clean_yaml(work: Overlay, request: CleanupRequest) -> None:
    for path in work.paths():
        if request.conventions.is_definition(path, request.flag):
            work.write(path, None)
    for path in request.conventions.settings_files:
        content = work.read(path)
        if content is None:
            continue
        after = without_entries(content, request.flag, request.conventions.settings_lists)
        if after is not None:
            work.write(path, after if after.strip() else None)


def _title(request: CleanupRequest) -> str:
    answer = "on" if request.keep else "off"
    return f"The feature flag `{request.flag}`: it is now always {answer}."
