"""Which history does the demo's repository have, and how is a commit of it deployed?"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flagstaff.demo.git import git
from flagstaff.errors import Conflict

MAIN = "main"
FEATURE_BRANCH = "rename-integrations-workers"
ROLLOUT_ISSUE = "rollout.md"
BROKER_FILE = "var/broker-url"

_AFTER = Path(__file__).parent / "app"
_BEFORE = Path(__file__).parent / "before"
_FLAG = "config/feature_flags/development/rename_integrations_workers.yml"
_RENAMED = ("app/tasks.py", "app/celery_app.py", "app/incidents.py", "tests/test_tasks.py")
_FLAGGED = (_FLAG, "app/enqueue.py", "tests/test_enqueue.py", "flagstaff.yml", "CHANGELOG.md")
_NOT_COPIED = ("__pycache__", ".*_cache", "ruff.toml", "log", "var")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """The demo's repository: its folder and its commits, oldest first, `main` checked out."""

    root: Path
    feature_commit: str
    commits: tuple[str, ...]

    @property
    def rollout_issue(self) -> Path:
        """The rollout issue: beside the code, but no part of the history."""
        return self.root / ROLLOUT_ISSUE


def create_repository(folder: Path, *, webhook: str | None, broker: str = "") -> Repository:
    """Create the repository in an empty or missing `folder`.

    The commits have fixed dates and authors, so they have the same ids everywhere; only the last
    one, which names the `webhook` for announcements, depends on the address. The address of a
    `broker` is a secret: `flagstaff.yml` names a file that holds it and is not committed.

    Raises:
        Conflict: the folder has something in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty", hint="name a folder that does not exist yet")
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", f"--initial-branch={MAIN}")
    commits = [_commit_base(folder), _merge_feature(folder), _commit_readme(folder)]
    if webhook is not None:
        commits.append(_commit_webhook(folder, webhook, broker))
    shutil.copyfile(_AFTER / ROLLOUT_ISSUE, folder / ROLLOUT_ISSUE)
    (folder / ".git/info/exclude").write_text(f"/{ROLLOUT_ISSUE}\n", encoding="utf-8")
    return Repository(root=folder, feature_commit=commits[1], commits=tuple(commits))


def head(root: Path) -> str:
    """Return the commit that is checked out."""
    return git(root, "rev-parse", "HEAD")


def merge_branch(root: Path, branch: str) -> str:
    """Merge `branch` into `main` with a merge commit and return its id."""
    git(root, "checkout", "--quiet", MAIN)
    git(root, "merge", "--no-ff", "--quiet", "-m", _merge_message(branch), branch)
    return head(root)


def tag(root: Path, name: str) -> None:
    """Tag the commit that is checked out."""
    git(root, "tag", "--annotate", "-m", name, name)


def deploy(root: Path, sha: str, target: Path) -> Path:
    """Check `sha` out into `target`, apart from the repository's own files.

    What runs in `target` stays as it is when branches are merged in `root`.
    """
    git(root, "worktree", "add", "--quiet", "--detach", "--force", str(target), sha)
    return target


def _commit_base(root: Path) -> str:
    _copy_tree(_AFTER, root)
    _copy_tree(_BEFORE, root)
    for path in (_FLAG, "app/incidents.py", ROLLOUT_ISSUE):
        (root / path).unlink()
    at = datetime(2022, 5, 20, 9, 30, tzinfo=UTC)
    sha = _commit(root, "Deliver project events to integrations", at)
    git(root, "tag", "--annotate", "-m", "v15.0", "v15.0", at=at)
    return sha


def _merge_feature(root: Path) -> str:
    git(root, "checkout", "--quiet", "-b", FEATURE_BRANCH)
    _copy(_RENAMED, root)
    _commit(
        root,
        "Give integrations jobs names that say what they do\n\n"
        "The old names stay: jobs may be waiting under them while this is deployed.",
        datetime(2022, 5, 25, 14, 15, tzinfo=UTC),
    )
    _copy(_FLAGGED, root)
    _commit(
        root,
        "Choose the names of integrations jobs by a flag",
        datetime(2022, 5, 30, 10, 5, tzinfo=UTC),
    )
    git(root, "checkout", "--quiet", MAIN)
    at = datetime(2022, 6, 1, 8, 40, tzinfo=UTC)
    message = _merge_message(FEATURE_BRANCH)
    git(root, "merge", "--no-ff", "--quiet", "-m", message, FEATURE_BRANCH, at=at)
    git(root, "branch", "--quiet", "--delete", FEATURE_BRANCH)
    return head(root)


def _commit_readme(root: Path) -> str:
    _copy(("README.md",), root)
    at = datetime(2022, 6, 1, 15, 20, tzinfo=UTC)
    return _commit(root, "Explain the job log", at)


def _commit_webhook(root: Path, webhook: str, broker: str) -> str:
    configuration = root / "flagstaff.yml"
    text = configuration.read_text(encoding="utf-8")
    before, after = text.split("\nrenames:", 1)
    more = f"\nnotify:\n  webhook: {webhook}\n"
    if broker:
        _write_secret(root / BROKER_FILE, broker)
        more += f"\nbrokers:\n  jobs: {{url_file: {BROKER_FILE}}}\n"
    configuration.write_text(f"{before}{more}\nrenames:{after}", encoding="utf-8")
    at = datetime(2022, 6, 2, 9, 0, tzinfo=UTC)
    return _commit(root, "Send announcements to the team's chat", at)


def _write_secret(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"{text}\n", encoding="utf-8")


def _merge_message(branch: str) -> str:
    return f"Merge branch '{branch}' into '{MAIN}'"


def _commit(root: Path, message: str, at: datetime) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", message, at=at)
    return head(root)


def _copy(paths: Iterable[str], root: Path) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_AFTER / path, root / path)


def _copy_tree(source: Path, target: Path) -> None:
    ignore = shutil.ignore_patterns(*_NOT_COPIED)
    shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)
