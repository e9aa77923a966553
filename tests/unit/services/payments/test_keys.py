"""The ids of a payment that leave the gateway."""

import re

from services.payments.keys import derive_biller_key, new_webhook_key
from web.webhooks.payments import PAYMENT_KEY_PATTERN


def test_a_webhook_key_fits_its_column_and_its_route_and_is_never_the_same():
    keys = {new_webhook_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(len(key) == 32 and re.fullmatch(PAYMENT_KEY_PATTERN, key) for key in keys)


def test_the_billers_key_is_always_the_same_and_another():
    key = new_webhook_key()
    assert derive_biller_key(key) == derive_biller_key(key) != derive_biller_key(new_webhook_key())
    assert re.fullmatch("[0-9a-f]{32}", derive_biller_key(key))


def test_a_payment_of_an_earlier_version_is_posted_again_under_its_key():
    assert derive_biller_key("0123456789abcdef" * 2) == "0123456789abcdef" * 2
