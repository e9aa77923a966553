"""L9: what a biller is told must not be the secret in the address to which the wallet reports payments."""

from services.payments.billers.base import BillerUnavailableError
from tests.support.bills import BillServiceSet
from tests.support.payments import paid_report


async def test_l9_a_biller_cannot_report_payments_as_the_wallet(database, clock):
    services = BillServiceSet(database, clock)
    assert await services.pay() == "requested"
    await services.receive_report()
    (post,) = services.biller.posted_payments
    (payment,) = await services.payments.fetch_rows()

    assert await services.payments.payments.record_report(post.key, paid_report(amount=91000)) is None
    assert await services.payments.payments.record_report(payment.key, paid_report(amount=91000)) == payment.id
    assert payment.key not in repr(post)
    assert len(post.key) == len(payment.key) == 32


async def test_l9_the_biller_gets_the_same_key_at_each_post(database, clock):
    services = BillServiceSet(database, clock)
    services.biller.post_results = [BillerUnavailableError()]
    await services.pay()
    await services.receive_report()
    clock.advance(hours=2)
    await services.payments.run_due_jobs()

    first, second = services.biller.posted_payments
    assert first.key == second.key
