"""Whole calls over a bind: in every dialect, by SMS too, with a PIN, and while another process takes the bind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from app.smpp import BindHolder
from db.database import Database
from db.leases import Lease
from db.tables import leases
from tests.fakes.smsc import Smsc, run_smsc
from tests.support.citizen_steps import PIN, register
from tests.support.phone import build_settings
from tests.support.smpp_phone import WIRES, SmppPhone, StrictNetwork, run_bind, smpp_settings
from tests.support.sms_phone import wait_until

FIRST_SCREEN = "Ekdial: sorkari seba\n1 English"
ABROAD = "+33612345678"


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with run_smsc() as smsc:
        yield smsc


@pytest.mark.parametrize("dialect", WIRES)
async def test_a_call_in_each_dialect(smsc: Smsc, tmp_path: Path, dialect: str) -> None:
    async with run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, dialect))):
        phone = SmppPhone(StrictNetwork(smsc), dialect=dialect)
        assert (await phone.dial()).startswith(FIRST_SCREEN)
        main_menu = await phone.enter("1")
        assert "1 Find a service" in main_menu
        assert await phone.enter("2", "0") == main_menu
        assert "Please choose" in await phone.enter("555")
        assert not phone.ended
        assert "12-digit" in await phone.dial("*123*2#")
        stranger = SmppPhone(StrictNetwork(smsc), ABROAD, dialect=dialect)
        await stranger.dial()
        assert stranger.ended


async def test_a_call_over_a_transmitter_and_a_receiver(smsc: Smsc, tmp_path: Path) -> None:
    async with run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, "mica", mode="pair"))):
        phone = SmppPhone(StrictNetwork(smsc), dialect="mica")
        assert (await phone.dial()).startswith(FIRST_SCREEN)
        assert "1 Find a service" in await phone.enter("1")


@pytest.mark.parametrize("dialect", ["standard", "mica", "sixdee"])
async def test_who_hangs_up_and_dials_again_gets_one_screen(smsc: Smsc, tmp_path: Path, dialect: str) -> None:
    async with run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, dialect))):
        phone = SmppPhone(StrictNetwork(smsc), dialect=dialect)
        await phone.dial()
        await phone.enter("1", "2")
        assert await phone.hang_up() == 0
        screens = phone.count_screens()
        assert await phone.dial()
        assert phone.count_screens() == screens + 1


async def test_what_is_typed_is_in_no_log_and_an_sms_goes_over_the_same_bind(
    smsc: Smsc, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with run_bind(build_settings(tmp_path, SERVER__LOG_LEVEL="debug", **smpp_settings(smsc.port))):
        phone = SmppPhone(StrictNetwork(smsc))
        assert "1 My applications" in await register(phone)
        assert "by SMS" in await phone.enter("00", "6")
        assert "get the app" in await phone.wait_for_sms("app")
        assert await StrictNetwork(smsc).deliver(phone.msisdn[1:], b"HELP", tlvs={}) == 0
        assert "STATUS" in await phone.wait_for_sms("STATUS")
    written = "".join(capfd.readouterr())
    assert "smpp_bound" in written
    for secret in (PIN, phone.msisdn[1:], "Amina", "Mirpur", "Ayesha", "HELP"):
        assert secret not in written


async def test_a_key_press_on_a_bind_without_ussd_is_refused_and_is_no_sms(smsc: Smsc, tmp_path: Path) -> None:
    async with run_bind(build_settings(tmp_path, **smpp_settings(smsc.port, ""))):
        phone = SmppPhone(StrictNetwork(smsc))
        with pytest.raises(AssertionError):
            await phone.dial()
        assert await phone.repeat() == 0xC4


async def test_a_holder_that_lost_its_lease_says_nothing_more(smsc: Smsc, tmp_path: Path) -> None:
    settings = build_settings(tmp_path, **smpp_settings(smsc.port))
    async with run_bind(settings), Database(settings.database.url.get_secret_value()) as database:
        phone = SmppPhone(StrictNetwork(smsc))
        await phone.dial()
        async with database.transaction() as transaction:
            await transaction.execute(update(leases).values(holder="other", fence=leases.c.fence + 1))
        await smsc.wait_for(lambda: not smsc.esmes)
        submitted = len(smsc.submitted)
        await smsc.wait_for(lambda: smsc.binds == 2)  # it takes over from the other one, which does not renew
        assert len(smsc.submitted) == submitted
        assert "1 Find a service" in await phone.enter("1")
    assert smsc.unbinds == 1


async def test_the_admin_server_says_whether_the_bind_is_there(smsc: Smsc, tmp_path: Path) -> None:
    async with (
        run_bind(build_settings(tmp_path, **smpp_settings(smsc.port))) as admin,
        TestClient(TestServer(admin)) as client,
    ):

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status == 200

        async def is_down() -> bool:
            states = await (await client.get("/readyz")).json()
            return states["smpp"] == "down" and states["why"]["smpp"].startswith("the bind is ")

        await smsc.wait_for(lambda: smsc.binds == 1)
        await wait_until(is_ready)
        metrics = await (await client.get("/metrics")).text()
        assert "ekdial_smpp_bound 1.0" in metrics
        assert "ekdial_smpp_held 1.0" in metrics
        smsc.bind_statuses.extend([0x0D] * 1000)
        smsc.kill()
        await wait_until(is_down)


async def test_a_failure_of_ours_gives_the_bind_back_and_holds_it_again(
    smsc: Smsc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve, failures = BindHolder._serve, [RuntimeError()]

    async def fail_once(holder: BindHolder, lease: Lease) -> None:
        if failures:
            raise failures.pop()
        await serve(holder, lease)

    monkeypatch.setattr(BindHolder, "_serve", fail_once)
    monkeypatch.setattr("app.smpp.RETRY_AFTER", 0.01)
    settings = build_settings(tmp_path, **smpp_settings(smsc.port))
    async with run_bind(settings), Database(settings.database.url.get_secret_value()) as database:
        assert await SmppPhone(StrictNetwork(smsc)).dial()
        assert (await database.fetch(select(leases.c.fence))).scalar_one() == 2
