"""SMS over SMPP with SMSCs that other people wrote: npm's `smpp`, the server of `smpp34`, and Kannel's."""

import json
import subprocess
import sys

import pytest

from providers.smpp.link import open_link
from providers.smpp.pdus import Deliver
from providers.smpp.sms import SmppSms, build_text_rules
from providers.smpp.sms_inbound import read_part
from providers.smpp.text import decode_part
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry
from tests.support.smpp import build_bind, open_bound_link, wait_for_state
from tests.support.smsc_programs import ROOT, find_kannel, run_npm_smsc, run_smpp34_smsc

RAHIMA = "+8801711000001"
ENTITY, TEMPLATE = "1101000000000012345", "1107000000000067890"
BENGALI = "আপনার আবেদন গৃহীত হয়েছে। নম্বর KA7F-2M9Q। "
RECEIPT = OutgoingMessage(RAHIMA, "Received: {KA7F} €", "receipt", "ekdial7", dlt=DltIds(ENTITY, TEMPLATE))
LONG = OutgoingMessage(RAHIMA, BENGALI * 4, "reply", "ekdial8")


class Received:
    """What a link was delivered."""

    def __init__(self) -> None:
        self.delivers: list[Deliver] = []

    async def __call__(self, deliver: Deliver) -> int:
        self.delivers.append(deliver)
        return 0

    def parts(self):
        rules = build_text_rules(build_bind(1))
        return [
            read_part(one, decode_part(one.text, one.data_coding, rules, has_header=bool(one.esm_class & 0x40)))
            for one in self.delivers
        ]


async def test_npm_reads_what_we_submit():
    async with run_npm_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
        sms = SmppSms(link)
        assert await sms.send(RECEIPT) == Accepted("smpp/robi/n1")
        read = await smsc.hear("submit")
        assert (read["text"], read["udh"], read["coding"]) == ("Received: {KA7F} €", [], 0)
        assert (read["source"], read["destination"], read["ton"]) == ("333", "8801711000001", [3, 1])
        assert (bytes.fromhex(read["entity"]), bytes.fromhex(read["template"])) == (ENTITY.encode(), TEMPLATE.encode())
        assert read["report"] == 1
        assert abs(read["seconds"] - 3 * 86_400) < 3600
        assert await sms.send(LONG) == Accepted("smpp/robi/n4")
        segments = [await smsc.hear("submit") for _ in range(3)]
        assert "".join(one["text"] for one in segments) == LONG.text
        assert [one["udh"] for one in segments] == [[f"00030803{n:02}"] for n in (1, 2, 3)]


@pytest.mark.parametrize(("form", "count"), [("sar", 3), ("payload", 1)])
async def test_npm_reads_long_messages_in_other_forms(form, count):
    async with run_npm_smsc() as smsc, open_bound_link(build_bind(smsc.port, long_messages=form)) as link:
        assert await SmppSms(link).send(LONG) == Accepted(f"smpp/robi/n{count}")
        segments = [await smsc.hear("submit") for _ in range(count)]
        assert "".join(one["text"] for one in segments) == LONG.text
        if form == "sar":
            assert [one["sar"] for one in segments] == [[8, 3, n] for n in (1, 2, 3)]


