"""How does Alembic reach our connection? It is always handed one, never makes its own."""

from __future__ import annotations

from alembic import context

from flagstaff.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
