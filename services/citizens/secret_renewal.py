"""Hash PINs and answers again that a former key hashed, while their plain text is at hand."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, update

from db.database import Database
from services.citizens.pins import SecretHasher


async def renew_hashes(
    database: Database,
    hasher: SecretHasher,
    column: Column[Any],
    owner: ColumnElement[bool],
    right_secrets: Sequence[tuple[str, str]],
) -> None:
    """Replace outdated hashes in `column` of the rows of `owner`. `right_secrets`: each secret with the hash it matched.

    A hash that was replaced meanwhile, by a new PIN, stays.
    """
    for secret, secret_hash in right_secrets:
        if hasher.is_outdated(secret_hash):
            renewed = {column: await hasher.hash(secret)}
            async with database.transaction() as transaction:
                await transaction.execute(update(column.table).where(owner, column == secret_hash).values(renewed))
