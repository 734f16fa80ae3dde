"""How does the cleanup get into the repository? As a branch for people to review."""

from __future__ import annotations

import re
from pathlib import Path

from flagstaff.cleanup.branch import write_branch
from flagstaff.cleanup.changes import CleanupPlan, OldJob, ReferenceKind
from flagstaff.definitions import Project
from flagstaff.errors import Conflict
from flagstaff.rollouts.plan import CleanupPart, Plan
from flagstaff.rollouts.rollout import Cleanup

_DOCUMENTS = {".md", ".markdown", ".rst", ".adoc", ".txt"}


def write_cleanup(root: Path, project: Project, plan: Plan) -> Cleanup:
    """Write the branch that makes the flag's new behaviour permanent, and say what it holds.

    Writing it again changes nothing; the checkout that people work in is never touched.

    Raises:
        Conflict: the flag is not in the repository any more, or the branch holds something else.
    """
    # It loads parsers, which a server does without until it has a branch to write.
    from flagstaff.cleanup.plan import plan_cleanup  # noqa: PLC0415

    flag = plan.flag
    cleanup = plan_cleanup(
        root,
        flag,
        keep=True,
        renames=old_jobs(project, flag),
        changelog=Path(project.changelog),
        title=f"Remove the `{flag}` feature flag",
        base=project.main_branch,
    )
    if not cleanup.changes:
        raise Conflict(
            f"nothing on {project.main_branch} refers to {flag}",
            hint="if it was cleaned up already, skip the step with that reason",
        )
    branch = write_branch(
        root,
        cleanup,
        branch=f"cleanup/{flag}",
        message=_message(plan, cleanup.jobs),
        base=project.main_branch,
    )
    return Cleanup(
        branch=branch.branch,
        commit=branch.commit,
        parts=_parts(cleanup, project),
        files=len(cleanup.changes),
        residues=tuple(
            str(each)
            for each in sorted(cleanup.residues, key=lambda each: not each.reference.kind.asks)
        ),
    )


def old_jobs(project: Project, flag: str) -> tuple[OldJob, ...]:
    """Return the jobs that a flag renames, of which one name goes with it."""
    return tuple(
        OldJob(old=each.old, new=each.new, old_queue=each.old_queue, new_queue=each.new_queue)
        for each in project.renames
        if each.flag == flag
    )


def _message(plan: Plan, jobs: tuple[OldJob, ...]) -> str:
    lines = [f"Remove the `{plan.flag}` feature flag", ""]
    lines.append("It has been on for everyone in production through its verification term.")
    if jobs:
        names = ", ".join(f"`{each.old}`" for each in jobs)
        lines.append(f"The old background jobs go with it: {names}.")
    lines += ["", "Changelog: other"]
    return "\n".join(lines) + "\n"


def _parts(cleanup: CleanupPlan, project: Project) -> tuple[CleanupPart, ...]:
    """Return what the change set really holds; what a residue contradicts is left out."""
    changed = {change.path: change for change in cleanup.changes}
    deleted = {path for path, change in changed.items() if change.after is None}
    found = []
    if not _left(cleanup, cleanup.flag):
        found.append(CleanupPart.REFERENCES)
    if any(Path(path).stem == cleanup.flag for path in deleted):
        found.append(CleanupPart.DEFINITION)
    if any(path.startswith(project.changelog.rstrip("/")) for path in changed):
        found.append(CleanupPart.CHANGELOG)
    jobs = cleanup.jobs
    if jobs and not any(_left(cleanup, each.old) for each in jobs):
        found.append(CleanupPart.OLD_JOBS)
    queues = [each.old_queue for each in jobs if each.old_queue]
    if queues and not any(_left(cleanup, queue) for queue in queues):
        found.append(CleanupPart.OLD_QUEUES)
    return tuple(found)


def _left(cleanup: CleanupPlan, name: str) -> bool:
    """Return whether a residue is sure to name it: many a job is called by a common word.

    Documents, such as the rollout's own issue, may go on speaking of it.
    """
    quoted = re.compile(rf"""['"`]{re.escape(name)}['"`]""")
    return any(
        quoted.search(each.reference.text)
        for each in cleanup.residues
        if each.reference.kind is not ReferenceKind.TEXT
        or Path(each.reference.path).suffix.lower() not in _DOCUMENTS
    )
