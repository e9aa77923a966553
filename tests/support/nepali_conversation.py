"""A call, two SMS and the demo phone's texts in Nepali; runs in a copy of the tree to which its files were added.

`python -m tests.support.nepali_conversation FOLDER` prints the replies as JSON; `FOLDER` takes the database.
"""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import ClientSession

from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone

NUMBER = "+8801700000007"
UNICODE_NETWORK = "99998"


async def talk(folder: Path) -> dict[str, str]:
    """Each reply by what was done."""
    settings = build_settings(folder, LANGUAGES__BY_COUNTRY='{"BD": "ne", "IN": "hi"}')
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, msisdn=NUMBER, network=UNICODE_NETWORK)
        said = {"first": await phone.dial(), "main": await phone.enter("4")}
        said["track"] = await phone.enter("2")
        said["unknown"] = await phone.enter("१२३४५६७८९०१२")
        async with open_sms_phone(url, NUMBER) as sms:
            said["help"] = await sms.send_sms("मद्दत चाहियो")
            said["status"] = await sms.send_sms("निवेदनको अवस्था")
        async with open_sms_phone(url, "+8801700000008") as stranger:
            said["stranger"] = await stranger.send_sms("मेरो निवेदन कहिले हुन्छ, मलाई थाहा छैन")
            said["hindi"] = await stranger.send_sms("मेरा काम कब होगा, मुझे नहीं पता है")
        for country, number in {"nepali_country": "+8801700000009", "hindi_country": "+919876500001"}.items():
            async with open_sms_phone(url, number) as greeter:
                said[country] = await greeter.send_sms("फलफूल तरकारी")
        said["texts"] = await (await http.get(f"{url}/simulator/texts.js")).text()
        said["languages"] = json.dumps((await (await http.get(f"{url}/simulator/phone.json")).json())["languages"])
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(talk(Path(sys.argv[1]))), ensure_ascii=False) + "\n")
