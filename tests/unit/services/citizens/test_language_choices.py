"""The choice of a language while the database is down, and the session of an offer to resume."""

import asyncio

import pytest

from core.types import utc_now
from db.bulk_upsert import UnwritableError
from db.database import Database
from services.citizens.language_choices import LanguageChoices
from tests.support.services import RAHIMA


async def test_a_choice_that_the_database_does_not_take_is_written_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices, other_process = (LanguageChoices(database, clock=utc_now) for _ in range(2))

    async def refuse(*_: object) -> None:
        raise UnwritableError("ConnectionRefusedError")

    with monkeypatch.context() as patch:
        patch.setattr("db.bulk_upsert.BulkUpsert.__call__", refuse)
        await choices.choose(RAHIMA, "bn", "s1")
        with pytest.raises(UnwritableError):
            await choices.write_pending()
    found = await choices.find(RAHIMA)
    assert found
    assert (found.language, found.session_id) == ("bn", "s1")
    assert await other_process.find(RAHIMA) is None
    await choices.write_pending()
    assert await other_process.find(RAHIMA) == found


async def test_the_session_of_an_offer_is_found_with_the_language(database: Database) -> None:
    choices = LanguageChoices(database, clock=utc_now)
    await choices.choose(RAHIMA, "en", "s1")
    choices.remember_offer(RAHIMA, "s2")
    for _ in range(500):
        if (found := await choices.find(RAHIMA)) and found.resumed_in:
            break
        await asyncio.sleep(0.01)
    assert found
    assert (found.language, found.resumed_in) == ("en", "s2")
