"""Which tables does this version need, and can it work with those of a newer one?

Every migration says in `compatible_from` which version of the tables a server has to know, at the
least, to work on those it makes. What the newest one says is kept in the database, because an older
server, started again while a newer one is being rolled out, knows no more about it than that.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from flagstaff.errors import Conflict
from flagstaff.store import settings
from flagstaff.store.marker import KEY, MIGRATIONS, Marker, kept

log = logging.getLogger(__name__)


def upgrade(connection: Connection, folder: Path = MIGRATIONS) -> None:
    """Bring the tables up to this version; leave those of a newer one that allows it alone.

    Raises:
        Conflict: the tables are a newer version's, and this one cannot work with them.
    """
    scripts = _scripts(folder)
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in {each.revision for each in scripts.walk_revisions()}:
        _check_newer(present, kept(connection), str(scripts.get_current_head()))
        return
    config = _config(folder)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    marker = newest(folder)
    if kept(connection) != marker:
        value = {"revision": marker.revision, "compatible_from": marker.compatible_from}
        settings.put(connection, KEY, value)


def newest(folder: Path = MIGRATIONS) -> Marker:
    """Return what this version's own migrations say."""
    scripts = _scripts(folder)
    revision = str(scripts.get_current_head())
    script = scripts.get_revision(revision)
    return Marker(revision=revision, compatible_from=str(script.module.compatible_from))


def _check_newer(present: str, marker: Marker | None, known: str) -> None:
    """Refuse tables of a newer version, unless they say that what we know is enough.

    Revisions are numbers of four digits, so that they can be compared as texts.
    """
    if marker is not None and marker.revision == present and marker.compatible_from <= known:
        log.warning(
            "the database has the tables of a newer Flagstaff (%s); this one (%s) works with them",
            present,
            known,
        )
        return
    needed = f", and needs one that knows {marker.compatible_from}" if marker else ""
    raise Conflict(
        f"the database was made by a newer Flagstaff: its tables are {present}, this one knows "
        f"{known}{needed}",
        hint="install that version, or use another database",
    )


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


@cache
def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(folder))
