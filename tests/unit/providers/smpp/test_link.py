"""A bind is kept alive, and nothing that the SMSC sends or leaves out ends the process."""

import asyncio
import socket

import pytest

from providers.smpp.link import (
    AnswerLostError,
    LinkDownError,
    LinkSuspendedError,
    Pace,
    Submit,
    SubmitResult,
    open_link,
)
from providers.smpp.pdus import Deliver
from tests.fakes.smsc import (
    DELIVER,
    NACK,
    RALYBND,
    RESPONSE,
    RINVPASWD,
    RMSGQFUL,
    RTHROTTLED,
    RX_T_APPN,
    pack,
    run_smsc,
)
from tests.support.certificates import build_tls_context, create_certificate
from tests.support.privacy import capture_all_logs
from tests.support.smpp import build_bind, open_bound_link

HELLO = Submit("333", "8801711000001", b"hello")


async def test_a_message_is_submitted_and_answered():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
        assert await link.submit(HELLO) == SubmitResult(0, "m1")
        assert link.state == "bound"
    assert smsc.submitted[0].pdu.short_message == b"hello"
    assert (smsc.unbinds, smsc.binds) == (1, 1)


async def test_a_pair_submits_on_the_transmitter_and_receives_on_the_receiver():
    received = []

    async def take(deliver: Deliver) -> int:
        received.append(deliver.text)
        return 0

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port, mode="pair"), take) as link:
        assert {esme.mode for esme in smsc.esmes} == {"transmitter", "receiver"}
        assert (await link.submit(HELLO)).status == 0
        assert await smsc.deliver(text=b"MENU") == 0
    assert received == [b"MENU"]
    assert smsc.unbinds == 2


async def test_a_link_over_tls_wants_the_certificate_of_its_host(tmp_path):
    file = create_certificate(tmp_path)
    async with run_smsc(tls=build_tls_context(file)) as smsc:
        async with open_bound_link(build_bind(smsc.port, tls=True, tls_ca=file)) as link:
            assert (await link.submit(HELLO)).status == 0
        async with open_link(build_bind(smsc.port, tls=True), None) as link:
            await asyncio.sleep(0.3)
            assert link.state == "connecting"
            with pytest.raises(LinkDownError):
                await link.submit(HELLO)


# The answer comes after the commit ------------------------------------------------------------------------------------


async def test_a_delivery_is_acknowledged_after_its_handler_has_returned():
    committed = asyncio.Event()

    async def take(_: Deliver) -> int:
        await committed.wait()
        return 0

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), take):
        answer = asyncio.create_task(smsc.deliver())
        assert not (await asyncio.wait({answer}, timeout=0.2))[0]
        committed.set()
        assert await answer == 0


async def test_the_smsc_is_asked_to_repeat_what_could_not_be_committed():
    async def fail(_: Deliver) -> int:
        raise ConnectionError

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), fail):
        assert await smsc.deliver() == RX_T_APPN


async def test_deliveries_of_one_sender_keep_their_order_and_others_do_not_wait():
    seen, first = [], asyncio.Event()

    async def take(deliver: Deliver) -> int:
        if deliver.text == b"1":
            await first.wait()
        seen.append(deliver.text)
        return 0

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), take):
        rahima = [asyncio.create_task(smsc.deliver("8801711000001", text)) for text in (b"1", b"2", b"3")]
        assert await smsc.deliver("8801711000002", b"other") == 0
        first.set()
        assert await asyncio.gather(*rahima) == [0, 0, 0]
    assert seen == [b"other", b"1", b"2", b"3"]


async def test_a_delivery_may_submit_while_the_window_is_full():
    async def take(_: Deliver) -> int:
        return (await link.submit(HELLO)).status

    async with run_smsc(window=1) as smsc, open_bound_link(build_bind(smsc.port, window=1), take) as link:
        assert await asyncio.gather(*(smsc.deliver(f"88017110{n:05}") for n in range(20))) == [0] * 20


