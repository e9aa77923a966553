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

from config.settings import Settings
from db.database import Database
from db.migrate import upgrade
from db.tables import messages
from tests.fakes.digilocker_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    OTP,
    Account,
    DigiLockerServer,
    IssuedDocument,
    respond_status,
)
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone

AADHAAR, OTHER = "234123412346", "999941057058"
STRANGER = "+8801700000002"
UNICODE = "99998"


@dataclass
class RestartableGateway:
    """A gateway that can lose everything that may be lost: its process, and its Redis."""

    settings: Settings
    http: ClientSession
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    phones: list[Phone] = field(default_factory=list)

    async def phone(self, number: str = "+8801700000001", network: str = "99999") -> Phone:
        self.phones.append(Phone(self.http, await self._url(), number, network=network))
        return self.phones[-1]

    async def lose_everything(self) -> None:
        await self.stack.aclose()
        url = self.settings.redis.url.get_secret_value()
        if url != "memory://":
            with redis.Redis.from_url(url) as client:
                client.flushdb()
        self.stack = AsyncExitStack()
        address = await self.stack.enter_async_context(run_gateway(self.settings))
        for phone in self.phones:
            phone.url = address

    async def claim_sms(self) -> int:
        async with Database(self.settings.database.url.get_secret_value()) as database:
            return (await database.fetch(select(func.count()).select_from(messages))).scalar_one()

    async def _url(self) -> str:
        if self.phones:
            return self.phones[0].url
        return await self.stack.enter_async_context(run_gateway(self.settings))


@pytest.fixture
async def gateway(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[RestartableGateway]:
    await upgrade(database_url)
    async with ClientSession() as http:
        gateway = RestartableGateway(build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url), http)
        try:
            yield gateway
        finally:
            await gateway.stack.aclose()


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


def code_in(sms: str) -> str:
    found = re.search(r"\d{6}", sms)
    assert found, sms
    return found[0]


async def read_all_pages(phone: Phone, screen: str, more: str) -> str:
    """A screen with all its pages, without their feet."""
    pages = [screen]
    while f"98 {more}" in pages[-1]:
        pages.append(await phone.enter("98"))
    return "\n".join(re.sub(r"\n(98|0) .*", "", page) for page in pages)


async def open_documents(phone: Phone, aadhaar: str = AADHAAR, language: str = "1") -> str:
    """From the first call to the question for the code."""
    await phone.dial()
    return await phone.enter(language, "3", "1", "1", aadhaar)


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_the_whole_of_it_in_english_though_everything_is_forgotten_twice(gateway: RestartableGateway) -> None:
    phone = await gateway.phone()
    await phone.dial()
    assert "3 Documents" in await phone.enter("1")
    assert await phone.enter("3") == "Documents helpdesk\n1 DigiLocker services\n2 Find a service\n3 Help\n0 Back"
    assert await phone.enter("1") == "Do you have a DigiLocker account?\n1 Yes\n2 No, create one\n0 Back"
    assert await phone.enter("1") == "Type the 12-digit Aadhaar number. It is not kept\n0 Back"
    assert (await phone.enter("234123412345")).startswith("One of those digits seems wrong\nType the 12-digit")
    asked = await phone.enter("2341 2341 2346")
    assert asked.startswith("If this Aadhaar number has an account, a 6-digit code (OTP) is going")
    code = code_in(await phone.wait_for_sms("is your Ekdial code"))
    assert (await phone.enter("000000")).startswith("That code is not right.")
    await gateway.lose_everything()
    listed = await phone.enter(code)
    assert listed.startswith("Aadhaar ending 2346. Choose a document\n1 PAN card\n2 Driving licence\n")
    await gateway.lose_everything()
    shown = await phone.enter("2")
    assert re.match(r"Driving licence\nSAMPLE, not valid\nNo\. XX\d{13}\nSAMPLE CITIZEN\nIssued .*\nValid to ", shown)
    assert re.search(r"Driving licence\n.*\n?.*XX\d{13}[\s\S]*/d/\w{17}$", await phone.wait_for_sms("/d/"))
    assert await phone.enter("1") == listed
    assert (await phone.enter("1")).startswith("PAN card\n")
    assert await gateway.claim_sms() == 3, "a code and two documents, however often the path was walked"


