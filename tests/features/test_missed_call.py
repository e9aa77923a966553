"""Missed call: it is rejected and answered once by SMS, and the link leads each handset to its own store."""

import re

import pytest
from aiohttp import ClientSession

from tests.support.sms_phone import SmsPhone
from tests.support.voice_forms import ended_form, ringing_form

HANDSETS = {
    "Mozilla/5.0 (Mobile; LYF/F30C/LYF_F30C-000-01; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5": "uaw/i/v/ref",
    "Mozilla/5.0 (Linux; Android 10; SM-A107F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36": "play.google.com",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148": "apps.apple.com",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119": "web.umang.gov.in/web",
}


async def make_missed_call(sms_phone: SmsPhone, times: int) -> None:
    async with ClientSession() as http:
        for call in range(times):
            for form in (ringing_form(f"{call:032x}", sms_phone.msisdn), ended_form(f"{call:032x}", sms_phone.msisdn)):
                async with http.post(f"{sms_phone.url}/voice/africastalking", data=form) as answer:
                    said = await answer.text()
                    assert said == ("<Response><Reject/></Response>" if form["isActive"] == "1" else "")


async def test_five_calls_bring_one_sms(sms_phone: SmsPhone) -> None:
    await make_missed_call(sms_phone, 5)
    await sms_phone.receive(0)
    heard = await sms_phone.send_all()
    assert heard == []
    assert sum("/d/" in message.text for message in sms_phone.inbox.messages) == 1


@pytest.mark.parametrize("agent", HANDSETS)
async def test_the_link_leads_this_handset_to_its_own_store(sms_phone: SmsPhone, agent: str) -> None:
    await make_missed_call(sms_phone, 1)
    [sms] = await sms_phone.receive(0)
    link = re.search(r"http\S+/d/\S+", sms)
    assert link, sms
    path = re.sub(r"^http://[^/]+", sms_phone.url, link[0])
    async with ClientSession() as http, http.get(path, headers={"User-Agent": agent}, allow_redirects=False) as answer:
        assert answer.status == 302
        assert HANDSETS[agent] in answer.headers["Location"]
