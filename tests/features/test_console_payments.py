"""Payments in the console: find, what waits, give back, settle, cash, money without a payment, statements, sums."""

import tempfile
from datetime import timedelta
from io import BytesIO

import pytest
from aiohttp import FormData
from sqlalchemy import select, update

from core.types import utc_now
from db.tables import audit, messages, payment_refunds, payment_reports, payments, staff_sessions
from tests.support.browser import launch_chromium
from tests.support.console_pages.payments import FEE_NUMBER, PAYER, seed
from tests.support.keyboard import Keyboard

REASON = {"reason": "ticket 4711"}


@pytest.fixture
async def names(scene):
    return await seed(scene)


@pytest.fixture
async def admin(scene):
    return await scene.room.open_browser("admin")


async def fetch_row(scene, table, row):
    return (await scene.room.database.fetch(select(table).where(table.c.id == int(row)))).one()


async def fetch_acts(scene):
    rows = await scene.room.database.fetch(select(audit).where(audit.c.channel == "console").order_by(audit.c.id))
    return [(row.act, row.subject_kind, row.subject, row.actor, row.details.get("reason")) for row in rows]


async def fetch_all(scene, table):
    return (await scene.room.database.fetch(select(table).order_by(table.c.id))).all()


async def test_the_first_page_has_what_waits_for_a_person_and_where_to_do_it(admin, names):
    await admin.open("/console/payments")
    for heading in (
        "The outcome is not known",
        "Another amount was paid",
        "Paid twice",
        "Refunds to make in the portal",
        "Money that belongs to no payment",
    ):
        assert heading in admin.text
    for name in ("open_payment", "mismatch", "twice", "refunded_payment"):
        assert f"/console/payments/{names[name]}" in admin.links, name
    assert f"/console/payments/money/{names['money']}" in admin.links
    assert f"/console/payments/{names['paid_payment']}" not in admin.links
    assert "not known – the gateway was interrupted" in admin.text


async def test_without_anything_to_do_it_says_so(admin):
    await admin.open("/console/payments")
    assert "Nothing waits for a person." in admin.text
    await admin.open("/console/payments/list")
    assert "There are no such payments." in admin.text


@pytest.mark.parametrize("what", ["#{paid_payment}", " rct0000001 ", "9000 0000 0001", "৯০০০ ০০০০ ০০০১"])
async def test_a_payment_is_found_by_id_receipt_and_tracking_number(admin, names, what):
    await admin.post("/console/payments/find", {"what": what.format_map(names)})
    assert admin.path == f"/console/payments/{names['paid_payment']}"
    assert "BDT 50.00" in admin.text


async def test_a_phone_number_finds_every_payment_and_is_shown_nowhere(admin, names):
    await admin.post("/console/payments/find", {"what": PAYER})
    assert "This number is of several things. Choose one." in admin.text
    assert {f"/console/payments/{names[name]}" for name in ("paid_payment", "twice")} <= set(admin.links)
    assert PAYER not in admin.html
    assert "XX0021" in admin.text


@pytest.mark.parametrize("what", ["", "#0", "RCTNOTHING", "+8801700000099", "x" * 64, "\x00", "'; --"])
async def test_what_no_payment_has_is_said_beside_the_field(admin, names, what):
    await admin.post("/console/payments/find", {"what": what})
    assert admin.status == 422
    assert "No payment has this number." in admin.text


async def test_the_list_is_filtered_by_state_department_what_and_day(admin, names):
    await admin.open("/console/payments/list?status=paid&department=civil_registration&subject=fee:birth_certificate")
    listed = [link for link in admin.links if link.removeprefix("/console/payments/").isdigit()]
    assert listed == [f"/console/payments/{names[name]}" for name in ("refunded_payment", "paid_payment")]
    await admin.open("/console/payments/list?until=2020-01-01")
    assert "There are no such payments." in admin.text
    await admin.open("/console/payments/list?department=%00&wallet=%27&subject=fee:%00&status=no")
    assert f"/console/payments/{names['twice']}" in admin.links, "what the page does not offer filters nothing"
    await admin.open("/console/payments/list?since=yesterday")
    assert (admin.status, "This is not a day." in admin.text) == (422, True)
    await admin.open("/console/payments/list?before=987654321")
    assert admin.status == 404


