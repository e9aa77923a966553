"""E-mail by SMTP: to a real server on loopback, in clear and encrypted, with and without a login, and all it may answer."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import get_args

import pytest
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected

from mail.letter import Paper
from mail.smtp import CASES, GREYLISTED, Said, Server, Smtp, Stage, meaning, said
from services.messages.sends import Accepted, Held, Refused, Retry, Unclear
from tests.mail.post_office import (
    HANGS_UP,
    HERE,
    KEEPS_SILENT,
    NAME,
    PASSWORD,
    certificate,
    may_come_in,
    open_office,
    scripted,
    serves_with,
)
from tests.servers import free_port

AMINA = "amina@example.org"
TEXT = "জন্ম নিবন্ধনের আবেদন গ্রহণ করা হয়েছে\n\nট্র্যাকিং নম্বর 1234 5678 9012"
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
PAPER = Paper(Address("Ekdial", addr_spec="no-reply@ekdial.example"), "help@ekdial.example")
LATER = NOW + GREYLISTED


def speaking(port, security="none", **more):
    """Our side, to whatever listens there."""
    server = Server(HERE, port, security, **{"deadline": 5.0, **more})
    return Smtp(server, PAPER, lambda text: f"{len(text):032x}", lambda: NOW)


@asynccontextmanager
async def both(security="none", *, office=None, **more):
    """Both sides."""
    async with open_office(**(office or {})) as post, speaking(post.port, security, **more) as smtp:
        yield post, smtp


# What goes well ------------------------------------------------------------------------------------------------------


async def test_a_letter_arrives_as_it_was_written():
    async with both() as (post, smtp):
        sent = await smtp.send(AMINA, TEXT)
    [letter], [envelope] = post.letters, post.envelopes
    assert sent == Accepted(letter["Message-ID"])
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@ekdial.example", [AMINA])
    assert [letter["Subject"], letter.get_content().strip()] == TEXT.split("\n\n")


async def test_a_lone_dot_does_not_end_a_letter():
    async with both() as (post, smtp):
        await smtp.send(AMINA, "Subject\n\nOne\n.\nTwo\n..three")
    assert post.letters[0].get_content().split() == ["One", ".", "Two", "..three"]


async def test_one_connection_carries_one_letter_after_the_other():
    async with both() as (post, smtp):
        outcomes = [await smtp.send(AMINA, f"Letter {number}") for number in range(5)]
    assert {type(one) for one in outcomes} == {Accepted}
    assert (len(post.letters), post.connections) == (5, 1)


async def test_several_at_once_have_a_connection_each():
    async with both() as (post, smtp):
        await asyncio.gather(*(smtp.send(AMINA, f"Letter {number}") for number in range(4)))
        await asyncio.gather(*(smtp.send(AMINA, f"Letter {number}") for number in range(4)))
    assert (len(post.letters), post.connections) == (8, 4)


async def test_a_connection_that_was_closed_meanwhile_costs_no_letter():
    async with both() as (post, smtp):
        await smtp.send(AMINA, "Letter 1")
        post.hang_up()
        assert isinstance(await smtp.send(AMINA, "Letter 2"), Accepted)
    assert (len(post.letters), post.connections) == (2, 2)


async def test_a_connection_kept_too_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr("mail.smtp.KEPT", -1.0)
    async with both() as (post, smtp):
        await smtp.send(AMINA, "Letter 1")
        await smtp.send(AMINA, "Letter 2")
    assert post.connections == 2


async def test_a_refused_letter_leaves_no_connection_in_the_middle_of_something():
    async with both() as (post, smtp):
        post.answers["RCPT"] = "550 5.1.1 No such user"
        await smtp.send(AMINA, "Letter 1")
        post.answers.clear()
        assert isinstance(await smtp.send("karim@example.org", "Letter 2"), Accepted)
    assert [envelope.rcpt_tos for envelope in post.envelopes] == [["karim@example.org"]]


async def test_what_is_no_address_is_refused_before_anybody_is_asked():
    async with both() as (post, smtp):
        assert await smtp.send("amina@example.org>\r\nRCPT TO:<x@example.org", TEXT) == Refused("InvalidAddress")
    assert post.connections == 0


# Encrypted, and with a login -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("other"))


LOGIN = {"username": NAME, "password": PASSWORD}
WITH_LOGIN = {"auth_required": True, "authenticator": may_come_in}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")  # it only knows of STARTTLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_letter_with_a_login_arrives(security, trusted):
    office = {security: serves_with(trusted), **WITH_LOGIN, "auth_require_tls": security == "starttls"}
    async with both(security, office=office, ca_file=str(trusted), **LOGIN) as (post, smtp):
        assert isinstance(await smtp.send(AMINA, TEXT), Accepted)
        assert isinstance(await smtp.send(AMINA, TEXT), Accepted)
    assert post.connections == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_holds_all_mail(security, trusted, stranger):
    office = {security: serves_with(stranger)}
    async with both(security, office=office, ca_file=str(trusted)) as (post, smtp):
        assert await smtp.send(AMINA, TEXT) == Held("CertificateNotTrusted")
    assert post.heard == []


async def test_a_certificate_of_another_machine_holds_all_mail(tmp_path):
    elsewhere = certificate(tmp_path, "192.0.2.7")
    async with both("starttls", office={"starttls": serves_with(elsewhere)}, ca_file=str(elsewhere)) as (_, smtp):
        assert await smtp.send(AMINA, TEXT) == Held("CertificateNotTrusted")


async def test_where_no_encryption_is_offered_nothing_is_told():
    async with both("starttls", **LOGIN) as (post, smtp):
        assert await smtp.send(AMINA, TEXT) == Held("NoTls")
    assert post.heard == []


async def test_a_server_that_does_not_encrypt_where_it_should_is_told_nothing():
    async with both("tls") as (post, smtp):
        assert isinstance(await smtp.send(AMINA, TEXT), Held)
    assert post.heard == []


@pytest.mark.parametrize(
    ("office", "login", "outcome"),
    [
        (WITH_LOGIN, {"username": NAME, "password": "wrong"}, Held("LoginRefused")),
        (WITH_LOGIN, {}, Held("LoginNeeded")),
        ({"auth_exclude_mechanism": ["LOGIN", "PLAIN"]}, LOGIN, Held("NoLogin")),
    ],
    ids=["wrong password", "none given", "none known"],
)
async def test_a_login_that_fails_holds_all_mail(office, login, outcome, trusted):
    office = {"starttls": serves_with(trusted), **office}
    async with both("starttls", office=office, ca_file=str(trusted), **login) as (post, smtp):
        assert await smtp.send(AMINA, TEXT) == outcome
    assert post.letters == []


def test_a_file_that_vouches_for_nobody_is_found_at_once(tmp_path):
    (tmp_path / "none.pem").write_text("no certificate")
    for file in ("none.pem", "missing.pem"):
        with pytest.raises(OSError, match=r"NO_CERTIFICATE|No such file"):
            speaking(25, ca_file=str(tmp_path / file))
    assert issubclass(ssl.SSLError, OSError)


# What a server may answer --------------------------------------------------------------------------------------------


ANSWERS = [
    ("MAIL", "421 4.3.2 Closing", Retry("SenderNotNow")),
    ("MAIL", "451 4.3.0 Try later", Retry("SenderNotNow")),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Held("LoginNeeded")),
    ("MAIL", "550 5.7.1 Sender rejected", Held("SenderRefused")),
    ("MAIL", "553 5.7.1 Sender address not owned by user", Held("SenderRefused")),
    ("RCPT", "450 4.2.0 Greylisted, see https://example.org", Retry("RecipientNotNow", LATER)),
    ("RCPT", "451 4.7.1 Greylisting in action, please come back later", Retry("RecipientNotNow", LATER)),
    ("RCPT", "452 4.2.2 Mailbox full", Retry("RecipientNotNow", LATER)),
    ("RCPT", "421 4.7.0 Too many connections", Retry("RecipientNotNow", LATER)),
    ("RCPT", "550 5.1.1 No such user", Refused("RecipientRefused")),
    ("RCPT", "552 5.2.2 Mailbox full", Refused("RecipientRefused")),
    ("RCPT", "550 5.7.1 Rejected by policy", Refused("RecipientRefused")),
    ("RCPT", "553 5.1.3 Bad recipient address syntax", Refused("RecipientRefused")),
    ("RCPT", "554 5.7.1 <amina@example.org>: Relay access denied", Held("RelayingDenied")),
    ("RCPT", "454 4.7.1 <amina@example.org>: Relay access denied", Held("RelayingDenied")),
    ("RCPT", "550 relay not permitted", Held("RelayingDenied")),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Held("RelayingDenied")),
    ("RCPT", "530 5.7.0 Authentication required", Held("LoginNeeded")),
    ("DATA", "451 4.7.1 Greylisted", Retry("ContentNotNow", LATER)),
    ("DATA", "452 4.3.1 Out of space", Retry("ContentNotNow", LATER)),
    ("DATA", "550 5.7.1 This looks like spam", Refused("ContentRefused")),
    ("DATA", "552 5.3.4 Too large", Refused("ContentRefused")),
    ("DATA", "554 5.6.0 Transaction failed", Refused("ContentRefused")),
    ("MAIL", HANGS_UP, Retry("NoAnswer")),
    ("RCPT", HANGS_UP, Retry("NoAnswer")),
    ("DATA", HANGS_UP, Unclear("NoAnswer")),
    ("RCPT", "999 what is this", Retry("NoAnswer")),
    ("DATA", "what is this", Unclear("NoAnswer")),
    ("DATA", "300 and now?", Unclear("NoAnswer")),
]


@pytest.mark.parametrize(("command", "answer", "outcome"), ANSWERS)
async def test_an_answer_means_one_outcome(command, answer, outcome):
    async with both() as (post, smtp):
        post.answers[command] = answer
        assert await smtp.send(AMINA, TEXT) == outcome
    assert post.letters == []


@pytest.mark.parametrize(
    ("command", "outcome"), [("MAIL", Retry("NoAnswer")), ("RCPT", Retry("NoAnswer")), ("DATA", Unclear("NoAnswer"))]
)
async def test_silence_is_waited_for_until_the_deadline_and_no_longer(command, outcome):
    async with both(deadline=0.1) as (post, smtp):
        post.answers[command] = KEEPS_SILENT
        async with asyncio.timeout(2):
            assert await smtp.send(AMINA, TEXT) == outcome


STARTTLS = "250-post.example\r\n250 STARTTLS"


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (["554 5.3.2 No SMTP service here"], Held("ServerRefusesUs")),
        (["421 4.3.2 Too busy"], Retry("ServerBusy", everybody=True)),
        (["HTTP/1.1 400 Bad Request"], Retry("NotConnected", everybody=True)),
        ([], Retry("NotConnected", everybody=True)),
        (["220 ready", "554 5.7.1 Not you"], Held("ServerRefusesUs")),
        (["220 ready", "421 4.7.0 Not now"], Retry("ServerBusy", everybody=True)),
        (["220 ready"], Retry("NoAnswer")),
        (["220 ready", STARTTLS, "454 4.7.0 TLS not available"], Retry("NoTlsNow", everybody=True)),
        (["220 ready", STARTTLS, "501 5.5.4 No"], Held("TlsRefused")),
        (["220 ready", STARTTLS], Retry("NoAnswer")),
    ],
)
async def test_what_goes_wrong_before_a_letter_is_told_is_no_letters_fault(greeting, outcome):
    async with scripted(*greeting) as port, speaking(port, "starttls") as smtp:
        assert await smtp.send(AMINA, TEXT) == outcome


async def test_where_nobody_listens_it_is_tried_later():
    async with speaking(free_port()) as smtp:
        assert await smtp.send(AMINA, TEXT) == Retry("NotConnected", everybody=True)


async def test_a_send_that_is_cut_short_leaves_no_connection_behind():
    async with both() as (post, smtp):
        post.answers["DATA"] = KEEPS_SILENT
        sending = asyncio.create_task(smtp.send(AMINA, TEXT))
        await post.silent.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert smtp._idle == []


@pytest.mark.parametrize("stage", get_args(Stage))
@pytest.mark.parametrize("what", get_args(Said))
def test_whatever_is_said_anywhere_has_an_outcome_and_only_the_letter_itself_is_unclear(stage, what):
    outcome = meaning(stage, what, NOW)
    assert isinstance(outcome, Accepted | Refused | Retry | Held | Unclear)
    assert isinstance(outcome, Unclear) == (stage == "data" and what not in {"later", "never"})


def lost_by(cause):
    """A connection that the library says was lost, and why."""
    lost = SMTPServerDisconnected("Connection lost")
    lost.__cause__ = cause
    return lost


@pytest.mark.parametrize(
    ("stage", "error", "what"),
    [
        ("data", lost_by(ssl.SSLError(1, "bad record mac")), "nothing"),
        ("data", ssl.SSLError(1, "bad record mac"), "nothing"),
        ("data", TimeoutError(), "nothing"),
        ("data", SMTPResponseException(-1, "Malformed SMTP response line"), "nothing"),
        ("tls", ssl.SSLEOFError(8, "EOF occurred"), "nothing"),
        ("tls", ssl.SSLError(1, "wrong version number"), "never"),
        ("connect", lost_by(ssl.SSLCertVerificationError(1, "self-signed")), "untrusted"),
        ("login", SMTPException("no such extension"), "unsupported"),
    ],
)
def test_what_is_no_answer_is_taken_for_none(stage, error, what):
    assert said(stage, error) == what


def test_reasons_are_words_fit_for_a_log():
    reasons = {case.reason for answers in CASES.values() for case in answers.values()}
    assert all(reason.isalpha() and reason.isascii() for reason in reasons)
