"""What a database says it does for a statement."""

from sqlalchemy.event import listen, remove


async def explain_plan(database, statement, values):
    """What the database says it does for this."""
    run = []

    def note(_connection, _cursor, sql, values, *_):
        run.append((sql, values))

    engine = database._write_engine.sync_engine
    listen(engine, "before_cursor_execute", note)
    async with database.transaction() as transaction:
        await transaction.execute(statement, values)
        remove(engine, "before_cursor_execute", note)
        sql, given = run[-1]  # before it, SQLite is told to begin
        explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
        plan = await transaction._connection.exec_driver_sql(explain + sql, given)
        return "\n".join(str(line[-1]) for line in plan)
