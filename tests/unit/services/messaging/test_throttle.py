"""The throttle of segments."""

import pytest

from services.messaging.throttle import Throttle


class ManualTimer:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer():
    return ManualTimer()


def test_without_a_limit_there_is_none(timer):
    throttle = Throttle(0, timer)
    throttle.consume(10**9)
    assert (throttle.available(), throttle.seconds_until_available()) == (None, 0)


def test_what_is_taken_comes_back_with_time(timer):
    throttle = Throttle(20, timer)
    assert throttle.available() == 6
    throttle.consume(6)
    assert (throttle.available(), throttle.seconds_until_available()) == (0, 0.05)
    timer.now += 0.1
    assert throttle.available() == 2


def test_no_more_is_saved_up_than_one_and_a_quarter_of_a_second_is_worth(timer):
    throttle = Throttle(20, timer)
    timer.now += 3600
    assert throttle.available() == 6


def test_after_a_long_message_the_next_waits_for_it(timer):
    throttle = Throttle(2, timer)
    throttle.consume(7)
    assert (throttle.available(), throttle.seconds_until_available()) == (0, 3.25)
    timer.now += 3.25
    assert throttle.available() == 1


@pytest.mark.parametrize("a_second", [0.5, 1, 3, 20, 100])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_in_the_long_run_it_is_so_many_segments_a_second(timer, a_second, length):
    throttle, sent = Throttle(a_second, timer), []
    for _ in range(6000):  # a hundredth of a second each
        while throttle.available():
            throttle.consume(length)
            sent.append(timer.now)
        timer.now += 0.01
    assert len(sent) * length == pytest.approx(60 * a_second, abs=a_second / 4 + length + 2)


@pytest.mark.parametrize("a_second", [4, 20, 100])
def test_in_no_second_is_it_much_more(timer, a_second):
    throttle, sent = Throttle(a_second, timer), []
    for _ in range(1000):
        while throttle.available():
            throttle.consume(1)
            sent.append(timer.now)
        timer.now += 0.01
    assert max(sum(begins <= one < begins + 1 for one in sent) for begins in sent) <= a_second * 1.25 + 2
