"""`server.py migrate`: bring the tables of the database up to date."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.migrate import Migration


def run_migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Run the migrations that the database does not have yet."""
    migrations = asyncio.run(_migrate(settings))
    for one in migrations:
        print(f"{one.revision}: {one.title}")
    print(f"The tables are up to date; migrations run now: {len(migrations)}")
    return 0


async def _migrate(settings: Settings) -> "Sequence[Migration]":
    """Run and return the pending migrations, unless the keys are not those of the database. Then record the keys."""
    from app.keys import check_keys, open_cipher
    from db.migrate import upgrade

    await check_keys(settings)
    migrations = await upgrade(settings.database.url.get_secret_value())
    await open_cipher(settings)
    return migrations
