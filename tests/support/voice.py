"""The voice services of one process: all real, except the provider and the sender of the menu."""

import json
from collections import Counter
from datetime import timedelta

from core.rate_limit import DailyQuota
from providers.africastalking.voice import parse_call, render_call_action
from services.citizens.contacts import Contacts, build_default_language
from services.citizens.unverified_sms import UnverifiedSmsLimiter
from services.messaging.app_link import AppLinkSender
from services.messaging.links import Links
from services.messaging.missed_calls import AnswerCooldown
from services.messaging.models import Message
from tests.support.services import CIPHER, ServiceSet, render_text
from tests.support.voice_forms import APP_LINK_NUMBER, CALLER_MSISDN, ended_form, ringing_form
from voice.deduplication import CallDeduplicator
from voice.missed_calls import (
    ANSWERED_CALLS_KEY,
    UNSUPPORTED_COUNTRY_KEY,
    MissedCallHandler,
    MissedCallNumber,
    UnsupportedCountryReply,
)

STATUS_NUMBER, MENU_NUMBER = "+254711000002", "+254711000003"

DAILY_LIMIT = 8
UNSUPPORTED_COUNTRY_DAILY_LIMIT = 3


class FakeMenuSender:
    """A menu sender as strict as the real one: a repeated idempotency key is one conversation."""

    def __init__(self):
        self.sent_keys = {}

    async def send_main_menu(self, msisdn, idempotency_key):
        self.sent_keys.setdefault(idempotency_key, msisdn)


class VoiceServiceSet:
    """One process with its voice services; it records the outcomes of calls."""

    def __init__(self, database, redis, clock, pins):
        self.services, self.clock = ServiceSet(database, clock, pins), clock
        self.menus = FakeMenuSender()
        self.links = Links(database, CIPHER, "https://ekdial.example", clock=clock)
        self.app_links = AppLinkSender(database, self.links, self.services.messages, render_text)
        self.registrants = Contacts(database, build_default_language({"BD": "bn", "IN": "hi"}, "en"), clock=clock)
        self.send_app_link = self.app_links.send
        self.calls = MissedCallHandler(
            {
                APP_LINK_NUMBER: MissedCallNumber("download_link", self._send_app_link),
                STATUS_NUMBER: MissedCallNumber("latest_status", self.services.status_reader.send_latest),
                MENU_NUMBER: MissedCallNumber(
                    "call_back_menu",
                    lambda number, _, idempotency_key: self.menus.send_main_menu(number, idempotency_key),
                ),
            },
            lambda number: number.startswith(("+254", "+880", "+91")),
            self.registrants,
            cooldown=AnswerCooldown(database, CIPHER, timedelta(hours=1), clock=clock),
            deduplicator=CallDeduplicator(redis, CIPHER.keyed_hash),
            quota=DailyQuota(redis, DAILY_LIMIT, ANSWERED_CALLS_KEY),
            try_take_sms=UnverifiedSmsLimiter(redis, CIPHER, clock=clock).try_take,
            unsupported_country_reply=UnsupportedCountryReply(
                self._send_refusal,
                AnswerCooldown(database, CIPHER, timedelta(days=1), clock=clock),
                DailyQuota(redis, UNSUPPORTED_COUNTRY_DAILY_LIMIT, UNSUPPORTED_COUNTRY_KEY),
            ),
            clock=clock,
        )
        self.outcomes = Counter()

    async def _send_app_link(self, number, language, idempotency_key):
        await self.send_app_link(number, language, idempotency_key)

    async def _send_refusal(self, number, language, idempotency_key):
        await self.services.messages.send(Message(number, render_text(language, "abroad", {}), "link", idempotency_key))

    async def handle_callback(self, form):
        """The outcome of a webhook, and the response to it."""
        call = parse_call(form)
        outcome = await self.calls.handle(call)
        self.outcomes[outcome] += 1
        return outcome, render_call_action(call)

    async def make_call(self, session, caller=CALLER_MSISDN, dialled=APP_LINK_NUMBER, **other):
        """The outcome of a whole call, with both webhooks."""
        outcome, _ = await self.handle_callback(ringing_form(session, caller, dialled, **other))
        await self.handle_callback(ended_form(session, caller, dialled, **other))
        return outcome

    async def claim_sms(self):
        """Every queued SMS: recipient, language, text key, facts."""
        claimed = await self.services.messages.claim("test", 100)
        return [(one.to, *json.loads(one.text)) for one in claimed]
