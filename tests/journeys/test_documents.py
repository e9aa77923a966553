"""The documents helpdesk as a citizen walks it, on every store and database, with everything forgotten in between."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from aiohttp import ClientSession
from sqlalchemy import func, select

from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import messages
from settings import Settings
from tests.fakes.digilocker_server import CLIENT_ID, CLIENT_SECRET, OTP, Account, DigiLockerServer, Paper, status
from tests.phone import Phone, running, settings_for
from tests.texting import texter

AADHAAR, OTHER = "234123412346", "999941057058"
STRANGER = "+8801700000002"
UNICODE = "99998"


@dataclass
class Gateway:
    """A gateway that can lose everything that may be lost: its process, and its Redis."""

    settings: Settings
    http: ClientSession
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    phones: list[Phone] = field(default_factory=list)

    async def phone(self, number: str = "+8801700000001", network: str = "99999") -> Phone:
        self.phones.append(Phone(self.http, await self._url(), number, network=network))
        return self.phones[-1]

    async def loses_everything(self) -> None:
        await self.stack.aclose()
        url = self.settings.redis.url.get_secret_value()
        if url != "memory://":
            with redis.Redis.from_url(url) as client:
                client.flushdb()
        self.stack = AsyncExitStack()
        address = await self.stack.enter_async_context(running(self.settings))
        for phone in self.phones:
            phone.url = address

    async def sms_sent(self) -> int:
        async with Records(self.settings.database.url.get_secret_value()) as records:
            return (await records.read(select(func.count()).select_from(messages))).scalar_one()

    async def _url(self) -> str:
        if self.phones:
            return self.phones[0].url
        return await self.stack.enter_async_context(running(self.settings))


@pytest.fixture
async def gateway(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Gateway]:
    await upgrade(database_url)
    async with ClientSession() as http:
        gateway = Gateway(settings_for(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url), http)
        try:
            yield gateway
        finally:
            await gateway.stack.aclose()


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with running(settings_for(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


def code_in(sms: str) -> str:
    found = re.search(r"\d{6}", sms)
    assert found, sms
    return found[0]


async def whole(phone: Phone, screen: str, more: str) -> str:
    """A screen with all its pages, without their feet."""
    pages = [screen]
    while f"98 {more}" in pages[-1]:
        pages.append(await phone.types("98"))
    return "\n".join(re.sub(r"\n(98|0) .*", "", page) for page in pages)


async def asks_for(phone: Phone, aadhaar: str = AADHAAR, language: str = "1") -> str:
    """From the first call to the question for the code."""
    await phone.dials()
    return await phone.types(language, "3", "1", "1", aadhaar)


async def test_the_whole_of_it_in_english_though_everything_is_forgotten_twice(gateway: Gateway) -> None:
    phone = await gateway.phone()
    await phone.dials()
    assert "3 Documents" in await phone.types("1")
    assert await phone.types("3") == "Documents helpdesk\n1 DigiLocker services\n2 Find a service\n3 Help\n0 Back"
    assert await phone.types("1") == "Do you have a DigiLocker account?\n1 Yes\n2 No, create one\n0 Back"
    assert await phone.types("1") == "Type the 12-digit Aadhaar number. It is not kept\n0 Back"
    assert (await phone.types("234123412345")).startswith("One of those digits seems wrong\nType the 12-digit")
    asked = await phone.types("2341 2341 2346")
    assert asked.startswith("If this number has an account, a 6-digit code is on its way")
    code = code_in(await phone.sms("is your Ekdial code"))
    assert (await phone.types("000000")).startswith("That code is not right.")
    await gateway.loses_everything()
    listed = await phone.types(code)
    assert listed.startswith("Aadhaar ending 2346. Choose a document\n1 PAN card\n2 Driving licence\n")
    await gateway.loses_everything()
    shown = await phone.types("2")
    assert re.match(r"Driving licence\nSAMPLE, not valid\nNo\. XX\d{13}\nSAMPLE CITIZEN\nIssued .*\nValid to ", shown)
    assert re.search(r"Driving licence\n.*\n?.*XX\d{13}[\s\S]*/d/\w{17}$", await phone.sms("/d/"))
    assert await phone.types("1") == listed
    assert (await phone.types("1")).startswith("PAN card\n")
    assert await gateway.sms_sent() == 3, "a code and two documents, however often the path was walked"


async def test_the_whole_of_it_in_bengali_though_everything_is_forgotten_twice(gateway: Gateway) -> None:
    phone = await gateway.phone(network=UNICODE)
    await phone.dials()
    main = await whole(phone, await phone.types("2"), "আরও")
    assert "3 কাগজপত্র\n" in main
    assert (await whole(phone, await phone.types("3"), "আরও")) == ("কাগজপত্রের সাহায্য\n1 ডিজিলকার সেবা\n2 সেবা খুঁজুন\n3 সাহায্য")
    assert await whole(phone, await phone.types("1"), "আরও") == ("আপনার কি ডিজিলকার অ্যাকাউন্ট আছে?\n1 হ্যাঁ\n2 না, খুলতে চাই")
    assert (await phone.types("1")).startswith("আধার নম্বর দিন, ১২ সংখ্যা।")
    assert (await phone.types("২৩৪১২৩৪১২৩৪৫")).startswith("নম্বরের কোনো সংখ্যা ভুল আছে")
    asked = await phone.types("২৩৪১২৩৪১২৩৪৬")
    assert asked.startswith("এই নম্বরে অ্যাকাউন্ট থাকলে")
    code = code_in(await phone.sms("আপনার একডায়াল কোড"))
    await gateway.loses_everything()
    listed = await phone.types(code)
    rows = await whole(phone, listed, "আরও")
    assert rows.startswith("আধারের শেষ চার সংখ্যা: 2346\nএকটি কাগজ বেছে নিন\n1 প্যান কার্ড\n2 ড্রাইভিং লাইসেন্স\n")
    assert rows.endswith("9 বীমা পলিসি: সাধারণ")
    await gateway.loses_everything()
    assert "দশম শ্রেণির মার্কশিট\nনমুনা, আসল নয়" in await whole(phone, await phone.types("4"), "আরও")
    sms = await phone.sms("/d/")
    assert sms.startswith("একডায়াল: দশম শ্রেণির মার্কশিট\nনমুনা, আসল নয়\nনম্বর SAMPLE-X-")
    assert "২৪ ঘণ্টায় ৫ বার খোলা যাবে: http" in sms
    assert await gateway.sms_sent() == 2


async def test_anothers_number_shows_nothing_without_the_code_that_goes_to_its_owner(phone: Phone) -> None:
    await asks_for(phone)
    await phone.types(code_in(await phone.sms("is your Ekdial code")))
    stranger = Phone(phone.http, phone.url, STRANGER)
    known, unknown = await asks_for(stranger), await stranger.types("1", "1", OTHER)
    assert known == unknown, "the same screen for a number that is somebody's and one that is nobody's"
    await stranger.sms("is your Ekdial code")  # for the number that is nobody's
    await asks_for(stranger)
    assert (await stranger.types("000000")).startswith("That code is not right.")


async def test_an_account_is_made_from_what_the_card_says(phone: Phone) -> None:
    await phone.dials()
    consent = await phone.types("1", "3", "1", "2")
    assert consent.startswith("DigiLocker will check your name, date of birth and Aadhaar number, and make an account")
    assert await phone.types("1") == "Type your name as it is on your Aadhaar card\n0 Back"
    assert (await phone.types("Test Holder")).startswith("Type your date of birth")
    assert (await phone.types("31-02-1990")).startswith("Type it as 21-11-2026")
    assert (await phone.types("21.11.1990")).startswith("What the Aadhaar card says\n1 Female")
    assert (await phone.types("1")).startswith("Type the 12-digit Aadhaar number")
    assert (await phone.types(AADHAAR)).startswith("If all of it is as on your Aadhaar card")
    listed = await phone.types(code_in(await phone.sms("is your Ekdial code")))
    assert listed.startswith("Aadhaar ending 2346.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12345", "Digits you typed: 5"),
        ("aadhaar", "Please type digits only"),
        ("2341234123466", "Digits you typed: 13"),
        ("234123412347", "One of those digits seems wrong"),
        ("123412341239", "No Aadhaar number begins with 0 or 1"),
        ("212345543212", "No Aadhaar number begins with 0 or 1, or is the same backwards"),
    ],
)
async def test_a_wrong_number_is_told_what_is_wrong_with_it(phone: Phone, typed: str, said: str) -> None:
    assert (await asks_for(phone, typed)).startswith(f"{said}")


async def test_a_sixth_number_in_an_hour_is_too_many(phone: Phone) -> None:
    await asks_for(phone)
    for _ in range(4):
        assert (await phone.types("1", "1", AADHAAR)).startswith("If this number has an account")
    assert (await phone.types("1", "1", AADHAAR)).startswith("This was tried too often.")


async def test_who_gets_no_code_is_told_where_it_goes(phone: Phone) -> None:
    await asks_for(phone)
    told = await phone.types("1")
    assert told.startswith("The code goes to the phone that the account is registered with.")
    assert told.endswith("\n1 Try again\n2 Help\n0 Back")
    assert (await phone.types("0")).startswith("If this number has an account")


async def test_a_code_that_was_used_up_leads_to_a_new_one(phone: Phone) -> None:
    await asks_for(phone)
    code = code_in(await phone.sms("is your Ekdial code"))
    for _ in range(5):
        await phone.types("000000")
    assert (await phone.types(code)).startswith("That code no longer works.\n1 Ask for a new code")
    assert (await phone.types("1")).startswith("Type the 12-digit Aadhaar number")


@pytest.fixture
async def digilocker() -> AsyncIterator[DigiLockerServer]:
    papers = [
        Paper("in.gov.cbdt-PANCR-ABCDE1234F", "PANCR", "PAN Verification Record"),
        Paper("in.gov.x-RATCR-1", "RATCR", "Ration card"),
    ]
    async with DigiLockerServer(Account("mine-36", AADHAAR, "9000000001", papers)) as server:
        yield server


@pytest.fixture
async def caller(tmp_path: Path, digilocker: DigiLockerServer) -> AsyncIterator[Phone]:
    settings = settings_for(
        tmp_path,
        DOCUMENTS__ISSUER="digilocker",
        DOCUMENTS__BASE_URL=digilocker.url,
        DOCUMENTS__CLIENT_ID=CLIENT_ID,
        DOCUMENTS__CLIENT_SECRET=CLIENT_SECRET,
        DOCUMENTS__DEADLINE="1",
    )
    async with running(settings) as url, ClientSession() as http:
        yield Phone(http, url, "+919000000001")


async def test_with_digilocker_the_code_is_its_own_and_the_document_is_real(caller: Phone) -> None:
    await asks_for(caller)
    assert await caller.types(OTP) == ("Aadhaar ending 2346. Choose a document\n1 PAN card\n2 Ration card\n0 Main menu")
    assert await caller.types("1") == (
        "PAN card\nNo. ABCDE1234F\nTest Holder\nIssued 12 Jan 2015\nThe link comes by SMS\n1 Other documents\n0 Back"
    )
    link = re.search(r"/d/(\w+)", await caller.sms("ABCDE1234F"))
    assert link
    async with caller.http.get(f"{caller.url}/d/{link[1]}?file") as file:
        assert (file.status, file.content_type, await file.read()) == (200, "application/pdf", b"%PDF-1.4 a card")


async def test_an_issuer_that_is_down_is_said_to_be_and_works_when_it_is_back(
    caller: Phone, digilocker: DigiLockerServer
) -> None:
    digilocker.then("oauth2/1/code", status(503))
    assert (await asks_for(caller)).startswith("The document service does not answer just now.")
    assert (await caller.types("1", AADHAAR)).startswith("If this number has an account")
    digilocker.then("oauth2/1/token", status(503))
    assert (await caller.types(OTP)).startswith("The document service does not answer just now. Please wait a minute")
    digilocker.then("oauth2/2/files/issued", *[status(503)] * 3)
    assert (await caller.types(OTP)).startswith("The document service is slow or down just now. Nothing was lost.")
    assert (await caller.types("1")).startswith("Aadhaar ending 2346.")
    digilocker.accounts[0].papers.clear()
    assert (await caller.types("2")).startswith("The office that issued it does not know this document any more.")


async def test_when_the_time_is_up_the_number_is_asked_for_again(caller: Phone, digilocker: DigiLockerServer) -> None:
    await asks_for(caller)
    await caller.types(OTP)
    digilocker.forget_everybody()
    assert (await caller.types("1")).startswith("For your safety the time is up.")
    assert (await caller.types("1")).startswith("Type the 12-digit Aadhaar number")


async def test_an_account_with_nothing_in_it_is_said_to_be_empty(caller: Phone, digilocker: DigiLockerServer) -> None:
    digilocker.accounts[0].papers.clear()
    await asks_for(caller)
    assert (await caller.types(OTP)).startswith("There are no documents in this account yet.")


async def test_by_sms_the_document_is_one_message_and_not_said_again(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path)) as url, texter(url) as phone:
        assert (await phone.texts("হ্যালো")).startswith("কাগজপত্রের সাহায্য\n1 ডিজিলকার সেবা\n2 সেবা খুঁজুন\n3 সাহায্য")
        assert (await phone.texts("১")).startswith("আপনার কি ডিজিলকার অ্যাকাউন্ট আছে?")
        assert (await phone.texts("1")).startswith("আধার নম্বর দিন, ১২ সংখ্যা।")
        asked = await phone.texts("২৩৪১ ২৩৪১ ২৩৪৬", expect=2)
        assert "এই নম্বরে অ্যাকাউন্ট থাকলে" in asked
        code = re.search(r"^(\d{6}) আপনার একডায়াল কোড", asked, re.MULTILINE)
        assert code
        assert (await phone.texts(code[1])).startswith("আধারের শেষ চার সংখ্যা: 2346\nএকটি কাগজ বেছে নিন\n1 প্যান কার্ড\n")
        came = sorted((await phone.texts("1", expect=2)).split("\n---\n"))
        assert re.match(r"একডায়াল: প্যান কার্ড\nনমুনা, আসল নয়\nনম্বর SAMPL\d{4}E\n[\s\S]*/d/\w{17}$", came[0])
        assert came[1].startswith("প্যান কার্ড: লিংকসহ SMS দেখুন\n1 অন্যান্য কাগজপত্র\n")
        assert "1 প্যান কার্ড\n" in await phone.texts("1")