async def test_the_whole_of_it_in_bengali_though_everything_is_forgotten_twice(gateway: RestartableGateway) -> None:
    phone = await gateway.phone(network=UNICODE)
    await phone.dial()
    main = await read_all_pages(phone, await phone.enter("2"), "আরও")
    assert "3 কাগজপত্র\n" in main
    assert (await read_all_pages(phone, await phone.enter("3"), "আরও")) == (
        "কাগজপত্র হেল্পডেস্ক\n1 ডিজিলকার সেবা\n2 সেবা খুঁজুন\n3 সাহায্য"
    )
    assert await read_all_pages(phone, await phone.enter("1"), "আরও") == (
        "আপনার কি ডিজিলকার অ্যাকাউন্ট আছে?\n1 হ্যাঁ\n2 না, খুলতে চাই"
    )
    assert (await phone.enter("1")).startswith("আধার নম্বর দিন, ১২ সংখ্যা।")
    assert (await phone.enter("২৩৪১২৩৪১২৩৪৫")).startswith("নম্বরের কোথাও ভুল আছে")
    asked = await phone.enter("২৩৪১২৩৪১২৩৪৬")
    assert asked.startswith("এই আধারে অ্যাকাউন্ট থাকলে")
    code = code_in(await phone.wait_for_sms("আপনার একডায়াল কোড"))
    await gateway.lose_everything()
    listed = await phone.enter(code)
    rows = await read_all_pages(phone, listed, "আরও")
    assert rows.startswith("আধারের শেষ চার সংখ্যা: 2346\nএকটি কাগজ বেছে নিন\n1 প্যান কার্ড\n2 ড্রাইভিং লাইসেন্স\n")
    assert rows.endswith("9 সাধারণ বিমা")
    await gateway.lose_everything()
    assert "দশম শ্রেণির মার্কশিট\nনমুনা, আসল নয়" in await read_all_pages(phone, await phone.enter("4"), "আরও")
    sms = await phone.wait_for_sms("/d/")
    assert sms.startswith("একডায়াল: দশম শ্রেণির মার্কশিট\nনমুনা, আসল নয়\nনম্বর SAMPLE-X-")
    assert "২৪ ঘণ্টায় ৫ বার খোলা যাবে: http" in sms
    assert await gateway.claim_sms() == 2


async def test_anothers_number_shows_nothing_without_the_code_that_goes_to_its_owner(phone: Phone) -> None:
    await open_documents(phone)
    await phone.enter(code_in(await phone.wait_for_sms("is your Ekdial code")))
    stranger = Phone(phone.http, phone.url, STRANGER)
    known, unknown = await open_documents(stranger), await stranger.enter("1", "1", OTHER)
    assert known == unknown, "the same screen for a number that is somebody's and one that is nobody's"
    await stranger.wait_for_sms("is your Ekdial code")  # for the number that is nobody's
    await stranger.redial()
    await stranger.enter("3", "1", "1", AADHAAR)
    assert (await stranger.enter("000000")).startswith("That code is not right.")


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_whoever_hangs_up_to_read_the_code_goes_on_with_it(phone: Phone) -> None:
    asked = await open_documents(phone)
    code = code_in(await phone.wait_for_sms("is your Ekdial code"))
    assert (await phone.dial()).startswith("You did not finish last time\n")
    assert await phone.enter("1") == asked
    listed = await phone.enter(code)
    assert "\n1 " in listed
    assert (await phone.dial()).startswith("Ekdial\n"), "the documents are open to that call alone"