async def test_npm_refuses_and_delivers_and_drops():
    received = Received()
    async with run_npm_smsc() as smsc, open_bound_link(build_bind(smsc.port), received) as link:
        await smsc.tell(do="reject", status=0x0B)
        await smsc.tell(do="reject", status=0x58)
        assert await SmppSms(link).send(RECEIPT) == Rejected("RINVDSTADR")
        assert await SmppSms(link).send(RECEIPT) == Retry("RTHROTTLED", pauses_all=True)
        address = {"source_addr": "8801711000001", "source_addr_ton": 1, "destination_addr": "333"}
        for fields in (
            {"short_message": "MENU {1}"},
            {"short_message": BENGALI[:60]},
            {"short_message": "two", "udh": "050003070201"},
            {"message_payload": "long " * 60},
        ):
            await smsc.tell(do="deliver", fields={**address, **fields})
            assert await smsc.hear("answer") == {"event": "answer", "command": "deliver_sm_resp", "status": 0}
        await smsc.tell(
            do="deliver", command="data_sm", fields={**address, "message_payload": "data", "data_coding": 0}
        )
        assert (await smsc.hear("answer"))["command"] == "data_sm_resp"
        await smsc.tell(do="enquire")
        assert (await smsc.hear("answer"))["status"] == 0
        assert [part.text for part in received.parts()] == ["MENU {1}", BENGALI[:60], "two", "long " * 60, "data"]
        assert (received.parts()[2].number, received.parts()[2].total) == (1, 2)
        assert {(one.source, one.destination) for one in received.delivers} == {("8801711000001", "333")}
        await smsc.tell(do="drop")
        await smsc.hear("bind")
        await smsc.hear("bind")
    await smsc.hear("unbind")


async def test_npm_refuses_a_password_and_answers_a_pair():
    async with run_npm_smsc() as smsc:
        async with open_link(build_bind(smsc.port).model_copy(), None, name="robi", password="wrong") as link:
            assert (await smsc.hear("bind"))["known"] is False
            await wait_for_state(link, "suspended")
        async with open_bound_link(build_bind(smsc.port, mode="pair", enquire_link=0.1)):
            binds = {(await smsc.hear("bind"))["command"] for _ in range(2)}
            assert binds == {"bind_transmitter", "bind_receiver"}
            await smsc.hear("enquire_link")


async def test_the_server_of_smpp34_reads_what_we_submit_and_delivers():
    received = Received()
    async with run_smpp34_smsc() as smsc, open_bound_link(build_bind(smsc.port), received) as link:
        assert await SmppSms(link).send(RECEIPT) == Accepted("smpp/robi/n1")
        read = await smsc.hear("submit")
        assert bytes.fromhex(read["hex"]) == b"Received: \x1b(KA7F\x1b) \x1be"
        assert read["tlvs"] == {str(0x1400): ENTITY.encode().hex(), str(0x1401): TEMPLATE.encode().hex()}
        assert (read["ton"], read["report"], read["esm_class"]) == ([3, 1], 1, 0)
        assert await SmppSms(link).send(LONG) == Accepted("smpp/robi/n4")
        segments = [bytes.fromhex((await smsc.hear("submit"))["hex"]) for _ in range(3)]
        assert b"".join(one[6:] for one in segments).decode("utf-16-be") == LONG.text
        await smsc.tell(do="reject", status=0x14)
        assert await SmppSms(link).send(RECEIPT) == Retry("RMSGQFUL", pauses_all=True)
        state = {str(0x001E): b"n1\0".hex(), str(0x0427): "02"}
        for told in (
            {"hex": b"MENU".hex(), "fields": {}},
            {"hex": BENGALI[:60].encode("utf-16-be").hex(), "fields": {"data_coding": 8}},
            {"hex": "", "fields": {"esm_class": 4}, "tlvs": state},
        ):
            await smsc.tell(do="deliver", source="8801711000001", **told)
            assert (await smsc.hear("answer"))["status"] == 0
        assert [part.text for part in received.parts()] == ["MENU", BENGALI[:60], ""]
        assert received.delivers[2].tlvs == {0x001E: b"n1\0", 0x0427: b"\x02"}


def test_kannel_delivers_and_takes_what_we_submit(tmp_path):
    script = str(ROOT / "tests/support/kannel_bind.py")
    command = [*find_kannel(), sys.executable, script, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603 - a script of ours
    said = json.loads(run.stdout.decode().splitlines()[-1])
    assert said == {"texts": [str(number) for number in range(1, 51)], "statuses": [0] * 5}