async def test_a_refund_shows_what_is_given_back_and_what_stays_before_it_is_made(scene, admin, names):
    path = f"/console/payments/{names['paid_payment']}/refund"
    fields = {"amount": "10.50", "category": "mistake", "key": "a1", **REASON}
    await admin.post(path, fields)
    assert "Give this money back?" in admin.text
    assert "Give back BDT 10.50 → XX0021 Stays BDT 39.50" in admin.text
    assert len(await fetch_all(scene, payment_refunds)) == 1, "the one that was there"
    await admin.post(path, fields | {"confirmed": "yes"})
    assert admin.path == f"/console/payments/{names['paid_payment']}?done=refund"
    await admin.post(path, fields | {"confirmed": "yes"})
    _, refund = await fetch_all(scene, payment_refunds)
    assert (refund.amount_minor, refund.actor, refund.category, refund.explanation) == (
        1050,
        "asha",
        "mistake",
        "ticket 4711",
    )
    assert await fetch_acts(scene) == [("refund", "payment", names["paid_payment"], "asha", "ticket 4711")]


async def test_an_amount_is_read_in_the_digits_of_the_member(scene, names):
    admin = await scene.room.open_browser("admin", login="arif", language="bn")
    await admin.post(f"/console/payments/{names['paid_payment']}/refund", {"amount": "২০.৫০", **REASON})
    assert admin.status == 200
    await admin.post(
        f"/console/payments/{names['paid_payment']}/refund",
        {"amount": "২০.৫০", "confirmed": "yes", "key": "d1", **REASON},
    )
    assert (await fetch_all(scene, payment_refunds))[-1].amount_minor == 2050


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("paid_payment", {"amount": "60"}, "That is more than is left of this payment"),
        ("paid_payment", {"amount": "0"}, "That is more than is left of this payment"),
        ("paid_payment", {"amount": "-5"}, "This is not an amount."),
        ("paid_payment", {"amount": "1.234"}, "This is not an amount."),
        ("refunded_payment", {"amount": "45"}, "That is more than is left of this payment"),
        ("failed_payment", {"amount": "5"}, "There is no money of this payment to give back."),
        ("paid_payment", {"amount": "5", "reason": ""}, "Write a reason of 1 to 120 characters."),
    ],
)
async def test_a_refund_that_is_not_possible_says_why_and_keeps_what_was_typed(admin, names, name, fields, said):
    await admin.post(f"/console/payments/{names[name]}/refund", {**REASON, **fields, "confirmed": "yes"})
    assert admin.status == 422
    assert said in admin.text
    assert f'value="{fields["amount"]}"' in admin.html


async def test_a_refund_that_a_person_made_is_recorded_with_its_receipt(scene, admin, names):
    path = f"/console/payments/{names['refunded_payment']}/refunds/{names['refund']}/returned"
    await admin.post(path, {"receipt": "BACK77", **REASON})
    assert "The refund is recorded as made. The payer is told by SMS." in admin.text
    refund = await fetch_row(scene, payment_refunds, names["refund"])
    assert (refund.status, refund.receipt) == ("returned", "BACK77")
    await admin.post(path, {"receipt": "BACK78", **REASON})
    assert (admin.status, "This refund does not wait for a person." in admin.text) == (422, True)
    assert [act[:1] for act in await fetch_acts(scene)] == [("returned",)]
    (sms,) = await fetch_all(scene, messages)
    assert sms.recipient == PAYER


async def test_a_refund_of_another_payment_is_not_recorded(scene, admin, names):
    await admin.post(f"/console/payments/{names['paid_payment']}/refunds/{names['refund']}/returned", REASON)
    assert admin.status == 422
    assert (await fetch_row(scene, payment_refunds, names["refund"])).status == "by_hand"


@pytest.mark.parametrize(
    ("name", "outcome"), [("open_payment", "paid"), ("open_payment", "failed"), ("mismatch", "paid")]
)
async def test_the_outcome_that_a_person_found_out_is_recorded(scene, admin, names, name, outcome):
    await admin.post(f"/console/payments/{names[name]}/settle", {"outcome": outcome, "receipt": "RCT9", **REASON})
    assert admin.path == f"/console/payments/{names[name]}?done=settled_{outcome}"
    assert (await fetch_row(scene, payments, names[name])).status == outcome
    assert [act[0] for act in await fetch_acts(scene)] == [f"settled_{outcome}"]


