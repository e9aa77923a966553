"""DigiLocker's adapter against a strict server: right, wrong, slow and missing answers."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from core.http.aiohttp_client import open_http_client
from services.documents.issuers.base import AccessExpiredError, Citizen, IssuerUnavailableError, NoSuchDocumentError
from services.documents.issuers.digilocker import DigiLocker, PartnerAccount
from services.documents.models import DocumentFacts, NewAccountDetails
from tests.fakes.digilocker_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    OTP,
    PDF,
    Account,
    DigiLockerServer,
    IssuedDocument,
    build_certificate,
    drip,
    drop_connection,
    hang,
    respond,
    respond_redirect,
    respond_status,
    sign_body,
    stream_endlessly,
)

AADHAAR, OTHER = "234123412346", "999941057058"
NUMBER = "+919000000001"
PAN = IssuedDocument("in.gov.cbdt-PANCR-ABCDE1234F", "PANCR", "PAN Verification Record")
CITIZEN = Citizen(AADHAAR, "holder", NUMBER)
NEWCOMER = NewAccountDetails("Test Holder", date(1970, 12, 31), "F")


class FakeAccess:
    """A grant that counts its renewals."""

    def __init__(self, granted):
        self.granted = granted
        self.renewals = 0

    async def save_renewed(self, granted):
        self.granted = granted
        self.renewals += 1


@pytest.fixture
async def server():
    mine = Account("mine-36", AADHAAR, "9000000001", [PAN])
    theirs = Account("theirs-36", OTHER, "9000000002", [PAN])
    async with DigiLockerServer(mine, theirs) as server:
        yield server


@pytest.fixture
async def locker(server):
    async with open_http_client(deadline=1.0, max_bytes=100_000) as client:
        yield DigiLocker(client, PartnerAccount(server.url, CLIENT_ID, CLIENT_SECRET), deadline=2.0)


async def sign_in(locker, citizen=CITIZEN, code=OTP):
    return await locker.grant_access((await locker.challenge(citizen)).state, code)


async def open_access(locker):
    granted = await sign_in(locker)
    assert granted
    return FakeAccess(granted)


async def find_card(locker, access):
    [held] = await locker.list_documents(access)
    return await locker.fetch_document(access, held)


async def test_a_right_code_opens_the_list_and_the_document_with_what_it_says(server, locker):
    access = await open_access(locker)
    [held] = await locker.list_documents(access)
    assert (held.uri, held.kind, held.issuer) == (PAN.uri, "PANCR", "Income Tax Department")
    document = await locker.fetch_document(access, held)
    assert document.file.content == PDF
    assert document.facts == DocumentFacts("ABCDE1234F", "Test Holder", "Income Tax Department", date(2015, 1, 12))
    assert not document.sample


async def test_digilocker_sends_its_code_itself(locker):
    assert (await locker.challenge(CITIZEN)).code_recipient == ""


@pytest.mark.parametrize(
    ("aadhaar", "number"),
    [(OTHER, NUMBER), (AADHAAR, "+919000000002"), ("123412341239", NUMBER), (AADHAAR, "+919000000099")],
    ids=["another's Aadhaar", "another's phone", "an Aadhaar nobody has", "a phone nobody has"],
)
async def test_a_code_opens_only_the_account_that_both_numbers_mean(locker, aadhaar, number):
    assert await sign_in(locker, Citizen(aadhaar, "holder", number)) is None


async def test_known_and_unknown_numbers_ask_the_same_questions(server, locker):
    for aadhaar in (AADHAAR, "123412341239"):
        server.requests.clear()
        await sign_in(locker, Citizen(aadhaar, "holder", NUMBER))
        assert sorted(server.request_paths()) == ["account/2/verify", "oauth2/1/code", "oauth2/1/token"]


async def test_a_number_of_another_country_is_answered_alike_and_opens_nothing(server, locker):
    assert await sign_in(locker, Citizen(AADHAAR, "holder", "+8801700000001")) is None
    assert server.request_paths() == ["account/2/verify"]


async def test_a_wrong_code_opens_nothing_and_the_right_one_still_does(locker):
    state = (await locker.challenge(CITIZEN)).state
    assert await locker.grant_access(state, "000000") is None
    assert await locker.grant_access(state, OTP)
    assert await locker.grant_access(state, OTP) is None


async def test_whose_the_token_is_can_be_asked_for(server, locker):
    server.includes_account_id = False
    assert await sign_in(locker)
    assert await sign_in(locker, Citizen(OTHER, "holder", NUMBER)) is None


async def test_an_account_is_made_and_opened_by_the_code_that_proves_its_number(server, locker):
    newcomer = Citizen("123412341239", "holder", "+919000000007", NEWCOMER)
    state = (await locker.challenge(newcomer)).state
    [asked] = [asked for asked in server.requests if asked.path == "signup/2/demoauth"]
    assert (asked.fields["dob"], asked.fields["consent"], asked.fields["verification"]) == ("31121970", "Y", "Y")
    assert await locker.grant_access(state, "000000") is None
    granted = await locker.grant_access(state, OTP)
    assert granted
    assert await locker.list_documents(FakeAccess(granted)) == []


async def test_a_token_that_was_given_without_a_code_is_not_used(server, locker):
    known = Citizen(AADHAAR, "holder", NUMBER, NEWCOMER)
    state = (await locker.challenge(known)).state
    assert set(state) == {"flow", "device_code", "account"}, "it is signed in to with a code instead"
    assert await locker.grant_access(state, "000000") is None


async def test_somebody_elses_aadhaar_with_their_name_opens_nothing_on_another_phone(locker):
    thief = Citizen(OTHER, "holder", NUMBER, NEWCOMER)
    assert await sign_in(locker, thief) is None


async def test_what_is_not_as_on_the_card_is_answered_alike_and_opens_nothing(locker):
    wrong = NewAccountDetails("Another Name", date(1970, 12, 31), "F")
    assert await sign_in(locker, Citizen("123412341239", "holder", "+919000000007", wrong)) is None


async def test_a_token_that_is_refused_is_renewed_once(server, locker):
    access = await open_access(locker)
    server.forget_access_tokens()
    assert len(await locker.list_documents(access)) == 1
    assert access.renewals == 1


async def test_a_token_that_is_about_to_end_is_renewed_before_it_is_used(server, locker):
    server.expires_in = 20
    access = await open_access(locker)
    server.requests.clear()
    await locker.list_documents(access)
    assert server.request_paths() == ["oauth2/1/token", "oauth2/2/files/issued"]


async def test_one_that_is_refused_in_spite_of_that_ends_the_access(server, locker):
    access = await open_access(locker)
    server.respond_with(
        "oauth2/2/files/issued", respond_status(401, "invalid_token"), respond_status(401, "invalid_token")
    )
    with pytest.raises(AccessExpiredError):
        await locker.list_documents(access)


async def test_without_a_refresh_token_that_counts_the_access_has_ended(server, locker):
    access = await open_access(locker)
    server.forget_all_tokens()
    with pytest.raises(AccessExpiredError):
        await locker.list_documents(access)
    with pytest.raises(AccessExpiredError):
        await locker.list_documents(FakeAccess({**access.granted, "refresh": ""}))


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504, 530])
async def test_what_passes_is_asked_again(server, locker, code):
    access = await open_access(locker)
    server.respond_with("oauth2/2/files/issued", respond_status(code), respond_status(code))
    assert len(await locker.list_documents(access)) == 1


async def test_what_does_not_pass_is_down(server, locker):
    access = await open_access(locker)
    server.respond_with("oauth2/2/files/issued", *[respond_status(500)] * 3)
    with pytest.raises(IssuerUnavailableError):
        await locker.list_documents(access)
    assert server.request_paths().count("oauth2/2/files/issued") == 3


async def test_a_dropped_connection_is_tried_again_where_nothing_can_happen_twice(server, locker):
    access = await open_access(locker)
    server.respond_with("oauth2/2/files/issued", drop_connection())
    assert len(await locker.list_documents(access)) == 1


@pytest.mark.parametrize("path", ["oauth2/1/code", "oauth2/1/token"])
async def test_what_may_have_sent_or_used_a_code_is_not_asked_again(server, locker, path):
    server.respond_with(path, drop_connection())
    with pytest.raises(IssuerUnavailableError):
        await sign_in(locker)
    assert server.request_paths().count(path) == 1


ODD = {
    "html": respond(b"<html>Sign in</html>", "text/html"),
    "not json": respond(b"{"),
    "a list": respond(b"[]"),
    "no items": respond(b"{}"),
    "items that are none": respond(b'{"items": "many"}'),
    "json of another type": respond(b'{"items": []}', "text/plain"),
    "a redirect": respond_redirect(),
    "forbidden": respond_status(403, "insufficient_scope"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_what_cannot_be_used_is_down(server, locker, odd):
    access = await open_access(locker)
    server.respond_with("oauth2/2/files/issued", odd)
    with pytest.raises(IssuerUnavailableError):
        await locker.list_documents(access)
    assert "elsewhere" not in server.request_paths()


@pytest.mark.parametrize("slow", [hang, drip, stream_endlessly])
@pytest.mark.parametrize("path", ["account/2/verify", "oauth2/1/code", "oauth2/1/token", "oauth2/2/files/issued"])
async def test_what_takes_too_long_or_is_too_much_ends_in_time(server, path, slow):
    async with open_http_client(deadline=0.3, max_bytes=100_000) as client:
        locker = DigiLocker(client, PartnerAccount(server.url, CLIENT_ID, CLIENT_SECRET), deadline=0.5)
        server.respond_with(path, *[slow(server)] * 3)
        began = asyncio.get_running_loop().time()
        with pytest.raises(IssuerUnavailableError):
            await locker.list_documents(await open_access(locker))
        assert asyncio.get_running_loop().time() - began < 2


async def test_nobody_there_is_down():
    async with open_http_client(deadline=0.5, max_bytes=1000) as client:
        locker = DigiLocker(client, PartnerAccount("http://127.0.0.1:1/public", CLIENT_ID, CLIENT_SECRET), deadline=2.0)
        with pytest.raises(IssuerUnavailableError):
            await locker.challenge(CITIZEN)


@pytest.mark.parametrize("path", ["account/2/verify", "oauth2/1/code"])
async def test_a_partner_who_is_not_known_there_is_down_and_nobody_is_told_more(server, locker, path):
    server.respond_with(path, respond_status(401, "invalid_client_id"))
    with pytest.raises(IssuerUnavailableError):
        await locker.challenge(CITIZEN)


async def test_a_client_secret_that_is_wrong_is_not_taken_for_a_wrong_code(server, locker):
    state = (await locker.challenge(CITIZEN)).state
    server.respond_with("oauth2/1/token", respond_status(401, "invalid_client"))
    with pytest.raises(IssuerUnavailableError):
        await locker.grant_access(state, OTP)


async def test_a_document_that_is_not_as_it_was_sealed_is_not_handed_on(server, locker):
    access = await open_access(locker)
    forged = respond(b"%PDF another", "application/pdf", hmac=sign_body(PDF))
    for odd in (
        forged,
        respond(PDF, "application/pdf"),
        respond(PDF, "application/pdf", hmac=sign_body(PDF, "guessed")),
    ):
        server.respond_with("oauth2/1/file/", odd)
        with pytest.raises(IssuerUnavailableError):
            await find_card(locker, access)


@pytest.mark.parametrize("media", ["text/html", "application/octet-stream", "image/svg+xml"])
async def test_a_document_of_a_type_that_a_browser_might_run_is_not_handed_on(server, locker, media):
    access = await open_access(locker)
    server.respond_with("oauth2/1/file/", respond(PDF, media, hmac=sign_body(PDF)))
    with pytest.raises(IssuerUnavailableError):
        await find_card(locker, access)


async def test_a_document_that_is_too_large_is_not_fetched(server, locker):
    access = await open_access(locker)
    server.accounts[0].documents[0] = IssuedDocument(PAN.uri, "PANCR", "PAN", file=bytes(200_000))
    with pytest.raises(IssuerUnavailableError):
        await find_card(locker, access)


async def test_a_document_that_is_gone_is_said_to_be(server, locker):
    access = await open_access(locker)
    [held] = await locker.list_documents(access)
    server.accounts[0].documents.clear()
    with pytest.raises(NoSuchDocumentError):
        await locker.fetch_document(access, held)


@pytest.mark.parametrize(
    "xml",
    [b"", b"<Certificate", b"<html/>", b'<!DOCTYPE a [<!ENTITY b "c">]><Certificate number="1"/>', b"\x00\x01"],
)
async def test_without_xml_that_can_be_read_the_document_says_what_the_list_said(server, locker, xml):
    access = await open_access(locker)
    server.accounts[0].documents[0] = IssuedDocument(PAN.uri, "PANCR", "PAN", xml=xml)
    document = await find_card(locker, access)
    assert document.facts == DocumentFacts(issuer="Income Tax Department")
    assert document.file.content == PDF


async def test_a_document_without_xml_is_not_asked_for_it(server, locker):
    access = await open_access(locker)
    server.accounts[0].documents[0] = IssuedDocument(PAN.uri, "PANCR", "PAN", mime="application/PDF")
    await find_card(locker, access)
    assert not [path for path in server.request_paths() if "/xml/" in path]


async def test_entries_that_cannot_be_understood_are_left_out(server, locker):
    access = await open_access(locker)
    good = {"uri": PAN.uri, "doctype": "", "description": "Income certificate", "mime": None}
    odd = [None, 7, {}, {"uri": ""}, {"uri": "../../oauth2/1/user"}, {"uri": ".."}, {"uri": "a/b-c"}, good]
    body = str({"items": odd}).replace("'", '"').replace("None", "null").encode()
    server.respond_with("oauth2/2/files/issued", respond(body))
    [held] = await locker.list_documents(access)
    assert (held.uri, held.kind, held.title, held.media_types) == (PAN.uri, "", "Income certificate", ())


async def test_an_address_stays_the_one_segment_that_it_is(server, locker):
    access = await open_access(locker)
    server.accounts[0].documents[0] = IssuedDocument("in.gov.x-ABCDE-12/34 5", "ABCDE", "Paper")
    assert (await find_card(locker, access)).file.content == PDF


def test_certificates_say_their_dates_in_more_than_one_way():
    from services.documents.certificate import parse_facts

    assert parse_facts(build_certificate(issued="12/01/2015", expires="2030-09-24")).valid_until == date(2030, 9, 24)
    assert parse_facts(build_certificate(issued="soon", expires="00-00-0000")) == DocumentFacts(
        "ABCDE1234F", "Test Holder", "Income Tax Department"
    )
    spaced = b'<c:Certificate xmlns:c="urn:x" number=" 1 "/>'
    assert parse_facts(spaced) == DocumentFacts("1")


async def test_tokens_are_kept_until_shortly_before_they_end(locker, server):
    access = await open_access(locker)
    until = datetime.fromisoformat(access.granted["until"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)
