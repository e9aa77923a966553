"""A department's officer for tests, whose system moves what citizens wait for."""

from pathlib import Path

from services.keys import Keys
from services.records.database import Records
from tests.phone import Phone, settings_for
from tests.web.office import OURS, Office


async def officer(phone: Phone, folder: Path, whose: str = OURS, **environment: str) -> Office:
    """One of the department, at the gateway that this phone calls, whose records are under `folder`."""
    url = settings_for(folder, **environment).database.url.get_secret_value()
    async with Records(url) as records:
        return Office(phone.http, phone.url, await Keys(records).add(whose))
