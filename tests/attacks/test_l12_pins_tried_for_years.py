"""L12: 1,825 PINs a year can be tried at one account by SMS, and nobody is told."""

from structlog.testing import capture_logs

from tests.support.services import RAHIMA


async def test_l12_a_year_of_tries_by_sms_is_few_is_told_and_raises_alarms(services, clock) -> None:
    await services.register(pin="4821")
    end, tried, number = clock.now.replace(year=clock.now.year + 1), 0, 0
    notices = []
    with capture_logs():
        while clock.now < end:
            result = await services.accounts.sign_in(RAHIMA, "0000", f"sms/{number}:1", vouched=False)
            number, tried = number + 1, tried + 1
            if result.locked_until:
                notices += [text for _, _, text, _ in await services.claim_sms()]
                clock.now = result.locked_until
    assert tried <= 280, "of 10,000 PINs"
    assert notices.count("account_locked") >= 50
    assert notices.count("wrong_tries") >= 50


async def test_l12_tries_on_three_days_of_a_week_raise_the_alarm(services, clock) -> None:
    await services.register(pin="4821")
    with capture_logs() as logs:
        for day in range(3):
            for place in range(5):
                await services.accounts.sign_in(RAHIMA, "0000", f"s{day}:{place}", vouched=True)
            clock.advance(days=1)
    (alarm,) = [line for line in logs if line["event"] == "account_tried_for_days"]
    assert (alarm["log_level"], alarm["days"], alarm["tries"]) == ("critical", 3, 12)
    assert services.accounts.guessing_alarms == {"account": 1}
