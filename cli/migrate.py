"""`server.py migrate`: bring the tables of the database up to date."""

import argparse
import asyncio

from config.settings import Settings


def run_migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Run the migrations that the database does not have yet."""
    asyncio.run(_migrate(settings))
    print("The tables are up to date")
    return 0


async def _migrate(settings: Settings) -> None:
    """Migrate, unless the keys are not those of the database; once the tables are there, record the keys."""
    from app.keys import check_keys, open_cipher
    from db.migrate import upgrade

    await check_keys(settings)
    await upgrade(settings.database.url.get_secret_value())
    await open_cipher(settings)
