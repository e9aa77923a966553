"""Row 12, missed call: rejected, answered once by SMS, and the link leads each handset to its own store."""

import re

import pytest
from aiohttp import ClientSession

from tests.texting import Texter
from tests.voice.forms import is_over, rings

HANDSETS = {
    "Mozilla/5.0 (Mobile; LYF/F30C/LYF_F30C-000-01; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5": "uaw/i/v/ref",
    "Mozilla/5.0 (Linux; Android 10; SM-A107F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36": "play.google.com",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148": "apps.apple.com",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119": "web.umang.gov.in/web",
}


async def rung(handset: Texter, times: int) -> None:
    async with ClientSession() as http:
        for call in range(times):
            for form in (rings(f"{call:032x}", handset.number), is_over(f"{call:032x}", handset.number)):
                async with http.post(f"{handset.url}/voice/africastalking", data=form) as answer:
                    said = await answer.text()
                    assert said == ("<Response><Reject/></Response>" if form["isActive"] == "1" else "")


async def test_row_12_five_calls_bring_one_sms(handset: Texter) -> None:
    await rung(handset, 5)
    await handset.hears(0)
    heard = await handset.writes()
    assert heard == []
    assert sum("/d/" in message.text for message in handset.inbox.messages) == 1


@pytest.mark.parametrize("agent", HANDSETS)
async def test_row_12_the_link_leads_this_handset_to_its_own_store(handset: Texter, agent: str) -> None:
    await rung(handset, 1)
    [sms] = await handset.hears(0)
    link = re.search(r"http\S+/d/\S+", sms)
    assert link, sms
    path = re.sub(r"^http://[^/]+", handset.url, link[0])
    async with ClientSession() as http, http.get(path, headers={"User-Agent": agent}, allow_redirects=False) as answer:
        assert answer.status == 302
        assert HANDSETS[agent] in answer.headers["Location"]
