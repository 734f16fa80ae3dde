"""Do migrations keep what is there, and may a server of an older version go on working?

Every prefix of the revisions is walked with data in the tables. Where a revision says that older
servers are compatible, what such a server writes and reads is tried on the newest tables.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from flagstaff.errors import Conflict, FlagstaffError
from flagstaff.store import chain, schema, settings
from flagstaff.store.database import Database
from flagstaff.store.schema import MIGRATIONS, Marker
from flagstaff.store.tables import metadata

SCRIPTS = ScriptDirectory.from_config(schema._config(MIGRATIONS))
REVISIONS = [each.revision for each in SCRIPTS.walk_revisions()][::-1]
HEAD = REVISIONS[-1]
LEFT_OUT = {"alembic_version"}
HEAD_OF_LOG = "audit_head"
"""Its one row was written by a migration."""


@pytest.fixture
def empty(empty_url):
    database = Database(empty_url)
    yield database
    database.close()


def upgrade_to(database, revision, folder=MIGRATIONS):
    config = schema._config(folder)
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def tables_of(database):
    """Return the tables as they are, which is all that a server of their version knows."""
    found = MetaData()
    with database.read() as connection:
        found.reflect(connection)
    return [each for each in found.sorted_tables if each.name not in LEFT_OUT]


def value_of(column, number):
    """Return something that the column can keep; another one for another number."""
    match column.type:
        case JSON():
            return {"number": number, "words": ["ü", None]}
        case DateTime():
            return datetime(2026, 3, 2, 9, number, tzinfo=UTC)
        case Boolean():
            return bool(number % 2)
        case Integer():
            return number
        case Float():
            return number + 0.5
        case LargeBinary():
            return f"bytes {number}".encode()
        case String():
            return f"{column.name} {number}"[: column.type.length]
    raise AssertionError(f"say what {column} could keep: {column.type!r}")


def write_rows(database, tables, number):
    """Write a row into every table, as a server does that knows these columns and no others."""
    by_name = {each.name: each for each in tables}
    with database.write() as connection:
        for table in tables:
            if table.name == HEAD_OF_LOG:
                continue
            row = {each.name: value_of(each, number) for each in table.columns}
            if table.name == "audit" and HEAD_OF_LOG in by_name:
                row |= chained(connection, by_name[HEAD_OF_LOG], row)
            connection.execute(insert(table).values(row))


def chained(connection, head, row):
    """Return the hashes of an entry that becomes the last of the log, and note that it is."""
    last = connection.execute(select(head)).one()
    found = {"previous": last.hash, "hash": chain.digest(row, last.hash)}
    connection.execute(update(head).values(entries=last.entries + 1, hash=found["hash"]))
    return found


def rows(database, tables):
    with database.read() as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in tables
        }


def works_on(database, tables):
    """Do what a server does that knows these tables and no newer ones."""
    write_rows(database, tables, 21)
    found = rows(database, tables)
    for table in tables:
        if table.name != HEAD_OF_LOG:
            key = {each.name: value_of(each, 21) for each in table.primary_key.columns}
            assert [row for row in found[table.name] if key.items() <= row.items()]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_version_comes_up_to_the_newest_with_its_data(empty, revision):
    upgrade_to(empty, revision)
    tables = tables_of(empty)
    write_rows(empty, tables, 7)
    write_rows(empty, tables, 8)
    before = rows(empty, tables)
    assert all(len(each) == 2 for name, each in before.items() if name != HEAD_OF_LOG)
    empty.migrate()
    after = rows(empty, tables)
    for name, each in before.items():
        assert [row for row in after[name] if row.get("key") != schema.KEY] == each
    with empty.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert chain.verify(connection) == chain.Verification(entries=2, head=last_hash(connection))
        assert schema.kept(connection) == schema.newest()


def last_hash(connection):
    return connection.execute(text("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")).scalar()


@pytest.mark.parametrize(
    "revision", [each for each in REVISIONS if each >= schema.newest().compatible_from]
)
def test_servers_that_are_said_to_be_compatible_work_on_the_newest_tables(empty, revision):
    upgrade_to(empty, revision)
    known = tables_of(empty)
    empty.migrate()
    works_on(empty, known)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_says_who_is_compatible(revision):
    compatible_from = SCRIPTS.get_revision(revision).module.compatible_from
    assert compatible_from in REVISIONS
    assert compatible_from <= revision


NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "9001"
down_revision = "{head}"
compatible_from = "{compatible_from}"
def upgrade():
    {change}
"""
ADDS = (
    'op.add_column("deployment", sa.Column("note", sa.Text, nullable=False, server_default=""))',
    'op.create_table("thing", sa.Column("id", sa.Integer, primary_key=True))',
    'op.create_index("ix_deployment_who", "deployment", ["who"])',
)
TAKES = (
    'op.drop_column("deployment", "who")',
    'op.rename_table("deployment", "deploy")',
    'op.alter_column("deployment", "who", new_column_name="whose")',
)


@pytest.fixture
def newer(tmp_path):
    """Return the migrations of a newer version that makes one change more."""

    def made(change, *, compatible_from=HEAD):
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        source = NEXT.format(head=HEAD, compatible_from=compatible_from, change=change)
        (folder / "versions" / "9001_next.py").write_text(source)
        return folder

    return made


def migrate_with(database, folder):
    with database.write() as connection:
        schema.upgrade(connection, folder)


@pytest.mark.parametrize("change", ADDS)
def test_what_only_adds_leaves_older_servers_working(database, newer, change):
    known = tables_of(database)
    migrate_with(database, newer(change))
    works_on(database, known)


@pytest.mark.parametrize("change", TAKES)
def test_the_check_sees_what_older_servers_would_miss(database, newer, change):
    known = tables_of(database)
    migrate_with(database, newer(change))
    with pytest.raises((DBAPIError, FlagstaffError)):
        works_on(database, known)


def test_an_older_server_starts_again_where_a_newer_one_allows_it(database, newer, caplog):
    migrate_with(database, newer(ADDS[0]))
    database.migrate()
    assert f"tables of a newer Flagstaff (9001); this one ({HEAD}) works with them" in caplog.text
    with database.read() as connection:
        assert schema.kept(connection) == Marker(revision="9001", compatible_from=HEAD)


def test_an_older_server_does_not_start_where_it_would_do_harm(database, newer):
    migrate_with(database, newer(ADDS[0], compatible_from="9001"))
    with pytest.raises(Conflict, match=f"9001, this one knows {HEAD}, and needs one that knows 90"):
        database.migrate()


@pytest.mark.parametrize(
    "value",
    [None, 3, {}, {"revision": "9000", "compatible_from": HEAD}, {"revision": "9001"}],
)
def test_tables_that_do_not_say_are_left_alone(database, newer, value):
    migrate_with(database, newer(ADDS[0]))
    with database.write() as connection:
        settings.put(connection, schema.KEY, value)
    with pytest.raises(Conflict, match="made by a newer Flagstaff"):
        database.migrate()
