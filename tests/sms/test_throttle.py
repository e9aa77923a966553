"""How many segments may be sent now."""

import pytest

from sms.throttle import Throttle


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch():
    return Watch()


def test_without_a_limit_there_is_none(watch):
    throttle = Throttle(0, watch)
    throttle.take(10**9)
    assert (throttle.left(), throttle.wait()) == (None, 0)


def test_what_is_taken_comes_back_with_time(watch):
    throttle = Throttle(20, watch)
    assert throttle.left() == 6
    throttle.take(6)
    assert (throttle.left(), throttle.wait()) == (0, 0.05)
    watch.now += 0.1
    assert throttle.left() == 2


def test_no_more_is_saved_up_than_one_and_a_quarter_of_a_second_is_worth(watch):
    throttle = Throttle(20, watch)
    watch.now += 3600
    assert throttle.left() == 6


def test_after_a_long_message_the_next_waits_for_it(watch):
    throttle = Throttle(2, watch)
    throttle.take(7)
    assert (throttle.left(), throttle.wait()) == (0, 3.25)
    watch.now += 3.25
    assert throttle.left() == 1


@pytest.mark.parametrize("a_second", [0.5, 1, 3, 20, 100])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_in_the_long_run_it_is_so_many_segments_a_second(watch, a_second, length):
    throttle, sent = Throttle(a_second, watch), []
    for _ in range(6000):  # a hundredth of a second each
        while throttle.left():
            throttle.take(length)
            sent.append(watch.now)
        watch.now += 0.01
    assert len(sent) * length == pytest.approx(60 * a_second, abs=a_second / 4 + length + 2)


@pytest.mark.parametrize("a_second", [4, 20, 100])
def test_in_no_second_is_it_much_more(watch, a_second):
    throttle, sent = Throttle(a_second, watch), []
    for _ in range(1000):
        while throttle.left():
            throttle.take(1)
            sent.append(watch.now)
        watch.now += 0.01
    assert max(sum(begins <= one < begins + 1 for one in sent) for begins in sent) <= a_second * 1.25 + 2
