"""SMS whose sender is forged: an attacker posts them, and reads no reply. The database shows what the gateway did."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.support.phone import build_settings, run_gateway
from tests.support.sms_phone import ROUTE, wait_until


class Attacker:
    """Posts SMS from any number to the gateway at `url`, whose SQLite database is in `folder`."""

    def __init__(self, http: ClientSession, url: str, folder: Path) -> None:
        self.http, self.url, self.folder = http, url, folder

    async def forge_sms(self, msisdn: str, *texts: str, provider_id: str = "") -> None:
        """Send SMS from this number, one after the other; each is handled when this returns."""
        for text in texts:
            form = {
                "linkId": "",
                "text": text,
                "to": "22384",
                "id": provider_id or secrets.token_hex(16),
                "date": "2026-11-21 06:00:00",
                "from": msisdn,
                "networkCode": "99999",
            }
            async with self.http.post(f"{self.url}{ROUTE}", data=form) as response:
                assert response.status == 200
            await wait_until(self._is_all_handled)

    def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        with closing(sqlite3.connect(self.folder / "ekdial.db")) as database:
            return database.execute(query, values).fetchall()

    def count_sms(self, where: str = "1 = 1", *values: object) -> int:
        """The number of outgoing SMS that are sent or will be."""
        query = f"SELECT count(*) FROM messages WHERE medium = 'sms' AND status != 'failed' AND {where}"  # noqa: S608
        return int(self.fetch(query, *values)[0][0])

    async def _is_all_handled(self) -> bool:
        return not self.fetch("SELECT 1 FROM inbound_sms WHERE state = 'new'")


@asynccontextmanager
async def open_attack(folder: Path, **settings: str) -> AsyncIterator[Attacker]:
    """An attacker and the gateway, for the block."""
    async with run_gateway(build_settings(folder, **settings)) as url, ClientSession() as http:
        yield Attacker(http, url, folder)
