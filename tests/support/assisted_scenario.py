"""A gateway with an operator's phone and a citizen's phone."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import redis
from aiohttp import ClientSession

from app.cli import open_operator_commands
from config.settings import Settings
from db.database import Database
from services.assisted.models import NewOperator
from tests.support.citizen_steps import ANSWERS, open_birth_certificate, register
from tests.support.phone import Phone, run_gateway
from tests.support.staff import staff_act

OPERATOR, CITIZEN = "+8801711000012", "+8801798765432"
PERSONAL_TEXTS = "01798765432"
OPERATORS_PIN = "7391"


@dataclass
class AssistedScenario:
    """A running gateway, an operator's phone and a citizen's phone."""

    settings: Settings
    http: ClientSession
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    operator: Phone = field(init=False)
    citizen: Phone = field(init=False)
    first_pin: str = ""
    last_code: str = ""

    async def start(self) -> None:
        url = await self.stack.enter_async_context(run_gateway(self.settings))
        self.operator, self.citizen = Phone(self.http, url, OPERATOR), Phone(self.http, url, CITIZEN)

    async def lose_everything(self) -> None:
        """Restart the gateway and delete the keys of Redis; the database stays."""
        await self.stack.aclose()
        url = self.settings.redis.url.get_secret_value()
        if url != "memory://":
            with redis.Redis.from_url(url) as client:
                client.flushdb()
        self.stack = AsyncExitStack()
        address = await self.stack.enter_async_context(run_gateway(self.settings))
        self.operator.url = self.citizen.url = address

    async def choose_english(self) -> None:
        """Let the citizen, who has no account, choose English."""
        await self.citizen.dial()
        await self.citizen.enter("1")

    async def enrol(self, **limits: int) -> int:
        async with open_operator_commands(self.settings) as commands:
            new = NewOperator(OPERATOR, "Karim Mia", "mirpur", "en", **limits)
            number, self.first_pin = await commands.operators.add(new, staff_act())
        assert (await self.operator.wait_for_sms("is your PIN as Ekdial operator")).startswith(f"{self.first_pin} ")
        return number

    async def suspend(self, operator: int) -> None:
        async with open_operator_commands(self.settings) as commands:
            assert await commands.operators.suspend(operator, staff_act())

    async def dial_as_operator(self) -> str:
        """Dial as the operator; the question for the operator's PIN."""
        screen = await self.operator.redial()
        if "1 English" in screen:
            await self.operator.enter("1")
        return await self.operator.enter("7", "1")

    async def sign_in(self) -> str:
        await self.dial_as_operator()
        return await self.operator.enter(self.first_pin, OPERATORS_PIN, OPERATORS_PIN, self.first_pin)

    async def request_consent(self, purpose: str = "1") -> str:
        """Request the citizen's consent from the operator's menu; the code on the citizen's phone."""
        screen = await self.operator.enter("1", PERSONAL_TEXTS, purpose)
        assert screen.startswith("A 6-digit code went to the citizen's phone."), screen
        return await self.consent_code()

    async def consent_code(self) -> str:
        """The code on the citizen's phone; of a second request, the second one."""
        code = self.last_code
        async with asyncio.timeout(10):
            while code == self.last_code:
                await asyncio.sleep(0.02)
                code = (await self.citizen.wait_for_sms("to let Karim Mia"))[:6]
        assert re.fullmatch(r"\d{6}", code)
        self.last_code = code
        return code

    async def start_acting(self, purpose: str = "1") -> str:
        """Register a citizen, enrol an operator and obtain the consent; the operator's menu for the citizen."""
        await register(self.citizen)
        await self.enrol()
        await self.sign_in()
        return await self.operator.enter(await self.request_consent(purpose))

    async def apply_for_citizen(self) -> str:
        """Apply for a birth certificate for the citizen; the screen with the tracking number."""
        await open_birth_certificate(self.operator)
        screen = await self.operator.enter(*ANSWERS)
        while not re.search(r"\d{4} \d{4} \d{4}", screen):
            screen = await self.operator.enter(OPERATORS_PIN if "PIN" in screen else "1")
        return screen

    async def fetch(self, statement):
        async with Database(self.settings.database.url.get_secret_value()) as database:
            return (await database.fetch(statement)).all()
