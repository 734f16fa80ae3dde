"""How do we talk to git without touching anybody's work tree?"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flagstaff.errors import FlagstaffError, NotFound, Unavailable

_SETTINGS = ("-c", "core.quotePath=false", "-c", "i18n.commitEncoding=utf-8")


class GitFailed(FlagstaffError):
    """Git answered with an error."""

    code = "git_failed"


@dataclass(frozen=True, slots=True)
class Git:
    """Git on one repository, run inside its git folder so that no work tree is ever in play."""

    folder: Path

    @classmethod
    def at(cls, root: Path) -> Git:
        """Open the repository that holds `root`.

        Raises:
            NotFound: `root` is not inside a git repository.
        """
        try:
            found = _run(("-C", str(root), "rev-parse", "--absolute-git-dir"), cwd=None)
        except GitFailed as error:
            raise NotFound(
                f"{root} is no git repository", hint="give the folder of a git checkout"
            ) from error
        return cls(Path(os.fsdecode(found.rstrip(b"\n"))))

    def run(self, *words: str, stdin: bytes = b"", settings: dict[str, str] | None = None) -> bytes:
        """Run one git command and return its standard output.

        Raises:
            GitFailed: git ended with an error; the message is git's own.
        """
        words = (f"--git-dir={self.folder}", *_SETTINGS, *words)
        return _run(words, cwd=self.folder, stdin=stdin, settings=settings)

    def commit(self, revision: str) -> str:
        """Return the full id of the commit that `revision` names.

        Raises:
            NotFound: no such commit.
        """
        wanted = f"{revision}^{{commit}}"
        try:
            answer = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        except GitFailed as error:
            raise NotFound(
                f"there is no commit {revision!r} in {self.folder}",
                hint="name an existing branch, tag or commit; the branch that changes are merged "
                "into is `main_branch:` in flagstaff.yml",
            ) from error
        return answer.decode().strip()

    def main_branch(self) -> str:
        """Return the branch that is `origin`'s own, else the one that is checked out, else ''."""
        for name in ("refs/remotes/origin/HEAD", "HEAD"):
            try:
                answer = self.run("symbolic-ref", "--quiet", "--short", name)
            except GitFailed:
                continue
            return answer.decode().strip().removeprefix("origin/")
        return ""


def _run(
    words: tuple[str, ...],
    *,
    cwd: Path | None,
    stdin: bytes = b"",
    settings: dict[str, str] | None = None,
) -> bytes:
    # A hook or an outer git may have set GIT_DIR, GIT_INDEX_FILE and the like.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    environment |= settings or {}
    try:
        done = subprocess.run(
            ("git", *words), cwd=cwd, input=stdin, env=environment, capture_output=True, check=False
        )
    except OSError as error:
        raise Unavailable("git cannot be started", hint="install git, or mend PATH") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise GitFailed(said or f"git ended with {done.returncode}")
    return done.stdout