async def test_a_payment_that_failed_needs_a_receipt_to_be_paid(scene, admin, names):
    path = f"/console/payments/{names['failed_payment']}/settle"
    await admin.post(path, {"outcome": "paid", **REASON})
    assert (admin.status, "Nobody settles this payment" in admin.text) == (422, True)
    await admin.post(path, {"outcome": "both", "receipt": "RCT9", **REASON})
    assert (admin.status, "Choose whether it was paid." in admin.text) == (422, True)
    await admin.post(path, {"outcome": "paid", "receipt": "RCT9", **REASON})
    assert (await fetch_row(scene, payments, names["failed_payment"])).status == "paid"


async def test_money_without_a_payment_is_given_back_once(scene, admin, names):
    path = f"/console/payments/money/{names['money']}"
    await admin.post(f"{path}/given-back", {"receipt": "BACK1", **REASON})
    assert "The money is recorded as given back." in admin.text
    await admin.post(f"{path}/given-back", {"receipt": "BACK2", **REASON})
    assert (admin.status, "This money is recorded as given back" in admin.text) == (422, True)
    row = await fetch_row(scene, payment_reports, names["money"])
    assert row.refund_receipt == "BACK1"
    assert [act[:3] for act in await fetch_acts(scene)] == [("given_back", "report", names["money"])]


async def test_money_is_not_assigned_to_what_does_not_exist(scene, admin, names):
    await admin.post(f"/console/payments/money/{names['money']}/assign", {"account": "999999999999", **REASON})
    assert (admin.status, "Nothing has this number." in admin.text) == (422, True)
    await admin.open("/console/payments/money/987")
    assert admin.status == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": "999999999999"}, "There is no application with this number."),
        ({"amount": "fifty"}, "This is not an amount."),
        ({"receipt": ""}, "Write one line of at most 32 characters."),
        ({"reason": "from Karim, karim@example.org"}, "Write a reason"),
    ],
)
async def test_cash_that_cannot_be_recorded_says_why(admin, names, fields, said):
    cash = {"number": FEE_NUMBER, "amount": "50", "receipt": "R-17", **REASON}
    await admin.post("/console/payments/cash", cash | fields)
    assert admin.status == 422
    assert said in admin.text


async def compare(browser, content, **fields):
    """Upload a statement, as Chromium does."""
    form = FormData()
    for name, value in {"format": "generic", "wallet": "sandbox", **REASON, **fields}.items():
        form.add_field(name, value)
    form.add_field("file", BytesIO(content), filename="statement.csv", content_type="text/csv")
    return await browser.request("POST", "/console/payments/statement", form, {"Origin": browser.url})


async def test_a_statement_is_compared_and_each_difference_leads_to_what_corrects_it(scene, admin, names):
    row = await fetch_row(scene, payments, names["paid_payment"])
    time = f"{row.ended_at:%Y-%m-%dT%H:%M:%S}+00:00"
    lines = ["receipt,time,amount,currency,direction,account"]
    lines += [f"RCT0000001,{time},50.00,BDT,in,900000000001", f"RCT0000003,{time},7.00,BDT,in,900000000003"]
    lines += [f"NEWRECEIPT,{time},12.00,BDT,in,123"]
    await compare(admin, "\n".join(lines).encode())
    assert admin.status == 200, admin.text
    assert "amount differs" in admin.text
    assert "not in our books" in admin.text
    assert "not in the statement" in admin.text
    assert f"/console/payments/{names['mismatch']}" in admin.links
    (entry,) = await fetch_acts(scene)
    assert (entry[0], entry[1], entry[4]) == ("reconciled", "statement", "ticket 4711")


