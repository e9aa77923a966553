"""One process that hears voice callbacks: everything real but the provider and whoever sends the menu."""

import json
from collections import Counter
from datetime import timedelta

from services.downloads import Downloads
from services.links import Links
from services.messages import Message
from services.missed_calls import CoolDown
from services.registrants import Registrants, by_country
from tests.desk import SEAL, Desk, say
from tests.voice.forms import CALLER, OURS, is_over, rings
from voice.allowance import REFUSED, Allowance
from voice.callback import ring_of, said
from voice.first_sight import FirstSight
from voice.missed_calls import Line, MissedCalls, Refusing

STATUS_LINE, MENU_LINE = "+254711000002", "+254711000003"

MOST_A_DAY = 8
MOST_ABROAD = 3


class Menus:
    """Who would send the menu; as strict as the real one: a repeated effect is one conversation."""

    def __init__(self):
        self.begun = {}

    async def menu(self, number, effect):
        self.begun.setdefault(effect, number)


class Switchboard:
    """One process that hears the provider's callbacks, and what its callers got."""

    def __init__(self, records, redis, clock, pins):
        self.desk, self.clock = Desk(records, clock, pins), clock
        self.menus = Menus()
        self.links = Links(records, SEAL, "https://ekdial.example", clock=clock)
        self.downloads = Downloads(records, self.links, self.desk.messages, say)
        self.registrants = Registrants(records, by_country({"BD": "bn", "IN": "hi"}, "en"), clock=clock)
        self.gives = self.downloads.send
        self.calls = MissedCalls(
            {
                OURS: Line("download_link", self._gives),
                STATUS_LINE: Line("latest_status", self.desk.following.send_latest),
                MENU_LINE: Line("call_back_menu", lambda number, _, effect: self.menus.menu(number, effect)),
            },
            lambda number: number.startswith(("+254", "+880", "+91")),
            self.registrants,
            cool_down=CoolDown(records, SEAL, timedelta(hours=1), clock=clock),
            first_sight=FirstSight(redis, SEAL.name),
            allowance=Allowance(redis, MOST_A_DAY),
            refusing=Refusing(
                self._refuses,
                CoolDown(records, SEAL, timedelta(days=1), clock=clock),
                Allowance(redis, MOST_ABROAD, REFUSED),
            ),
        )
        self.heard = Counter()

    async def _gives(self, number, language, effect):
        await self.gives(number, language, effect)

    async def _refuses(self, number, language, effect):
        await self.desk.messages.send(Message(number, say(language, "abroad", {}), "link", effect))

    async def hears(self, form):
        """What the callback was taken for, and the answer to it."""
        ring = ring_of(form)
        taken_for = await self.calls.heard(ring)
        self.heard[taken_for] += 1
        return taken_for, said(ring)

    async def rings(self, session, caller=CALLER, dialled=OURS, **other):
        """What a whole call was taken for: it rings, is rejected, and is over."""
        taken_for, _ = await self.hears(rings(session, caller, dialled, **other))
        await self.hears(is_over(session, caller, dialled, **other))
        return taken_for

    async def sms(self):
        """Every SMS that is to be sent: to whom, in which language, which text, what it says."""
        claimed = await self.desk.messages.claim("test", 100)
        return [(one.to, *json.loads(one.text)) for one in claimed]
