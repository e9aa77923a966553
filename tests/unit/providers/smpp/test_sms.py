"""SMS out over a bind: what the SMSC gets, and what its answers mean for the message."""

import asyncio
from datetime import timedelta

import pytest

from providers.smpp.pdus import MESSAGE_PAYLOAD
from providers.smpp.sms import SmppSms, find_sender_type, format_validity
from providers.smpp.statuses import STATUSES, name_status, outcome_from_status
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, Suspended, Unknown
from tests.fakes.smsc import RMSGQFUL, RTHROTTLED, run_smsc
from tests.support.smpp import build_bind, open_bound_link

RAHIMA = "+8801711000001"
RECEIPT = OutgoingMessage(RAHIMA, "Received: KA7F-2M9Q", "receipt", reference="ekdial77")
LONG = OutgoingMessage(RAHIMA, "x" * 400, "reply", reference="ekdial300")
ENTITY, TEMPLATE = "1101000000000012345", "1107000000000067890"


async def send(message, *statuses, **settings):
    """Send a message on a bind with these settings; return the outcome and what the SMSC got."""
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port, **settings)) as link:
        smsc.submit_statuses.extend(statuses)
        return await SmppSms(link).send(message), smsc.submitted


async def test_a_message_is_one_submit_with_the_fields_of_the_bind():
    outcome, (submitted,) = await send(RECEIPT, service_type="CMT")
    assert outcome == Accepted("smpp/robi/m1")
    pdu = submitted.pdu
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("333", 3, 0)
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("8801711000001", 1, 1)
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (b"Received: KA7F-2M9Q", 0, 0)
    assert (pdu.validity_period, pdu.registered_delivery, pdu.service_type) == ("000003000000000R", 1, "CMT")
    assert submitted.tlvs == {}


async def test_the_settings_of_the_bind_change_the_fields():
    _, (submitted,) = await send(
        RECEIPT, sender="EKDIAL", source_ton=0, source_npi=9, destination_ton=2, destination_npi=0,
        destination_plus=True, validity=False, reports=False,
    )  # fmt: skip
    pdu = submitted.pdu
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("EKDIAL", 0, 9)
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == (RAHIMA, 2, 0)
    assert (pdu.validity_period, pdu.registered_delivery) == ("", 0)


async def test_the_sender_of_the_message_counts_more_than_that_of_the_bind():
    _, (submitted,) = await send(OutgoingMessage(RAHIMA, "x", sender="GOVBD"), sender="333")
    assert (submitted.pdu.source_addr, submitted.pdu.source_addr_ton) == ("GOVBD", 5)


@pytest.mark.parametrize(
    ("sender", "kind"),
    [("", (0, 0)), ("333", (3, 0)), ("12345678", (3, 0)), ("8801711000001", (1, 1)), ("+333", (1, 1)), ("GOV BD", (5, 0)), ("৩৩৩", (5, 0))],
)  # fmt: skip
def test_the_type_of_a_sender_follows_from_its_form(sender, kind):
    assert find_sender_type(sender) == kind


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (timedelta(minutes=10), "000000001000000R"),
        (timedelta(hours=25, seconds=7), "000001010007000R"),
        (timedelta(days=3), "000003000000000R"),
    ],
    ids=range(3),
)
def test_a_validity_is_relative(period, text):
    assert format_validity(period) == text


async def test_a_registered_template_goes_in_the_optional_parameters_of_india():
    message = OutgoingMessage("+919810000001", "x", dlt=DltIds(ENTITY, TEMPLATE))
    _, (submitted,) = await send(message)
    assert submitted.tlvs == {0x1400: ENTITY.encode(), 0x1401: TEMPLATE.encode()}
    _, (submitted,) = await send(message, vendor_zero=True)
    assert submitted.tlvs == {0x1400: ENTITY.encode() + b"\0", 0x1401: TEMPLATE.encode() + b"\0"}
    _, (submitted,) = await send(OutgoingMessage("+919810000001", "x", dlt=DltIds(ENTITY)))
    assert submitted.tlvs == {0x1400: ENTITY.encode()}


# Long messages --------------------------------------------------------------------------------------------------------


async def test_segments_have_the_header_and_one_report_is_asked_for():
    outcome, submitted = await send(LONG)
    assert outcome == Accepted("smpp/robi/m3")
    assert [one.pdu.short_message[:6].hex() for one in submitted] == [f"0500032c03{n:02}" for n in (1, 2, 3)]
    assert b"".join(one.pdu.short_message[6:] for one in submitted) == b"x" * 400
    assert [one.pdu.esm_class for one in submitted] == [0x40] * 3
    assert [one.pdu.registered_delivery for one in submitted] == [0, 0, 1]


