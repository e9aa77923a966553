"""A call over SMSCs that other people wrote: npm's `smpp`, and the server of `smpp34`."""

from pathlib import Path

import pytest

from core.gsm7 import BASIC_CHARACTERS
from tests.support.phone import MSISDN, build_settings
from tests.support.smpp_phone import run_bind, smpp_settings
from tests.support.smsc_programs import SmscProgram, run_npm_smsc, run_smpp34_smsc

DIAL, ANSWER, GO_ON, END = 1, 18, 2, 17
OP, INFO, REFERENCE = 0x0501, 0x1383, 0x0204
SOURCE = MSISDN[1:]


async def press_over_npm(smsc: SmscProgram, op: int, text: str, **session: object) -> dict:
    """The screen that answers a key press, as the package read it."""
    fields = {"source_addr": SOURCE, "source_addr_ton": 1, "destination_addr": "123", "short_message": text}
    await smsc.tell(do="deliver", fields={**fields, "service_type": "USSD", "ussd_service_op": op, **session})
    assert (await smsc.hear("answer"))["status"] == 0
    return await smsc.hear("submit")


@pytest.mark.parametrize(
    ("dialect", "session", "reads"),
    [
        ("standard", [{"its_session_info": "2a00"}, {"its_session_info": "2a02"}], {"info": ["2a00", "2a02"]}),
        ("sixdee", [{"its_session_info": "1234"}] * 2, {"info": ["1234", "1234"]}),
        ("mica", [{"user_message_reference": 1234}] * 2, {"user_reference": [1234, 1234]}),
        ("huawei", [{}, {}], {}),
        ("vendor32", [{}, {}], {}),
    ],
    ids=["standard", "sixdee", "mica", "huawei", "vendor32"],
)
async def test_npm_reads_the_screens_of_a_call(
    tmp_path: Path, dialect: str, session: list[dict], reads: dict[str, list]
) -> None:
    async with (
        run_npm_smsc() as smsc,
        run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, dialect))),
    ):
        await smsc.hear("bind")
        first = await press_over_npm(smsc, DIAL, "*123#", **session[0])
        assert first["text"].startswith("Ekdial: sorkari seba\n1 English")
        second = await press_over_npm(smsc, ANSWER, "1", **session[1])
        assert "1 Find a service" in second["text"]
        for screen in (first, second):
            assert (screen["op"], screen["source"], screen["destination"]) == (GO_ON, "123", SOURCE)
            assert (screen["service_type"], screen["report"], screen["udh"]) == ("USSD", 0, [])
        for name, values in reads.items():
            assert [first[name], second[name]] == values


async def test_the_server_of_smpp34_reads_the_screens_of_a_call_and_its_end(tmp_path: Path) -> None:
    async with run_smpp34_smsc() as smsc, run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, "sixdee"))):
        await smsc.hear("bind")
        for op, source, ends in ((DIAL, SOURCE, False), (ANSWER, SOURCE, False), (DIAL, "33612345678", True)):
            tlvs = {str(OP): f"{op:02x}", str(INFO): "1234"}
            await smsc.tell(do="deliver", source=source, hex=b"1".hex(), fields={"service_type": "USSD"}, tlvs=tlvs)
            assert (await smsc.hear("answer"))["status"] == 0
            screen = await smsc.hear("submit")
            expected = {str(OP): f"{END if ends else GO_ON:02x}", str(INFO): "1235" if ends else "1234"}
            assert (screen["tlvs"], screen["destination"], screen["coding"]) == (expected, source, 0)
            assert set(bytes.fromhex(screen["hex"])) <= set(range(len(BASIC_CHARACTERS) + 1))
