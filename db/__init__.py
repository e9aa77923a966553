"""The database: engines, tables, migrations, and two fast paths that use the driver directly."""