async def test_segments_by_optional_parameters():
    _, submitted = await send(LONG, long_messages="sar")
    assert [one.tlvs for one in submitted] == [
        {0x020C: b"\x00\x2c", 0x020E: b"\x03", 0x020F: bytes([n])} for n in (1, 2, 3)
    ]
    assert b"".join(one.pdu.short_message for one in submitted) == b"x" * 400
    assert {one.pdu.esm_class for one in submitted} == {0}


async def test_a_long_message_as_a_payload_is_one_submit():
    outcome, (submitted,) = await send(LONG, long_messages="payload")
    assert outcome == Accepted("smpp/robi/m1")
    assert submitted.pdu.short_message == b""
    assert submitted.tlvs == {MESSAGE_PAYLOAD: b"x" * 400}


async def test_bengali_is_ucs2_or_national_tables_as_the_setting_says():
    message = OutgoingMessage(RAHIMA, "আবেদন গৃহীত " * 8, "receipt")
    _, submitted = await send(message)
    assert [one.pdu.data_coding for one in submitted] == [8, 8]
    _, (one,) = await send(message, shift_tables=("bn", "hi"))
    assert (one.pdu.data_coding, one.pdu.esm_class, one.pdu.short_message[:7].hex()) == (0, 0x40, "06240104250104")


async def test_a_message_whose_second_segment_is_refused_is_unknown():
    outcome, submitted = await send(LONG, 0, 0x0B)
    assert outcome == Unknown("PartlySent")
    assert len(submitted) == 2


async def test_a_busy_smsc_does_not_leave_a_message_half_sent():
    outcome, submitted = await send(LONG, 0, RTHROTTLED)
    assert outcome == Accepted("smpp/robi/m4")
    assert len(submitted) == 4


async def test_a_lost_answer_to_a_later_segment_is_unknown():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port, response_timeout=0.3)) as link:
        smsc.submit_statuses.extend([0, None])
        assert await SmppSms(link).send(LONG) == Unknown("PartlySent")


# Outcomes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [*STATUSES, 0x401, 0x77], ids=hex)
def test_no_error_is_taken_for_an_acceptance_and_no_reason_has_a_value(status):
    outcome = outcome_from_status(status)
    assert not isinstance(outcome, Accepted)
    assert outcome.reason == name_status(status)
    assert outcome.reason.isidentifier()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0B, Rejected("RINVDSTADR")),
        (0x0A, Suspended("RINVSRCADR")),
        (0x45, Retry("RSUBMITFAIL", max_attempts=4)),
        (RTHROTTLED, Retry("RTHROTTLED", pauses_all=True)),
        (RMSGQFUL, Retry("RMSGQFUL", pauses_all=True)),
        (0x441, Retry("RVENDOR", max_attempts=4)),
        (0x1234, Unknown("RRESERVED")),
    ],
    ids=range(7),
)
async def test_an_error_is_the_outcome_of_its_status(status, outcome):
    assert (await send(RECEIPT, status))[0] == outcome


async def test_a_refused_template_suspends_its_messages():
    outcome, _ = await send(RECEIPT, 0x411, template_refusals=(0x411,))
    assert isinstance(outcome, Suspended)
    assert outcome.reason == "TemplateRefused411"


@pytest.mark.parametrize("to", ["", "8801711000001", "+880171100000১", "+8801711000001\n"], ids=range(4))
async def test_a_number_that_is_none_is_not_sent(to):
    assert await send(OutgoingMessage(to, "x")) == (Rejected("InvalidPhoneNumber"), [])


async def test_a_text_that_is_too_long_is_not_sent():
    assert await send(OutgoingMessage(RAHIMA, "x" * 40_000)) == (Rejected("TooLong"), [])


async def test_an_acceptance_without_an_id_is_unknown():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
        smsc.new_id = lambda _: ""
        assert await SmppSms(link).send(RECEIPT) == Unknown("NoMessageId")


async def test_without_an_answer_the_outcome_is_unknown():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port)) as link:
        smsc.submit_statuses.append(None)
        sending = asyncio.create_task(SmppSms(link).send(RECEIPT))
        await smsc.wait_for(lambda: smsc.submitted)
        smsc.kill()
        assert await sending == Unknown("NoAnswer")


async def test_without_a_bind_nothing_is_sent_and_all_wait():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port, reconnect_after=60)) as link:
        smsc.kill()
        await smsc.wait_for(lambda: link.state == "connecting")
        assert await SmppSms(link).send(RECEIPT) == Retry("NotBound", pauses_all=True)


async def test_a_refused_account_suspends():
    async with run_smsc(password="other") as smsc:
        from providers.smpp.link import open_link

        async with open_link(build_bind(smsc.port), None, name="robi") as link:
            await smsc.wait_for(lambda: link.state == "suspended")
            assert await SmppSms(link).send(RECEIPT) == Suspended("BindRefused")


async def test_ids_in_reports_may_be_in_another_base():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port, report_ids="decimal", account="main")) as link:
        smsc.new_id = lambda _: "0001A2f"
        assert await SmppSms(link).send(RECEIPT) == Accepted("smpp/main/6703")
