"""Sending by SMTP to a real server on loopback: clear and encrypted, with and without login, every response."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import get_args

import pytest
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected

from mail.message import EmailTemplate
from mail.smtp import (
    CASES,
    GREYLIST_DELAY,
    SmtpProvider,
    SmtpServer,
    SmtpStage,
    StageResponse,
    classify_error,
    outcome_for,
)
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, Suspended, Unknown
from tests.support.certificates import build_tls_context, create_certificate
from tests.support.servers import free_port
from tests.support.smtp_server import (
    HANG_UP,
    KEEP_SILENT,
    LOGIN_NAME,
    LOOPBACK,
    PASSWORD,
    check_login,
    run_scripted_server,
    run_smtp_server,
)

AMINA = "amina@example.org"
TEXT = "জন্ম নিবন্ধনের আবেদন জমা হয়েছে\n\nট্র্যাকিং নম্বর 1234 5678 9012"
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
PAPER = EmailTemplate(Address("Ekdial", addr_spec="no-reply@ekdial.example"), "help@ekdial.example")
LATER = NOW + GREYLIST_DELAY


def build_client(port, security="none", **more):
    """The client, connected to this port."""
    server = SmtpServer(LOOPBACK, port, security, **{"deadline": 5.0, **more})
    return SmtpProvider(server, PAPER, lambda text: f"{len(text):032x}", lambda: NOW)


@asynccontextmanager
async def run_both(security="none", *, office=None, **more):
    """A server and a client."""
    async with (
        run_smtp_server(**(office or {})) as smtp_server,
        build_client(smtp_server.port, security, **more) as smtp,
    ):
        yield smtp_server, smtp


# What goes well ------------------------------------------------------------------------------------------------------


async def test_a_letter_arrives_as_it_was_written():
    async with run_both() as (smtp_server, smtp):
        sent = await smtp.send(OutgoingMessage(AMINA, TEXT))
    [email], [envelope] = smtp_server.received_emails, smtp_server.envelopes
    assert sent == Accepted(email["Message-ID"])
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@ekdial.example", [AMINA])
    assert [email["Subject"], email.get_content().strip()] == TEXT.split("\n\n")


async def test_a_lone_dot_does_not_end_a_letter():
    async with run_both() as (smtp_server, smtp):
        await smtp.send(OutgoingMessage(AMINA, "Subject\n\nOne\n.\nTwo\n..three"))
    assert smtp_server.received_emails[0].get_content().split() == ["One", ".", "Two", "..three"]


async def test_one_connection_carries_one_letter_after_the_other():
    async with run_both() as (smtp_server, smtp):
        outcomes = [await smtp.send(OutgoingMessage(AMINA, f"Letter {number}")) for number in range(5)]
    assert {type(one) for one in outcomes} == {Accepted}
    assert (len(smtp_server.received_emails), smtp_server.connections) == (5, 1)


async def test_several_at_once_have_a_connection_each():
    async with run_both() as (smtp_server, smtp):
        await asyncio.gather(*(smtp.send(OutgoingMessage(AMINA, f"Letter {number}")) for number in range(4)))
        await asyncio.gather(*(smtp.send(OutgoingMessage(AMINA, f"Letter {number}")) for number in range(4)))
    assert (len(smtp_server.received_emails), smtp_server.connections) == (8, 4)


async def test_a_connection_that_was_closed_meanwhile_costs_no_letter():
    async with run_both() as (smtp_server, smtp):
        await smtp.send(OutgoingMessage(AMINA, "Letter 1"))
        smtp_server.drop_connections()
        assert isinstance(await smtp.send(OutgoingMessage(AMINA, "Letter 2")), Accepted)
    assert (len(smtp_server.received_emails), smtp_server.connections) == (2, 2)


async def test_a_connection_kept_too_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr("mail.smtp.IDLE_TTL_SECONDS", -1.0)
    async with run_both() as (smtp_server, smtp):
        await smtp.send(OutgoingMessage(AMINA, "Letter 1"))
        await smtp.send(OutgoingMessage(AMINA, "Letter 2"))
    assert smtp_server.connections == 2


async def test_a_refused_letter_leaves_no_connection_in_the_middle_of_something():
    async with run_both() as (smtp_server, smtp):
        smtp_server.answers["RCPT"] = "550 5.1.1 No such user"
        await smtp.send(OutgoingMessage(AMINA, "Letter 1"))
        smtp_server.answers.clear()
        assert isinstance(await smtp.send(OutgoingMessage("karim@example.org", "Letter 2")), Accepted)
    assert [envelope.rcpt_tos for envelope in smtp_server.envelopes] == [["karim@example.org"]]


async def test_what_is_no_address_is_refused_before_anybody_is_asked():
    async with run_both() as (smtp_server, smtp):
        assert await smtp.send(OutgoingMessage("amina@example.org>\r\nRCPT TO:<x@example.org", TEXT)) == Rejected(
            "InvalidAddress"
        )
    assert smtp_server.connections == 0


# Encrypted, and with a login -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trusted_certificate(tmp_path_factory):
    return create_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def untrusted_certificate(tmp_path_factory):
    return create_certificate(tmp_path_factory.mktemp("other"))


LOGIN = {"username": LOGIN_NAME, "password": PASSWORD}
WITH_LOGIN = {"auth_required": True, "authenticator": check_login}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")  # it only knows of STARTTLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_letter_with_a_login_arrives(security, trusted_certificate):
    office = {
        security: build_tls_context(trusted_certificate),
        **WITH_LOGIN,
        "auth_require_tls": security == "starttls",
    }
    async with run_both(security, office=office, ca_file=str(trusted_certificate), **LOGIN) as (smtp_server, smtp):
        assert isinstance(await smtp.send(OutgoingMessage(AMINA, TEXT)), Accepted)
        assert isinstance(await smtp.send(OutgoingMessage(AMINA, TEXT)), Accepted)
    assert smtp_server.connections == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_holds_all_mail(
    security, trusted_certificate, untrusted_certificate
):
    office = {security: build_tls_context(untrusted_certificate)}
    async with run_both(security, office=office, ca_file=str(trusted_certificate)) as (smtp_server, smtp):
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == Suspended("CertificateNotTrusted")
    assert smtp_server.received_commands == []


async def test_a_certificate_of_another_machine_holds_all_mail(tmp_path):
    elsewhere = create_certificate(tmp_path, "192.0.2.7")
    async with run_both("starttls", office={"starttls": build_tls_context(elsewhere)}, ca_file=str(elsewhere)) as (
        _,
        smtp,
    ):
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == Suspended("CertificateNotTrusted")


async def test_where_no_encryption_is_offered_nothing_is_told():
    async with run_both("starttls", **LOGIN) as (smtp_server, smtp):
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == Suspended("NoTls")
    assert smtp_server.received_commands == []


async def test_a_server_that_does_not_encrypt_where_it_should_is_told_nothing():
    async with run_both("tls") as (smtp_server, smtp):
        assert isinstance(await smtp.send(OutgoingMessage(AMINA, TEXT)), Suspended)
    assert smtp_server.received_commands == []


@pytest.mark.parametrize(
    ("office", "login", "outcome"),
    [
        (WITH_LOGIN, {"username": LOGIN_NAME, "password": "wrong"}, Suspended("LoginRefused")),
        (WITH_LOGIN, {}, Suspended("LoginNeeded")),
        ({"auth_exclude_mechanism": ["LOGIN", "PLAIN"]}, LOGIN, Suspended("NoLogin")),
    ],
    ids=["wrong password", "none given", "none known"],
)
async def test_a_login_that_fails_holds_all_mail(office, login, outcome, trusted_certificate):
    office = {"starttls": build_tls_context(trusted_certificate), **office}
    async with run_both("starttls", office=office, ca_file=str(trusted_certificate), **login) as (smtp_server, smtp):
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == outcome
    assert smtp_server.received_emails == []


def test_a_file_that_vouches_for_nobody_is_found_at_once(tmp_path):
    (tmp_path / "none.pem").write_text("no certificate")
    for file in ("none.pem", "missing.pem"):
        with pytest.raises(OSError, match=r"NO_CERTIFICATE|No such file"):
            build_client(25, ca_file=str(tmp_path / file))
    assert issubclass(ssl.SSLError, OSError)


# What a server may answer --------------------------------------------------------------------------------------------


ANSWERS = [
    ("MAIL", "421 4.3.2 Closing", Retry("SenderNotNow")),
    ("MAIL", "451 4.3.0 Try later", Retry("SenderNotNow")),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Suspended("LoginNeeded")),
    ("MAIL", "550 5.7.1 Sender rejected", Suspended("SenderRefused")),
    ("MAIL", "553 5.7.1 Sender address not owned by user", Suspended("SenderRefused")),
    ("RCPT", "450 4.2.0 Greylisted, see https://example.org", Retry("RecipientNotNow", LATER)),
    ("RCPT", "451 4.7.1 Greylisting in action, please come back later", Retry("RecipientNotNow", LATER)),
    ("RCPT", "452 4.2.2 Mailbox full", Retry("RecipientNotNow", LATER)),
    ("RCPT", "421 4.7.0 Too many connections", Retry("RecipientNotNow", LATER)),
    ("RCPT", "550 5.1.1 No such user", Rejected("RecipientRefused")),
    ("RCPT", "552 5.2.2 Mailbox full", Rejected("RecipientRefused")),
    ("RCPT", "550 5.7.1 Rejected by policy", Rejected("RecipientRefused")),
    ("RCPT", "553 5.1.3 Bad recipient address syntax", Rejected("RecipientRefused")),
    ("RCPT", "554 5.7.1 <amina@example.org>: Relay access denied", Suspended("RelayingDenied")),
    ("RCPT", "454 4.7.1 <amina@example.org>: Relay access denied", Suspended("RelayingDenied")),
    ("RCPT", "550 relay not permitted", Suspended("RelayingDenied")),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Suspended("RelayingDenied")),
    ("RCPT", "530 5.7.0 Authentication required", Suspended("LoginNeeded")),
    ("DATA", "451 4.7.1 Greylisted", Retry("ContentNotNow", LATER)),
    ("DATA", "452 4.3.1 Out of space", Retry("ContentNotNow", LATER)),
    ("DATA", "550 5.7.1 This looks like spam", Rejected("ContentRefused")),
    ("DATA", "552 5.3.4 Too large", Rejected("ContentRefused")),
    ("DATA", "554 5.6.0 Transaction failed", Rejected("ContentRefused")),
    ("MAIL", HANG_UP, Retry("NoAnswer")),
    ("RCPT", HANG_UP, Retry("NoAnswer")),
    ("DATA", HANG_UP, Unknown("NoAnswer")),
    ("RCPT", "999 what is this", Retry("NoAnswer")),
    ("DATA", "what is this", Unknown("NoAnswer")),
    ("DATA", "300 and now?", Unknown("NoAnswer")),
]


@pytest.mark.parametrize(("command", "answer", "outcome"), ANSWERS)
async def test_an_answer_means_one_outcome(command, answer, outcome):
    async with run_both() as (smtp_server, smtp):
        smtp_server.answers[command] = answer
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == outcome
    assert smtp_server.received_emails == []


@pytest.mark.parametrize(
    ("command", "outcome"), [("MAIL", Retry("NoAnswer")), ("RCPT", Retry("NoAnswer")), ("DATA", Unknown("NoAnswer"))]
)
async def test_silence_is_waited_for_until_the_deadline_and_no_longer(command, outcome):
    async with run_both(deadline=0.1) as (smtp_server, smtp):
        smtp_server.answers[command] = KEEP_SILENT
        async with asyncio.timeout(2):
            assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == outcome


STARTTLS = "250-post.example\r\n250 STARTTLS"


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (["554 5.3.2 No SMTP service here"], Suspended("ServerRefusesUs")),
        (["421 4.3.2 Too busy"], Retry("ServerBusy", pauses_all=True)),
        (["HTTP/1.1 400 Bad Request"], Retry("NotConnected", pauses_all=True)),
        ([], Retry("NotConnected", pauses_all=True)),
        (["220 ready", "554 5.7.1 Not you"], Suspended("ServerRefusesUs")),
        (["220 ready", "421 4.7.0 Not now"], Retry("ServerBusy", pauses_all=True)),
        (["220 ready"], Retry("NoAnswer")),
        (["220 ready", STARTTLS, "454 4.7.0 TLS not available"], Retry("NoTlsNow", pauses_all=True)),
        (["220 ready", STARTTLS, "501 5.5.4 No"], Suspended("TlsRefused")),
        (["220 ready", STARTTLS], Retry("NoAnswer")),
    ],
)
async def test_what_goes_wrong_before_a_letter_is_told_is_no_letters_fault(greeting, outcome):
    async with run_scripted_server(*greeting) as port, build_client(port, "starttls") as smtp:
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == outcome


async def test_where_nobody_listens_it_is_tried_later():
    async with build_client(free_port()) as smtp:
        assert await smtp.send(OutgoingMessage(AMINA, TEXT)) == Retry("NotConnected", pauses_all=True)


async def test_a_send_that_is_cut_short_leaves_no_connection_behind():
    async with run_both() as (smtp_server, smtp):
        smtp_server.answers["DATA"] = KEEP_SILENT
        sending = asyncio.create_task(smtp.send(OutgoingMessage(AMINA, TEXT)))
        await smtp_server.silent.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert smtp._idle_connections == []


@pytest.mark.parametrize("stage", get_args(SmtpStage))
@pytest.mark.parametrize("what", get_args(StageResponse))
def test_whatever_is_said_anywhere_has_an_outcome_and_only_the_letter_itself_is_unclear(stage, what):
    outcome = outcome_for(stage, what, NOW)
    assert isinstance(outcome, Accepted | Rejected | Retry | Suspended | Unknown)
    assert isinstance(outcome, Unknown) == (stage == "data" and what not in {"later", "never"})


def connection_lost_error(cause):
    """The library's error for a lost connection, with its cause."""
    lost = SMTPServerDisconnected("Connection lost")
    lost.__cause__ = cause
    return lost


@pytest.mark.parametrize(
    ("stage", "error", "what"),
    [
        ("data", connection_lost_error(ssl.SSLError(1, "bad record mac")), "nothing"),
        ("data", ssl.SSLError(1, "bad record mac"), "nothing"),
        ("data", TimeoutError(), "nothing"),
        ("data", SMTPResponseException(-1, "Malformed SMTP response line"), "nothing"),
        ("tls", ssl.SSLEOFError(8, "EOF occurred"), "nothing"),
        ("tls", ssl.SSLError(1, "wrong version number"), "never"),
        ("connect", connection_lost_error(ssl.SSLCertVerificationError(1, "self-signed")), "untrusted"),
        ("login", SMTPException("no such extension"), "unsupported"),
    ],
)
def test_what_is_no_answer_is_taken_for_none(stage, error, what):
    assert classify_error(stage, error) == what


def test_reasons_are_words_fit_for_a_log():
    reasons = {case.reason for answers in CASES.values() for case in answers.values()}
    assert all(reason.isalpha() and reason.isascii() for reason in reasons)