async def test_a_failed_payment_on_the_statement_is_settled_from_its_line(scene, admin, names):
    row = await fetch_row(scene, payments, names["failed_payment"])
    time = f"{row.created_at:%Y-%m-%dT%H:%M:%S}+00:00"
    head = "receipt,time,amount,currency,direction,account"
    await compare(admin, f"{head}\nLATE77,{time},50.00,BDT,in,{row.reference}\n".encode())
    link = f"/console/payments/{names['failed_payment']}?receipt=LATE77"
    assert link in admin.links, admin.text
    await admin.open(link)
    assert 'value="LATE77"' in admin.html


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose the file with the statement."),
        (b"nothing,of,a,statement\n1,2,3,4\n", "This file cannot be read as a statement."),
        (
            b"receipt,time,amount,currency,direction,account\nR1,yesterday,5,BDT,in,1\n",
            "line 2: 'yesterday' is not a time",
        ),
        (b"\xff\xfe\x00\x01", "This file cannot be read as a statement."),
    ],
)
async def test_a_file_that_is_no_statement_is_refused_line_by_line(scene, admin, content, said):
    await compare(admin, content)
    assert admin.status == 422
    assert said in admin.text
    assert str(tempfile.gettempdir()) not in admin.text
    assert not await fetch_acts(scene)


async def test_a_file_that_is_too_large_is_refused(admin):
    await compare(admin, b"x" * 5_000_001)
    assert admin.status == 413


async def test_the_sums_are_those_of_the_period_and_its_split(admin, names):
    await admin.open("/console/payments/report?by=service")
    assert "Birth certificate" in admin.text
    assert "BDT" in admin.text
    await admin.open("/console/payments/report?since=2020-01-01&until=2021-01-01")
    assert (admin.status, "Choose at most 31 days" in admin.text) == (422, True)


async def test_an_auditor_reads_payments_and_changes_none(scene, names):
    auditor = await scene.room.open_browser("auditor")
    for name in ("paid_payment", "open_payment", "refunded_payment"):
        await auditor.open(f"/console/payments/{names[name]}")
        assert auditor.status == 200
        assert not [path for path in auditor.form_actions if "payments" in path]


async def test_money_is_moved_only_with_a_proof(scene, names):
    admin = await scene.room.open_browser("admin")
    _, password = scene.room.added["asha"]
    old = utc_now() - timedelta(minutes=11)
    async with scene.room.database.transaction() as transaction:
        await transaction.execute(update(staff_sessions).values(proved_at=old))
    path = f"/console/payments/{names['paid_payment']}/refund"
    fields = {"amount": "10", "confirmed": "yes", "key": "p1", **REASON}
    await admin.post(path, fields)
    assert (admin.status, "Prove that it is you" in admin.text) == (403, True)
    await admin.post(path, fields | {"proof": "a wrong one"})
    assert (admin.status, 'class="problem"' in admin.html) == (403, True)
    assert len(await fetch_all(scene, payment_refunds)) == 1, "the one that was there"
    await admin.post(path, fields | {"proof": password})
    assert "The refund is recorded." in admin.text
    assert len(await fetch_all(scene, payment_refunds)) == 2


async def test_an_admin_gives_money_back_by_keyboard_alone(scene, names):
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context)
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/payments")
        keyboard = Keyboard(page)
        await keyboard.press("/")
        await keyboard.type("RCT0000001")
        await keyboard.submit()
        await keyboard.reach("Give back")
        await keyboard.press("Enter")
        await keyboard.fill("Amount in BDT", "20")
        await keyboard.choose("What the payer is told", "The amount was wrong")
        await keyboard.fill("Reason", "ticket 4711")
        await keyboard.submit()
        assert "Give this money back?" in await page.inner_text("main")
        await keyboard.follow("Yes, give back BDT 20.00")
        assert "The refund is recorded." in await page.inner_text("main")
    _, refund = await fetch_all(scene, payment_refunds)
    assert (refund.amount_minor, refund.category, refund.actor) == (2000, "wrong_amount", "asha")


async def test_the_list_is_filtered_without_a_new_page_where_scripts_run(scene, names):
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context)
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/payments/list")
        await page.evaluate("window.isSamePage = true")
        async with page.expect_response(lambda response: "status=failed" in response.url):
            await page.select_option("select[name=status]", "failed")
        await page.wait_for_function("document.querySelectorAll('#payments tbody tr').length === 1")
        assert await page.evaluate("window.isSamePage")
        assert "status=failed" in page.url