async def test_a_data_sm_is_a_delivery():
    seen = []

    async def take(deliver: Deliver) -> int:
        seen.append(deliver)
        return 0

    body = b"\0\x01\x018801711000001\0\x00\x01333\0\x40\x01\x08" + b"\x04\x24\x00\x04\x09\x95\x09\x96"
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), take):
        assert await smsc.request(pack(0x103, 7, body)) == (0x103 | RESPONSE, 0)
    (deliver,) = seen
    assert (deliver.source, deliver.destination, deliver.source_ton) == ("8801711000001", "333", 1)
    assert (deliver.text, deliver.data_coding, deliver.esm_class) == (b"\x09\x95\x09\x96", 8, 0x40)


async def test_more_deliveries_than_are_worked_on_at_a_time_are_to_be_repeated(monkeypatch):
    monkeypatch.setattr("providers.smpp.session.MAX_DELIVERIES", 2)
    committed = asyncio.Event()

    async def take(_: Deliver) -> int:
        await committed.wait()
        return 0

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), take):
        first = [asyncio.create_task(smsc.deliver(f"88017110000{n:02}")) for n in range(2)]
        await asyncio.sleep(0)
        assert await smsc.deliver("8801711000099") == RX_T_APPN
        committed.set()
        assert await asyncio.gather(*first) == [0, 0]


async def test_a_delivery_that_takes_too_long_is_to_be_repeated(monkeypatch):
    monkeypatch.setattr("providers.smpp.session.DELIVER_TIMEOUT", 0.1)

    async def take(_: Deliver) -> int:
        await asyncio.Event().wait()
        return 0

    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port), take):
        assert await smsc.deliver() == RX_T_APPN


async def test_an_smsc_that_does_not_read_is_dropped(monkeypatch):
    monkeypatch.setattr("providers.smpp.session.MAX_UNSENT", 10)
    with capture_all_logs() as logs:
        async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port)) as link:
            transport = link._connections[0]._session._writer.transport
            monkeypatch.setattr(type(transport), "get_write_buffer_size", lambda _: 11, raising=False)
            with pytest.raises(AnswerLostError):
                await link.submit(HELLO)
            monkeypatch.undo()
    assert "smpp_connection_stuck" in logs.getvalue()


# Window, pace, answers ------------------------------------------------------------------------------------------------


async def test_no_more_requests_wait_for_an_answer_than_the_window_allows():
    async with run_smsc(window=5) as smsc, open_bound_link(build_bind(smsc.port, window=5)) as link:
        smsc.answer_delay = 0.01
        results = await asyncio.gather(*(link.submit(HELLO) for _ in range(60)))
    assert {result.status for result in results} == {0}
    assert len({result.message_id for result in results}) == 60
    assert smsc.most_in_flight == 5


async def test_a_window_that_stays_full_has_sent_nothing():
    bind = build_bind(9, window=1)
    async with run_smsc(window=1, strict=False) as smsc:
        settings = bind.model_copy(update={"port": smsc.port, "response_timeout": 0.5})
        async with open_bound_link(settings) as link:
            smsc.submit_statuses.extend([None, None])
            results = await asyncio.gather(*(link.submit(HELLO) for _ in range(2)), return_exceptions=True)
            lost = sum(isinstance(result, AnswerLostError) for result in results)
            down = sum(isinstance(result, LinkDownError) for result in results)
            assert (lost, lost + down) == (len(smsc.submitted), 2)


@pytest.mark.parametrize("busy", [RTHROTTLED, RMSGQFUL])
async def test_a_busy_smsc_is_answered_later(busy):
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
        smsc.submit_statuses.append(busy)
        assert (await link.submit(HELLO)).status == busy
        assert link._pace._paused_until > 0
        assert (await link.submit(HELLO)).status == 0


async def test_the_pause_doubles_while_the_smsc_stays_busy_and_late_answers_do_not_prolong_it():
    now = 100.0
    pace = Pace(0, lambda: now)
    pauses = []
    for _ in range(7):
        pace.learn(RTHROTTLED)
        pace.learn(RTHROTTLED)
        pauses.append(pace._paused_until - now)
        now = pace._paused_until
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    pace.learn(0)
    pace.learn(RTHROTTLED)
    assert pace._paused_until - now == 1


