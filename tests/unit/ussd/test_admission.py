"""Admission: nobody is refused at a normal load, calls that begin are refused first, and all is normal again in two seconds."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ussd.admission import MIN_INPUTS, MIN_STARTS, RECOVERY_TICKS, START_SHARE, TICK, WINDOW_TICKS, Admission

MAXIMUM = 200
CALM, LATE, VERY_LATE = 0.01, 0.2, 2.0  # seconds by which the event loop is late
seconds = st.floats(0, 20)


class Gateway:
    """An admission with a clock of its own."""

    def __init__(self, maximum: int = MAXIMUM) -> None:
        self.admission = Admission(maximum)
        self.now = 0.0

    def fill(self, count: int) -> None:
        """Take key presses of calls under way until so many are in work."""
        while self.admission.in_flight < count:
            assert self.admission.enter(starts_session=False)

    def tick(self, loop_delay: float, *, times: int = 1, answered_in: float | None = None) -> None:
        for _ in range(times):
            if answered_in is not None:
                self.admission.in_flight += 1
                self.admission.leave(answered_in)
            self.now += TICK
            self.admission.measure(loop_delay, self.now)

    def takes(self, *, starts_session: bool) -> bool:
        """Whether a key press would be taken now."""
        taken = self.admission.enter(starts_session=starts_session)
        if taken:
            self.admission.in_flight -= 1
        return taken


def test_everybody_is_taken_below_the_limits() -> None:
    gateway = Gateway()
    gateway.fill(int(MAXIMUM * START_SHARE) - 1)
    assert gateway.takes(starts_session=True)
    assert gateway.admission.refused_starts.total() == 0


def test_calls_that_begin_are_refused_first_and_then_those_under_way() -> None:
    gateway = Gateway()
    gateway.fill(int(MAXIMUM * START_SHARE))
    assert not gateway.takes(starts_session=True)
    assert gateway.takes(starts_session=False)
    gateway.fill(MAXIMUM)
    assert not gateway.takes(starts_session=False)
    assert (gateway.admission.refused_starts["in_flight"], gateway.admission.refused_inputs["in_flight"]) == (1, 1)


def test_a_pause_of_the_process_refuses_nobody() -> None:
    gateway = Gateway()
    gateway.fill(100)
    gateway.tick(VERY_LATE, times=WINDOW_TICKS - 1)
    gateway.tick(CALM)
    assert gateway.takes(starts_session=True)


@pytest.mark.parametrize(("loop_delay", "answered_in", "reason"), [(LATE, 0.01, "loop_delay"), (CALM, 3.0, "duration")])
def test_a_delay_that_all_have_lowers_the_limit_for_calls_that_begin(
    loop_delay: float, answered_in: float, reason: str
) -> None:
    gateway = Gateway()
    gateway.fill(100)
    gateway.tick(loop_delay, answered_in=answered_in, times=WINDOW_TICKS + 3)
    assert not gateway.takes(starts_session=True)
    assert gateway.takes(starts_session=False)
    assert gateway.admission.refused_starts[reason] == 1
    assert gateway.admission.is_overloaded


def test_slow_key_presses_beside_fast_ones_are_no_overload() -> None:
    """A database that hangs delays those who need it; the others walk through the menus."""
    gateway = Gateway()
    gateway.fill(50)
    for _ in range(30):
        gateway.admission.in_flight += 1
        gateway.admission.leave(7.0)
        gateway.tick(CALM, answered_in=0.02)
    assert gateway.takes(starts_session=True)


def test_nothing_answered_for_a_while_is_no_measurement() -> None:
    gateway = Gateway()
    gateway.fill(50)
    gateway.tick(CALM, times=50)
    assert gateway.takes(starts_session=True)


def test_a_long_delay_refuses_calls_under_way_as_well() -> None:
    gateway = Gateway()
    gateway.fill(150)
    gateway.tick(VERY_LATE, times=WINDOW_TICKS)
    assert not gateway.takes(starts_session=False)


def test_a_few_are_always_taken() -> None:
    """On a machine that others use as well the loop is late without any queue."""
    gateway = Gateway()
    gateway.tick(VERY_LATE, times=100)
    gateway.fill(MIN_STARTS - 1)
    assert gateway.takes(starts_session=True)
    gateway.fill(MIN_INPUTS - 1)
    assert gateway.takes(starts_session=False)


@given(st.lists(st.tuples(seconds, seconds, st.integers(0, MAXIMUM)), max_size=60))
def test_whatever_was_measured_it_is_normal_again_in_two_seconds(measured: Sequence[tuple[float, float, int]]) -> None:
    gateway = Gateway()
    for loop_delay, answered_in, in_flight in measured:
        gateway.admission.in_flight = in_flight
        gateway.tick(loop_delay, answered_in=answered_in)
        starts, inputs = gateway.admission._starts.current, gateway.admission._inputs.current
        assert MIN_STARTS <= starts <= MAXIMUM * START_SHARE
        assert starts <= inputs <= MAXIMUM, "calls that begin are refused first"
    gateway.admission.in_flight = 0
    gateway.tick(CALM, times=WINDOW_TICKS + RECOVERY_TICKS)
    gateway.fill(int(MAXIMUM * START_SHARE) - 1)
    assert gateway.takes(starts_session=True)
    assert not gateway.admission.is_overloaded


@given(st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 2.0)), max_size=60))
def test_below_the_targets_nobody_is_refused(measured: Sequence[tuple[float, float]]) -> None:
    gateway = Gateway()
    gateway.fill(int(MAXIMUM * START_SHARE) - 1)
    for loop_delay, answered_in in measured:
        gateway.tick(loop_delay, answered_in=answered_in)
        assert gateway.takes(starts_session=True)


def test_many_refusals_are_one_line() -> None:
    gateway = Gateway(1)
    with capture_logs() as lines:
        gateway.fill(1)
        for _ in range(20):
            gateway.takes(starts_session=True)
            gateway.tick(CALM)
    assert [line["event"] for line in lines] == ["ussd_requests_shed"]
    with capture_logs() as lines:
        gateway.tick(CALM, times=100)
    assert [(line["event"], line["starting"]) for line in lines] == [("ussd_requests_shed", 19)]
