"""Compile equal SQL once in a test process: each test has new engines, and SQLAlchemy compiles for each anew."""

from functools import partial
from typing import Any, Final

import sqlalchemy.ext.asyncio

import db.engines


class SharedCompiledCache(dict[tuple[object, ...], Any]):
    """Compiled statements by their content and the kind of the dialect; SQLAlchemy's own keys name one engine's dialect."""

    def get(self, key: tuple[object, ...], default: Any = None) -> Any:
        """The compiled statement, or `default`."""
        return super().get(_without_engine(key), default)

    def __setitem__(self, key: tuple[object, ...], compiled: Any) -> None:
        super().__setitem__(_without_engine(key), compiled)


def compile_equal_statements_once() -> None:
    """From now on, every engine of this process takes what an earlier engine of its kind compiled."""
    options = {"compiled_cache": _compiled}
    db.engines.create_async_engine = partial(sqlalchemy.ext.asyncio.create_async_engine, execution_options=options)


def _without_engine(key: tuple[object, ...]) -> tuple[object, ...]:
    dialect, *rest = key
    return (type(dialect), *rest)


_compiled: Final = SharedCompiledCache()
