"""What happens now, computed from the metrics for everybody who looks."""

import asyncio

from web.console.now.board import LOOK_INTERVAL, WINDOW, NowBoard


class Gateway:
    """Metrics of a gateway, and a clock."""

    def __init__(self):
        self.now, self.renders = 1000.0, 0
        self.hops, self.sent, self.failed = 0, 0, 0
        self.more = ""

    async def render(self):
        self.renders += 1
        await asyncio.sleep(0)
        return (
            "# TYPE ekdial_hops counter\n"
            f'ekdial_hops_total{{channel="ussd",provider="one",outcome="answered"}} {self.hops}\n'
            "# TYPE ekdial_sms_sends counter\n"
            f'ekdial_sms_sends_total{{provider="one",kind="code",outcome="sent"}} {self.sent}\n'
            f'ekdial_sms_sends_total{{provider="one",kind="code",outcome="failed"}} {self.failed}\n'
            f"{self.more}"
        ).encode()

    def board(self):
        return NowBoard(self.render, ["one"], lambda: ["dncc"], clock=lambda: self.now)


async def test_a_rate_needs_two_looks():
    gateway = Gateway()
    board = gateway.board()
    assert (await board.look()).rates is None
    gateway.now, gateway.hops, gateway.sent, gateway.failed = 1010.0, 50, 4, 1
    rates = (await board.look()).rates
    assert rates.key_presses == 5
    assert rates.sms_out == 24
    assert rates.typical_seconds is None
    provider = (await board.look()).providers[0]
    assert (provider.taken, provider.not_taken) == (24, 6)


async def test_many_viewers_share_one_computation():
    gateway = Gateway()
    board = gateway.board()
    shown = await asyncio.gather(*(board.look() for _ in range(20)))
    assert gateway.renders == 1
    assert len({one.number for one in shown}) == 1
    gateway.now += LOOK_INTERVAL
    assert (await board.look()).number == 2


async def test_rates_are_of_the_last_minute():
    gateway = Gateway()
    board = gateway.board()
    await board.look()
    for _ in range(100):
        gateway.now += 2
        gateway.hops += 20
        await board.look()
    gateway.now += 2
    gateway.hops += 20
    assert (await board.look()).rates.key_presses == 10
    assert len(board._looks) <= WINDOW / 2 + 1


async def test_after_a_while_without_viewers_rates_begin_again():
    gateway = Gateway()
    board = gateway.board()
    await board.look()
    gateway.now += 10 * WINDOW
    assert (await board.look()).rates is None


async def test_a_restart_is_no_negative_rate():
    gateway = Gateway()
    gateway.hops = 100
    board = gateway.board()
    await board.look()
    gateway.now, gateway.hops = 1010.0, 3
    assert (await board.look()).rates.key_presses == 0


async def test_states_of_providers_departments_and_calls():
    gateway = Gateway()
    gateway.more = (
        '# TYPE ekdial_sms_held gauge\nekdial_sms_held{provider="one"} 1\n'
        '# TYPE ekdial_department_answers gauge\nekdial_department_answers{department="dncc"} 0\n'
        '# TYPE ekdial_deliveries gauge\nekdial_deliveries{department="dncc",state="due"} 3\n'
        "# TYPE ekdial_deliveries_oldest_seconds gauge\n"
        'ekdial_deliveries_oldest_seconds{department="dncc",state="due"} 90\n'
        '# TYPE ekdial_live_sessions gauge\nekdial_live_sessions{channel="ussd"} 7\n'
    )
    shown = await gateway.board().look()
    assert shown.providers[0].is_held
    department = shown.departments[0]
    assert (department.answers, department.waiting, department.oldest_seconds) == (False, 3, 90)
    assert shown.live_sessions == 7
    assert [one.alarm.name for one in shown.alarms] == ["sms_held", "department_silent"]
