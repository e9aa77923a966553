"""A citizen is looked up by whatever number they can read out; no number leads to somebody else."""

import pytest

from core.reference_numbers import generate_tracking_number
from services.audit.models import Actor
from services.citizens.number_release import NumberReleases, ReleaseRequest
from services.helpdesk.models import Reference
from services.helpdesk.references import find_citizen, parse_reference
from tests.support.complaints import ComplaintServiceSet
from tests.support.payments import PaymentServiceSet, fee_request, paid_report
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission

TRACKING = generate_tracking_number(lambda _: 12345678901)
GROUPED = f"{TRACKING[:4]} {TRACKING[4:8]} {TRACKING[8:]}"
WRONG = TRACKING[:-1] + str((int(TRACKING[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("+8801711000001", Reference("number", RAHIMA)),
        (" +880 1711-000001 ", Reference("number", RAHIMA)),
        (TRACKING, Reference("case", TRACKING)),
        (GROUPED, Reference("case", TRACKING)),
        (GROUPED.replace(" ", "-"), Reference("case", TRACKING)),
        (TRACKING.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")), Reference("case", TRACKING)),
        ("12", Reference("payment", "12")),
        ("SB70A49EDA", Reference("receipt", "SB70A49EDA")),
        (WRONG, None),
        ("01711000001", None),
        ("9876543210", None),
        ("0", None),
        ("", None),
        ("Rahima", Reference("receipt", "Rahima")),
        ("Rahima Begum", None),
        ("x" * 41, None),
    ],
)
def test_what_can_be_looked_up_is_read_leniently_and_never_guessed(text, reference):
    assert parse_reference(text) == reference


@pytest.fixture
async def tracked(services):
    """The account of Rahima, and the number of an application of it."""
    account = await services.register(RAHIMA)
    return account, (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number


async def find(database, text):
    return await find_citizen(database, parse_reference(text))


async def test_a_tracking_number_leads_to_the_account_of_the_applicant(database, tracked):
    account, number = tracked
    found = await find(database, number)
    assert (found.found_by, found.reference, found.msisdn, found.account) == ("application", number, RAHIMA, account)


async def test_a_complaint_leads_to_the_account_of_its_number(services, database, tracked):
    complaints = ComplaintServiceSet(services)
    complaint = await complaints.submit_complaint("s1:40", about=tracked[1])
    found = await find(database, complaint)
    assert (found.found_by, found.msisdn, found.account) == ("complaint", RAHIMA, tracked[0])


async def test_a_payment_is_found_by_its_id_and_by_its_receipt(database, clock, tracked):
    payments = PaymentServiceSet(database, clock)
    await payments.payments.request_payment(fee_request("1" * 12, KARIM, account=tracked[0]), "s1:50")
    await payments.run_later(seconds=10)
    (row,) = await payments.fetch_rows()
    await payments.payments.record_report(row.key, paid_report(request=row.request))
    (row,) = await payments.fetch_rows()
    for text in (str(row.id), row.receipt, row.receipt.lower()):
        found = await find(database, text)
        assert (found.found_by, found.reference, found.account) == ("payment", str(row.id), tracked[0])


async def test_a_number_without_an_account_leads_to_itself(database):
    found = await find(database, KARIM)
    assert (found.msisdn, found.account) == (KARIM, 0)


async def test_after_a_release_the_number_leads_to_nobody_and_the_case_still_to_its_account(database, clock, tracked):
    releases = NumberReleases(database, CIPHER, clock=clock)
    await releases.release(ReleaseRequest(RAHIMA, "staff", Actor("staff", "nadia", "terminal"), "k1"))
    assert (await find(database, RAHIMA)).account == 0
    found = await find(database, tracked[1])
    assert (found.account, found.msisdn) == (tracked[0], f"#{tracked[0]}")


@pytest.mark.parametrize("text", [TRACKING, "12", "SB70A49EDA"])
async def test_an_unknown_case_or_payment_leads_nowhere(database, text):
    assert await find(database, text) is None
