"""What a provider says of an SMS after it took it: read, ranked, acknowledged whatever it is."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import accumulate, permutations

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from callbacks import Guard
from sms.delivery import RANK, Delivery, Report, further
from sms.providers.africastalking import DELIVERIES, read_report
from sms.routes import Keep, routes

FAILED = (  # as captured, the number and the id made up
    "phoneNumber=%2B254700000001&failureReason=DeliveryFailure&retryCount=0"
    "&id=ATXid_0123456789abcdef0123456789abcdef&status=Failed&networkCode=63902"
)
ID = "ATXid_0123456789abcdef0123456789abcdef"
TOKEN = "a-token-of-at-least-128-bits"
FORMS = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8")


@pytest.mark.parametrize(
    ("word", "delivery"),
    [
        ("Sent", Delivery.SENT),
        ("Submitted", Delivery.SUBMITTED),
        ("Buffered", Delivery.BUFFERED),
        ("AbsentSubscriber", Delivery.ABSENT),
        ("Expired", Delivery.EXPIRED),
        ("Success", Delivery.DELIVERED),
        ("Failed", Delivery.FAILED),
        ("Rejected", Delivery.REJECTED),
        ("Teleported", Delivery.UNHEARD_OF),
    ],
)
def test_every_status_is_put_into_a_word_of_ours(word, delivery):
    assert read_report({"id": ID, "status": word}) == Report(ID, delivery, word)


def test_every_status_that_has_a_word_has_a_rank():
    assert {*DELIVERIES.values(), Delivery.UNHEARD_OF} == set(Delivery) == set(RANK)


@pytest.mark.parametrize(
    "reason",
    [
        "InsufficientCredit",
        "InvalidLinkId",
        "UserIsInactive",
        "UserInBlackList",
        "UserAccountSuspended",
        "NotNetworkSubcriber",  # so in the documentation
        "UserNotSubscribedToProduct",
        "UserDoesNotExist",
        "DeliveryFailure",
        "DoNotDisturbRejection",
    ],
)
def test_why_it_failed_is_kept(reason):
    read = read_report({"id": ID, "status": "Rejected", "failureReason": reason})
    assert read == Report(ID, Delivery.REJECTED, "Rejected", reason)


@pytest.mark.parametrize("reason", ["+254700000001 is off", "x" * 41, "কারণ", ""])
def test_a_reason_that_is_no_word_is_not_kept(reason):
    assert read_report({"id": ID, "status": "Failed", "failureReason": reason}) == Report(ID, Delivery.FAILED, "Failed")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"status": "Success"},
        {"id": "", "status": "Success"},
        {"id": "None", "status": "Success"},
        {"id": "x" * 129, "status": "Success"},
        {"id": "a\x00b", "status": "Success"},
        {"id": ID},
        {"id": ID, "status": ""},
        {"id": ID, "status": "Not a word"},
        {"id": ID, "status": "x" * 41},
    ],
)
def test_what_can_be_matched_with_nothing_is_no_report(form):
    assert read_report(form) is None


S, U, B, A, E, D, F, R, Q = (
    Delivery.SENT,
    Delivery.SUBMITTED,
    Delivery.BUFFERED,
    Delivery.ABSENT,
    Delivery.EXPIRED,
    Delivery.DELIVERED,
    Delivery.FAILED,
    Delivery.REJECTED,
    Delivery.UNHEARD_OF,
)


def after(heard: Iterable[Delivery]) -> Delivery | None:
    """What is known when all these were heard, one after the other."""
    return list(accumulate(heard, further, initial=None))[-1]


@pytest.mark.parametrize(
    ("heard", "known"),
    [
        ([S, U, B, D], D),
        ([D, S, U, B], D),  # late
        ([S, S, D, D], D),  # twice
        ([B, U, S], B),  # backwards
        ([D, F], D),  # the first that is final counts
        ([F, D], F),
        ([R, D], R),
        ([A, D], D),  # it was reached after all
        ([E, D], D),
        ([D, A], D),
        ([A, S], A),
        ([A, E], A),
        ([Q], Q),
        ([Q, S], S),
        ([S, Q], S),
        ([D, Q], D),
    ],
)
def test_which_of_several_reports_counts(heard, known):
    assert after(heard) == known


def test_with_one_final_report_among_them_the_order_does_not_matter():
    assert {after(order) for order in permutations([Q, S, U, B, A, D])} == {D}


@asynccontextmanager
async def gateway(keep: Keep | None = None, guard: Guard | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes(guard or Guard(), keep))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/sms/africastalking/delivery"
    finally:
        await runner.cleanup()


async def post(url: str, body: str | bytes, content_type: str = FORMS[0]) -> int:
    headers = {"Content-Type": content_type, "User-Agent": "at-sms-api/1.0"}
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        return answer.status


class Desk:
    def __init__(self, *faults: Exception) -> None:
        self.kept: list[Report] = []
        self._faults = list(faults)

    async def keep(self, report: Report) -> None:
        if self._faults:
            raise self._faults.pop()
        self.kept.append(report)


@pytest.mark.parametrize("content_type", FORMS)
async def test_a_captured_report_is_kept(content_type):
    desk = Desk()
    async with gateway(desk.keep) as url:
        assert await post(url, FAILED, content_type) == 200
    assert desk.kept == [Report(ID, Delivery.FAILED, "Failed", "DeliveryFailure")]


@pytest.mark.parametrize(
    "body",
    ["", "status=Success", "id=&status=", b"\xff\xfe\x00", "id=ATXid_1&status=No+such+thing+at+all", "a&" * 5000],
)
async def test_what_makes_no_sense_is_acknowledged_and_not_kept(body):
    desk = Desk()
    async with gateway(desk.keep) as url:
        assert await post(url, body) == 200
    assert desk.kept == []


async def test_a_status_nobody_has_heard_of_is_acknowledged_and_kept():
    desk = Desk()
    async with gateway(desk.keep) as url:
        assert await post(url, f"id={ID}&status=Teleported") == 200
    assert desk.kept == [Report(ID, Delivery.UNHEARD_OF, "Teleported")]


async def test_a_flood_is_not_acknowledged():
    async with gateway() as url:
        assert await post(url, "id=" + "x" * 20_000) == 413


async def test_while_nobody_keeps_reports_they_are_acknowledged_all_the_same():
    async with gateway() as url:
        assert await post(url, FAILED) == 200


async def test_a_report_that_could_not_be_kept_is_asked_for_again():
    desk = Desk(ConnectionError("the database of +254700000001 is away"))
    async with gateway(desk.keep) as url:
        with capture_logs() as lines:
            assert [await post(url, FAILED), await post(url, FAILED)] == [503, 200]
    assert [line["error"] for line in lines if line["log_level"] == "error"] == ["ConnectionError"]
    assert "254700000001" not in str(lines)
    assert len(desk.kept) == 1


async def test_without_the_token_there_is_no_such_route():
    desk = Desk()
    async with gateway(desk.keep, Guard(TOKEN)) as url:
        assert [await post(url, FAILED), await post(f"{url}?token={TOKEN}", FAILED)] == [404, 200]
    assert len(desk.kept) == 1


async def test_logs_tell_what_became_of_which_sms_and_not_whose():
    with capture_logs() as lines:
        async with gateway() as url:
            await post(url, FAILED)
            await post(url, "phoneNumber=%2B254700000001&text=PIN+4821")
    facts = {"id": ID, "delivery": "failed", "word": "Failed", "reason": "DeliveryFailure"}
    assert {"event": "delivery report", "log_level": "info", **facts} in lines
    assert "254700000001" not in str(lines)
    assert "4821" not in str(lines)