async def test_submits_are_spread_evenly_at_the_rate_of_the_account(monkeypatch):
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("providers.smpp.link.asyncio.sleep", sleep)
    pace = Pace(20, lambda: 100.0)
    for _ in range(4):
        await pace.wait()
    assert waits == pytest.approx([0.05, 0.10, 0.15])


async def test_an_answer_that_does_not_come_is_said_to_be_lost():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port, response_timeout=0.2)) as link:
        smsc.submit_statuses.append(None)
        with pytest.raises(AnswerLostError):
            await link.submit(HELLO)
        assert (await link.submit(HELLO)).status == 0


async def test_an_answer_to_another_command_is_not_taken_for_it():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port, response_timeout=0.4)) as link:
        smsc.submit_statuses.append(None)
        waiting = asyncio.create_task(link.submit(HELLO))
        await smsc.wait_for(lambda: smsc.submitted)
        smsc.write(pack(0x15 | RESPONSE, smsc.submitted[0].pdu.sequence_number))
        with pytest.raises(AnswerLostError):
            await waiting


async def test_a_generic_nack_answers_a_submit():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port)) as link:
        smsc.submit_statuses.append(None)
        waiting = asyncio.create_task(link.submit(HELLO))
        await smsc.wait_for(lambda: smsc.submitted)
        smsc.write(pack(NACK, smsc.submitted[0].pdu.sequence_number, status=2))
        assert await waiting == SubmitResult(2, "")


# Connections that end -------------------------------------------------------------------------------------------------


async def test_a_killed_smsc_makes_the_waiting_answers_lost_and_is_bound_again():
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port)) as link:
        smsc.submit_statuses.extend([None] * 3)
        waiting = [asyncio.create_task(link.submit(HELLO)) for _ in range(3)]
        await smsc.wait_for(lambda: len(smsc.submitted) == 3)
        smsc.kill()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [AnswerLostError] * 3
        await smsc.wait_for(lambda: link.state == "bound" and smsc.binds == 2)
        assert (await link.submit(HELLO)).status == 0


async def test_without_a_connection_nothing_is_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with open_link(build_bind(port), None) as link:
        with pytest.raises(LinkDownError):
            await link.submit(HELLO)
        async with run_smsc(port=port):
            await asyncio.wait_for(link.wait_bound(), 20)
            assert (await link.submit(HELLO)).status == 0


async def test_an_unbind_of_the_smsc_is_answered_and_the_link_binds_again():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
        assert await smsc.request(pack(0x06, 5)) == (0x06 | RESPONSE, 0)
        await smsc.wait_for(lambda: link.state == "bound" and smsc.binds == 2)


async def test_a_sign_of_life_is_asked_for_and_a_silent_connection_is_dropped():
    async with run_smsc(strict=False) as smsc:
        bind = build_bind(smsc.port, enquire_link=0.1, response_timeout=0.5)
        async with open_bound_link(bind) as link:
            await smsc.wait_for(lambda: smsc.enquiries >= 2)
            smsc.is_silent = True
            await smsc.wait_for(lambda: link.state == "connecting")
            smsc.is_silent = False
            await smsc.wait_for(lambda: link.state == "bound")


async def test_the_smsc_is_told_that_we_are_alive():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)):
        assert await smsc.request(pack(0x15, 9)) == (0x15 | RESPONSE, 0)


async def test_the_answers_are_awaited_before_unbinding():
    async with run_smsc() as smsc:
        smsc.answer_delay = 0.2
        async with open_bound_link(build_bind(smsc.port)) as link:
            waiting = [asyncio.create_task(link.submit(HELLO)) for _ in range(4)]
            await smsc.wait_for(lambda: len(smsc.submitted) == 4)
        assert [(await one).status for one in waiting] == [0] * 4
    assert smsc.unbinds == 1


async def test_what_was_delivered_is_answered_before_unbinding():
    committed = asyncio.Event()

    async def take(_: Deliver) -> int:
        await committed.wait()
        return 0

    async with run_smsc() as smsc:
        async with open_bound_link(build_bind(smsc.port), take):
            answer = asyncio.create_task(smsc.deliver())
            await asyncio.sleep(0.05)
            asyncio.get_running_loop().call_later(0.1, committed.set)
        assert await answer == 0
    assert smsc.unbinds == 1


