"""How is the database copied to a safe place, and put back, from a terminal?"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError

if TYPE_CHECKING:
    from flagstaff.services.backups import Copy

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False)
PROJECT = click.option(
    "--project", default=".", show_default=True, type=FOLDER, help="The project's folder."
)
DATABASE = click.option("--database", metavar="URL", help="If it is not the project's own.")


@click.command(context_settings=SETTINGS)
@click.argument("file", required=False, type=FILE)
@PROJECT
@DATABASE
@click.pass_obj
def backup(common: Common, /, *, file: Path | None, project: Path, database: str | None) -> None:
    """Copy an SQLite database to FILE, also while a server works with it, and check the copy.

    The copy holds the hashes of passwords and tokens; only its owner can read it. Without FILE it
    gets a name with the time.
    """
    common.no_dry_run("flagstaff backup")
    from flagstaff.server.settings import load_settings  # noqa: PLC0415 help needs none
    from flagstaff.services import backups  # noqa: PLC0415 as above

    url = load_settings(root=project, database=database).database_url
    target = file or Path(f"flagstaff-{_now()}.db")
    made = backups.back_up(url, target, _progress("copied"), overwrite=common.yes)
    _say(common, made, f"{made.path} is a copy of the database, and in order")


@click.command(context_settings=SETTINGS)
@click.argument("file", type=FILE)
@PROJECT
@DATABASE
@click.pass_obj
def restore(common: Common, /, *, file: Path, project: Path, database: str | None) -> None:
    """Put a copy that `backup` has made in the place of the database; no server may be running.

    The database that was there is kept beside it.
    """
    common.no_dry_run("flagstaff restore")
    from flagstaff.server.lock import FileLock  # noqa: PLC0415 help needs none
    from flagstaff.server.settings import load_settings  # noqa: PLC0415 as above
    from flagstaff.services import backups  # noqa: PLC0415 as above

    url = load_settings(root=project, database=database).database_url
    keep_as = Path(f"before-restore-{_now()}.db")
    with contextlib.ExitStack() as stack:
        if (target := backups.database_file(url)) is not None:
            keep_as = target.with_name(keep_as.name)
            lock = FileLock(target.with_name(f"{target.name}.lock"))
            stack.callback(lock.release)
            _check_wanted(common, target)
        made = backups.restore(url, file, _progress("put back"), keep_as=keep_as)
    kept = f"; the one before is {keep_as}" if keep_as.exists() else ""
    _say(common, made, f"{made.path} is what {file} was{kept}")
    if not common.json:
        output.suggest("flagstaff server")


def _check_wanted(common: Common, target: Path) -> None:
    """Ask before a database is replaced."""
    if not target.exists() or common.yes:
        return
    question = f"Replace {target}, which is kept beside it?"
    if not sys.stdin.isatty():
        raise UsageError(f"{target} would be replaced", hint="add --yes; the old one is kept")
    click.confirm(question, abort=True, err=True)


def _say(common: Common, made: Copy, text: str) -> None:
    if common.json:
        told = {"path": str(made.path), "bytes": made.size, "schema": made.revision}
        output.say_json({"ok": True, "text": text, **told})
    else:
        output.say(text)


def _progress(verb: str) -> Callable[[int, int], None]:
    """Return what shows on a terminal how far it is."""
    if not sys.stderr.isatty():
        return lambda _done, _total: None

    def show(done: int, total: int) -> None:
        share = 100 * done // max(1, total)
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{share} % {verb}{end}")
        sys.stderr.flush()

    return show


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