async def test_an_account_is_made_from_what_the_card_says(phone: Phone) -> None:
    await phone.dial()
    consent = await phone.enter("1", "3", "1", "2")
    assert consent.startswith("DigiLocker will check your name, date of birth and Aadhaar number, and open an account")
    assert await phone.enter("1") == "Type your name as it is on your Aadhaar card\n0 Back"
    assert (await phone.enter("Test Holder")).startswith("Type your date of birth")
    assert (await phone.enter("31-02-1990")).startswith("There is no such day. Type it as 21111990")
    assert (await phone.enter("21.11.1990")).startswith("Gender on the Aadhaar card\n1 Female")
    assert (await phone.enter("1")).startswith("Type the 12-digit Aadhaar number")
    assert (await phone.enter(AADHAAR)).startswith("If your details match your Aadhaar card")
    listed = await phone.enter(code_in(await phone.wait_for_sms("is your Ekdial code")))
    assert listed.startswith("Aadhaar ending 2346.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12345", "Number of digits typed: 5"),
        ("aadhaar", "Please type digits only"),
        ("2341234123466", "Number of digits typed: 13"),
        ("234123412347", "One of those digits seems wrong"),
        ("123412341239", "That is not an Aadhaar number"),
        ("212345543212", "That is not an Aadhaar number. Please check it"),
    ],
)
async def test_a_wrong_number_is_told_what_is_wrong_with_it(phone: Phone, typed: str, said: str) -> None:
    assert (await open_documents(phone, typed)).startswith(f"{said}")


async def test_a_sixth_number_in_an_hour_is_too_many(phone: Phone) -> None:
    await open_documents(phone)
    for _ in range(4):
        assert (await phone.enter("1", "1", AADHAAR)).startswith("If this Aadhaar number has an account")
    assert (await phone.enter("1", "1", AADHAAR)).startswith("Too many tries.")


async def test_who_gets_no_code_is_told_where_it_goes(phone: Phone) -> None:
    await open_documents(phone)
    told = await phone.enter("1")
    assert told.startswith("The code goes to the phone that the account is registered with.")
    assert told.endswith("\n1 Try again\n2 Help\n0 Back")
    assert (await phone.enter("0")).startswith("If this Aadhaar number has an account")


async def test_a_code_that_was_used_up_leads_to_a_new_one(phone: Phone) -> None:
    await open_documents(phone)
    code = code_in(await phone.wait_for_sms("is your Ekdial code"))
    for _ in range(5):
        await phone.enter("000000")
    assert (await phone.enter(code)).startswith("That code no longer works.\n1 Ask for a new code")
    assert (await phone.enter("1")).startswith("Type the 12-digit Aadhaar number")


@pytest.fixture
async def digilocker() -> AsyncIterator[DigiLockerServer]:
    papers = [
        IssuedDocument("in.gov.cbdt-PANCR-ABCDE1234F", "PANCR", "PAN Verification Record"),
        IssuedDocument("in.gov.x-RATCR-1", "RATCR", "Ration card"),
    ]
    async with DigiLockerServer(Account("mine-36", AADHAAR, "9000000001", papers)) as server:
        yield server


@pytest.fixture
async def caller_phone(tmp_path: Path, digilocker: DigiLockerServer) -> AsyncIterator[Phone]:
    settings = build_settings(
        tmp_path,
        DOCUMENTS__ISSUER="digilocker",
        DOCUMENTS__BASE_URL=digilocker.url,
        DOCUMENTS__CLIENT_ID=CLIENT_ID,
        DOCUMENTS__CLIENT_SECRET=CLIENT_SECRET,
        DOCUMENTS__DEADLINE="1",
    )
    async with run_gateway(settings) as url, ClientSession() as http:
        yield Phone(http, url, "+919000000001")


