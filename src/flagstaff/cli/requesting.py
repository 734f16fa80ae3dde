"""How does a clean-up on a branch become a merge request, its tests run first?"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flagstaff.cli import output
from flagstaff.errors import Conflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flagstaff.cleanup.changes import CleanupPlan
    from flagstaff.definitions import Definition, Project
    from flagstaff.integrations.process import Ended


def open_for(root: Path, project: Project, plan: CleanupPlan, branch: str, remote: str) -> str:
    """Run the project's tests on the branch, push it, and open its request; return the address.

    Raises:
        UsageError: no forge is described, or it has no token.
        Conflict: the tests fail, or the remote does not take the branch.
        FlagstaffError: the forge says no, or nothing.
    """
    from flagstaff.definitions.forges import forge_named  # noqa: PLC0415
    from flagstaff.integrations.forge.clients import Forges  # noqa: PLC0415 httpx2
    from flagstaff.integrations.forge.request_text import description, labels  # noqa: PLC0415
    from flagstaff.integrations.forge.requesting import (  # noqa: PLC0415
        WantedRequest,
        open_request,
    )

    # What is missing is said before minutes of tests, not after.
    forge = forge_named("", project.forges)
    token = Forges(root, project.forges).token(forge)
    tested = _tested(root, project, plan, branch)
    if tested is not None and tested[1].code != 0:
        name, ended = tested
        output.remark(ended.output)
        raise Conflict(
            f"{name} fails on {branch}: {ended.why or f'it ended with {ended.code}'}",
            hint=f"mend it on the branch {branch} and open the request yourself, or skip the tests"
            " by taking `test` out of `commands:` in flagstaff.yml",
        )
    _pushed(root, branch, remote)
    definition = _definition(root, project, plan.flag)
    wanted = WantedRequest(
        branch=branch,
        base=project.main_branch,
        title=f"Remove the `{plan.flag}` feature flag",
        text=description(plan, definition, tested),
        labels=labels(definition),
    )
    return open_request(forge, token, wanted)


def _tested(
    root: Path, project: Project, plan: CleanupPlan, branch: str
) -> tuple[str, Ended] | None:
    from flagstaff.integrations.commands import Commands  # noqa: PLC0415

    if "test" not in project.commands:
        return None
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    inside = root.resolve().relative_to(top.resolve())
    with _checkout(top, branch) as folder:
        commands = Commands(folder / inside, project)
        return "test", commands.run("test", key=f"cleanup/{plan.flag}", flag=plan.flag)


@contextmanager
def _checkout(top: Path, branch: str) -> Iterator[Path]:
    """Give a folder with the branch's files, beside the one that people work in."""
    with tempfile.TemporaryDirectory(prefix="flagstaff-") as place:
        folder = Path(place) / "tree"
        _git(top, "worktree", "add", "--quiet", "--detach", str(folder), branch)
        try:
            yield folder
        finally:
            _git(top, "worktree", "remove", "--force", str(folder))


def _pushed(root: Path, branch: str, remote: str) -> None:
    try:
        _git(root, "push", "--quiet", remote, f"refs/heads/{branch}:refs/heads/{branch}")
    except UsageError as exc:
        raise Conflict(
            f"{remote} does not take the branch {branch}: {exc.message}",
            hint="another branch of that name is there: delete it, or choose another with `--name`"
            if "rejected" in exc.message
            else "look at `git remote -v`, or name another with `--remote`",
        ) from exc


def _definition(root: Path, project: Project, flag: str) -> Definition | None:
    from flagstaff.definitions import load_definitions  # noqa: PLC0415

    folder = root / project.flags
    return load_definitions(folder).get(flag) if folder.is_dir() else None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ("git", "-C", str(folder), *words), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UsageError(
            _said(done.stderr) or f"git ended with {done.returncode}",
            hint=f"try `git {words[0]}` yourself in {folder}",
        )
    return done.stdout.strip()


def _said(errors: str) -> str:
    """Return what went wrong in git's words: not its advice, nor that something went wrong."""
    lines = [each.strip() for each in errors.splitlines()]
    lines = [each for each in lines if each and not each.startswith("hint:")]
    refused = [each for each in lines if each.startswith("!")]
    return (refused or lines or [""])[-1]
