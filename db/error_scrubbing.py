"""Database errors without data: PostgreSQL quotes the rejected row in its message, and a row here holds personal data."""

from collections.abc import Iterator

from asyncpg.exceptions import DataError, PostgresError
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

_LOCATION_ATTRIBUTES = ("table_name", "column_name", "constraint_name")


def scrub_errors(engine: Engine) -> None:
    """Make every error of `engine` name the type and the place of the failure, and never a value."""
    event.listen(engine, "handle_error", _scrub)


def _scrub(context: ExceptionContext) -> None:
    errors = (*_exception_chain(context.sqlalchemy_exception), *_exception_chain(context.original_exception))
    with_values = next((error for error in errors if isinstance(error, PostgresError | DataError)), None)
    if with_values is None:
        return
    message = _describe(with_values)
    for error in errors:
        error.args = (message,)
        if isinstance(error, PostgresError):
            vars(error).update(detail=None, hint=None)


def _describe(error: BaseException) -> str:
    location = ".".join(filter(None, (getattr(error, name, None) for name in _LOCATION_ATTRIBUTES)))
    return f"{type(error).__name__} at {location}" if location else type(error).__name__


def _exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
