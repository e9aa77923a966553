"""How Alembic runs the migrations here: on the connection that `services.records.migrate` hands it."""

from alembic import context

from services.records.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
