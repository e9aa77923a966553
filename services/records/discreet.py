"""Errors of a database without the data: PostgreSQL quotes the refused row, and a row here is a person."""

from collections.abc import Iterator

from asyncpg.exceptions import DataError, PostgresError
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

_WHERE = ("table_name", "column_name", "constraint_name")


def discreet(engine: Engine) -> None:
    """Have every error that leaves `engine` say what was refused and where, never which value."""
    event.listen(engine, "handle_error", _without_data)


def _without_data(context: ExceptionContext) -> None:
    errors = (*_chain(context.sqlalchemy_exception), *_chain(context.original_exception))
    quoting = next((error for error in errors if isinstance(error, PostgresError | DataError)), None)
    if quoting is None:
        return
    plain = _plainly(quoting)
    for error in errors:
        error.args = (plain,)
        if isinstance(error, PostgresError):
            vars(error).update(detail=None, hint=None)


def _plainly(error: BaseException) -> str:
    where = ".".join(filter(None, (getattr(error, name, None) for name in _WHERE)))
    return f"{type(error).__name__} at {where}" if where else type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
