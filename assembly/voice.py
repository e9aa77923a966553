"""Missed calls put together: what each number that is rung answers with, and how often."""

from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from assembly.countries import served
from assembly.gateway import Gateway
from assembly.texts import sayer
from services.messages import Message
from services.missed_calls import CoolDown
from voice.allowance import REFUSED, Allowance
from voice.first_sight import FirstSight
from voice.missed_calls import Action, Answer, Line, Menus, MissedCalls, Refusing
from voice.routes import Rings
from voice.routes import routes as voice_routes


def routes(gateway: Gateway, menus: Menus) -> list[web.RouteDef]:
    """Where a provider tells that somebody rings; `menus` can be sent to who does."""
    return voice_routes(_missed_calls(gateway, menus), gateway.guard, Rings(gateway.registry))


def _missed_calls(gateway: Gateway, menus: Menus) -> MissedCalls:
    settings, ground = gateway.settings, gateway.ground
    return MissedCalls(
        _lines(gateway, menus),
        served(settings.countries.allowed),
        gateway.conversation.services.registrants,
        cool_down=CoolDown(ground.records, ground.seal, timedelta(seconds=settings.missed_calls.cool_down)),
        first_sight=FirstSight(ground.store.client, ground.seal.name),
        allowance=Allowance(ground.store.client, settings.missed_calls.most_a_day),
        refusing=_refusing(gateway),
    )


def _refusing(gateway: Gateway) -> Refusing:
    settings, ground = gateway.settings, gateway.ground
    messages, say = gateway.conversation.services.messages, sayer(gateway.conversation.words, settings)

    async def refuse(number: str, language: str, effect: str) -> None:
        await messages.send(Message(number, say(language, "abroad", {}), "link", effect))

    allowance = Allowance(ground.store.client, settings.missed_calls.abroad_a_day, REFUSED)
    return Refusing(refuse, CoolDown(ground.records, ground.seal, timedelta(days=1)), allowance)


def _lines(gateway: Gateway, menus: Menus) -> Mapping[str, Line]:
    """What each of our numbers answers a missed call with."""
    services = gateway.conversation.services

    async def call_back(number: str, _: str, effect: str) -> None:
        await menus.menu(number, effect)

    answers: Mapping[Action, Answer] = {
        "download_link": services.downloads.send,
        "latest_status": services.following.send_latest,
        "call_back_menu": call_back,
    }
    numbers = gateway.settings.missed_calls.numbers
    return {number: Line(action, answers[action]) for number, action in numbers.items()}
