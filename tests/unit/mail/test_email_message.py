"""Building e-mail messages: subject and body in any script, no header injection, the same id for a repeat."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message import EmailTemplate, InvalidAddressError, parse_address, parse_sender, split_subject

PAPER = EmailTemplate(Address("Ekdial", addr_spec="no-reply@ekdial.example"), "help@ekdial.example")
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
BENGALI = "একডায়াল: জন্ম নিবন্ধন সনদের আবেদন জমা হয়েছে, ট্র্যাকিং নম্বর 1234 5678 9012\n\nঅবস্থা জানতে *123# ডায়াল করুন।"
HINDI = "एकडायल: जन्म प्रमाणपत्र का आवेदन दर्ज है\n\nस्थिति जानने को *123# डायल करें।\nधन्यवाद।"


def digest(text):
    return f"{abs(hash(text)):x}"


def render_email(text="Hello\n\nGood day", to="amina@example.org", paper=PAPER):
    """The message as transmitted, and as a mail program parses it."""
    return message_from_bytes(bytes(paper.build_message(to, text, NOW, digest)), policy=SMTP)


@pytest.mark.parametrize("text", ["Hello\n\nGood day", BENGALI, HINDI], ids=["en", "bn", "hi"])
def test_the_first_line_is_the_subject_and_the_rest_the_body(text):
    email = render_email(text)
    subject, body = text.split("\n\n")
    assert email["Subject"] == subject
    assert email.get_content().replace("\r\n", "\n") == f"{body}\n"
    assert email.get_content_type() == "text/plain"


@pytest.mark.parametrize("text", ["Hello", BENGALI * 20, HINDI * 20], ids=["en", "bn", "hi"])
def test_what_goes_over_the_wire_is_seven_bits_in_lines_that_any_server_takes(text):
    wire = bytes(PAPER.build_message("amina@example.org", text, NOW, digest))
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


def test_a_letter_says_whom_it_is_from_and_that_nobody_wrote_it():
    email = render_email()
    assert email["From"] == "Ekdial <no-reply@ekdial.example>"
    assert (email["To"], email["Reply-To"]) == ("amina@example.org", "help@ekdial.example")
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["List-Unsubscribe"] == "<mailto:help@ekdial.example?subject=unsubscribe>"
    assert email["Date"].datetime == NOW


def test_a_repeat_has_the_same_message_id_and_anything_else_another():
    same = {render_email()["Message-ID"] for _ in range(3)}
    others = {render_email("Hello\n\nGood night")["Message-ID"], render_email(to="karim@example.org")["Message-ID"]}
    assert len(same) == 1
    assert len(same | others) == 3
    assert same.pop().endswith("@ekdial.example>")


@given(st.text(), st.text())
def test_no_text_puts_anything_into_the_headers(first, rest):
    email = render_email(f"Receipt {first}\nBcc: everybody@example.org\r\n\r\n{rest}\r\n.\r\nRCPT TO:<x@example.org>")
    assert email.keys() == [
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    ]
    assert not email.defects


@pytest.mark.parametrize(
    ("text", "subject", "body"),
    [
        ("One line", "One line", "One line\n"),
        ("\n  A subject  with\ta tab \n\n\nA body\n\n", "A subject with a tab", "A body\n"),
        ("A\rB: c\x0bd\x85e f\nBody", "A B: c d e f", "Body\n"),
        ("", "", "\n"),
    ],
)
def test_a_subject_is_one_line(text, subject, body):
    assert split_subject(text) == (subject, body)


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "@",
            "amina",
            "amina@",
            "@example.org",
            "a b@example.org",
            "a@b@example.org",
            "a@example.org\r\nBcc: b@c.d",
        ),
        *("a@example.org, b@example.org", "<a@example.org>", "Amina <a@example.org>", "আমিনা@example.org"),
        *(
            "a@উদাহরণ.বাংলা",
            "a@example.org\x00",
            '"a\r\n"@example.org',
            "a@exa mple.org",
            "a@example.org>",
            "a;b@example.org",
        ),
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(wrong):
    with pytest.raises(InvalidAddressError) as refused:
        parse_address(wrong)
    assert not wrong or wrong not in str(refused.value)


@given(st.text(max_size=40))
def test_nothing_typed_for_an_address_is_more_than_one(typed):
    try:
        read = parse_address(typed)
    except InvalidAddressError:
        return
    assert read.addr_spec == typed
    assert not set(typed) & set("\r\n <>,;\x00")


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("Ekdial <no-reply@example.org>", "Ekdial", "no-reply@example.org"),
        ("no-reply@example.org", "", "no-reply@example.org"),
        ('"Ekdial, the gateway" <a@b.example>', "Ekdial, the gateway", "a@b.example"),
        ("একডায়াল <a@b.example>", "একডায়াল", "a@b.example"),
    ],
)
def test_whom_mail_comes_from_is_read_as_people_write_it(text, name, spec):
    assert (parse_sender(text).display_name, parse_sender(text).addr_spec) == (name, spec)