async def test_with_digilocker_the_code_is_its_own_and_the_document_is_real(caller_phone: Phone) -> None:
    await open_documents(caller_phone)
    assert await caller_phone.enter(OTP) == (
        "Aadhaar ending 2346. Choose a document\n1 PAN card\n2 Ration card\n0 Main menu"
    )
    assert await caller_phone.enter("1") == (
        "PAN card\nNo. ABCDE1234F\nTest Holder\nIssued 12 Jan 2015\nThe link will come by SMS\n1 Other documents\n0 Back"
    )
    link = re.search(r"/d/(\w+)", await caller_phone.wait_for_sms("ABCDE1234F"))
    assert link
    async with caller_phone.http.post(f"{caller_phone.url}/d/{link[1]}", data={"file": "1"}) as file:
        assert (file.status, file.content_type, await file.read()) == (200, "application/pdf", b"%PDF-1.4 a card")


async def test_an_issuer_that_is_down_is_said_to_be_and_works_when_it_is_back(
    caller_phone: Phone, digilocker: DigiLockerServer
) -> None:
    digilocker.respond_with("oauth2/1/code", respond_status(503))
    assert (await open_documents(caller_phone)).startswith("The document service is not answering right now.")
    assert (await caller_phone.enter("1", AADHAAR)).startswith("If this Aadhaar number has an account")
    digilocker.respond_with("oauth2/1/token", respond_status(503))
    assert (await caller_phone.enter(OTP)).startswith(
        "The document service is not answering right now. Please wait a minute"
    )
    digilocker.respond_with("oauth2/2/files/issued", *[respond_status(503)] * 3)
    assert (await caller_phone.enter(OTP)).startswith(
        "The document service is slow or down just now. Nothing was lost."
    )
    assert (await caller_phone.enter("1")).startswith("Aadhaar ending 2346.")
    digilocker.accounts[0].documents.clear()
    assert (await caller_phone.enter("2")).startswith("The office that issued this document no longer has it.")


async def test_when_the_time_is_up_the_number_is_asked_for_again(
    caller_phone: Phone, digilocker: DigiLockerServer
) -> None:
    await open_documents(caller_phone)
    await caller_phone.enter(OTP)
    digilocker.forget_all_tokens()
    assert (await caller_phone.enter("1")).startswith("For your safety, time is up.")
    assert (await caller_phone.enter("1")).startswith("Type the 12-digit Aadhaar number")


async def test_an_account_with_nothing_in_it_is_said_to_be_empty(
    caller_phone: Phone, digilocker: DigiLockerServer
) -> None:
    digilocker.accounts[0].documents.clear()
    await open_documents(caller_phone)
    assert (await caller_phone.enter(OTP)).startswith("There are no documents in this account yet.")


async def test_by_sms_the_document_is_one_message_and_not_said_again(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url) as phone:
        assert (await phone.send_sms("হ্যালো")).startswith("কাগজপত্র হেল্পডেস্ক\n1 ডিজিলকার সেবা\n2 সেবা খুঁজুন\n3 সাহায্য")
        assert (await phone.send_sms("১")).startswith("আপনার কি ডিজিলকার অ্যাকাউন্ট আছে?")
        assert (await phone.send_sms("1")).startswith("আধার নম্বর দিন, ১২ সংখ্যা।")
        asked = await phone.send_sms("২৩৪১ ২৩৪১ ২৩৪৬", expect=2)
        assert "এই আধারে অ্যাকাউন্ট থাকলে" in asked
        code = re.search(r"^(\d{6}) আপনার একডায়াল কোড", asked, re.MULTILINE)
        assert code
        assert (await phone.send_sms(code[1])).startswith("আধারের শেষ চার সংখ্যা: 2346\nএকটি কাগজ বেছে নিন\n1 প্যান কার্ড\n")
        came = sorted((await phone.send_sms("1", expect=2)).split("\n---\n"))
        assert re.match(r"একডায়াল: প্যান কার্ড\nনমুনা, আসল নয়\nনম্বর SAMPL\d{4}E\n[\s\S]*/d/\w{17}$", came[0])
        assert came[1].startswith("প্যান কার্ড: লিংকসহ SMS দেখুন\n1 অন্যান্য কাগজপত্র\n")
        assert "1 প্যান কার্ড\n" in await phone.send_sms("1")