async def test_a_failure_of_our_own_does_not_end_the_link(monkeypatch):
    with capture_all_logs() as logs:
        async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
            with monkeypatch.context() as broken:
                broken.setattr("providers.smpp.session.Session._accept", lambda *_: 1 / 0)
                with pytest.raises(ConnectionError):
                    await smsc.deliver()
            await smsc.wait_for(lambda: smsc.binds >= 2 and link.state == "bound")
            assert await smsc.deliver() == 0
    assert "smpp_connection_failed" in logs.getvalue()


# Refused binds --------------------------------------------------------------------------------------------------------


async def test_a_wrong_password_suspends_until_it_is_mended():
    with capture_all_logs() as logs:
        async with run_smsc(password="other") as smsc:
            bind = build_bind(smsc.port, refused_again_after=0.05)
            async with open_link(bind, None, name="robi") as link:
                await smsc.wait_for(lambda: link.state == "suspended")
                with pytest.raises(LinkSuspendedError):
                    await link.submit(HELLO)
                smsc.password = "s3cret"
                await smsc.wait_for(lambda: link.state == "bound")
                assert (await link.submit(HELLO)).status == 0
    assert "smpp_bind_suspended" in logs.getvalue()
    assert "RINVPASWD" in logs.getvalue()
    assert "s3cret" not in logs.getvalue()


async def test_a_bind_that_the_smsc_still_has_is_tried_again_soon():
    async with run_smsc() as smsc:
        smsc.bind_statuses.extend([RALYBND, RALYBND])
        async with open_bound_link(build_bind(smsc.port, refused_again_after=600)):
            assert smsc.binds == 3


async def test_a_refused_account_is_not_tried_more_often_than_the_setting_says():
    async with run_smsc() as smsc:
        smsc.bind_statuses.extend([RINVPASWD] * 50)
        async with open_link(build_bind(smsc.port, refused_again_after=600), None):
            await smsc.wait_for(lambda: smsc.binds)
            await asyncio.sleep(0.3)
    assert smsc.binds == 1


# Octets that are no PDUs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [b"\0\0\0\x05hello world, this is http", b"\xff" * 40, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", pack(0, 0)[:3] + b"\x0f" * 30],
    ids=["too short", "too long", "HTTP", "one octet less than a header"],
)  # fmt: skip
async def test_garbled_octets_end_the_connection_and_it_is_bound_again(octets):
    with capture_all_logs() as logs:
        async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)) as link:
            smsc.write(octets)
            await smsc.wait_for(lambda: smsc.binds == 2 and link.state == "bound")
            assert (await link.submit(HELLO)).status == 0
            assert smsc.nacks == [2]
    assert "hello world" not in logs.getvalue()


@pytest.mark.parametrize(
    ("command", "body", "answer"),
    [
        (DELIVER, b"", (NACK, 1)),
        (DELIVER, b"\0\x01\x01880171", (NACK, 1)),
        (DELIVER, b"\0\x01\x018801711000001\0\x00\x01333\0\0\0\0\0\0\0\0\0\0\xf0text", (NACK, 1)),
        (0x103, b"\0\x01\x01880171", (NACK, 1)),
        (0x21, b"", (NACK, 3)),
        (0x7777, b"anything", (NACK, 3)),
    ],
    ids=range(6),
)
async def test_a_pdu_that_cannot_be_read_is_refused_and_the_connection_stays(command, body, answer):
    with capture_all_logs() as logs:
        async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)):
            assert await smsc.request(pack(command, 3, body)) == answer
            assert await smsc.deliver() == 0
            assert smsc.binds == 1
    assert "880171" not in logs.getvalue()
    assert "anything" not in logs.getvalue()


async def test_an_alert_is_no_request():
    async with run_smsc() as smsc, open_bound_link(build_bind(smsc.port)):
        smsc.write(pack(0x102, 3, b"\x01\x018801711000001\0\x00\x00333\0"))
        assert await smsc.deliver() == 0
