"""The last file descriptors are kept, and it is logged once a minute when they are used up."""

import errno
import os

import pytest
from structlog.testing import capture_logs

from core.http.descriptors import DescriptorGuard


def test_a_connection_with_one_of_the_last_descriptors_is_refused_and_said_once():
    guard = DescriptorGuard(highest=100)
    with capture_logs() as logs:
        assert [guard.admit(descriptor) for descriptor in (7, 100, 101, 102, -1)] == [True, True, False, False, True]
    assert [(line["event"], line["reason"]) for line in logs] == [("file_descriptors_exhausted", "connection_refused")]


def test_without_a_limit_every_descriptor_is_right():
    assert DescriptorGuard().admit(1_000_000)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
async def test_a_check_that_finds_none_left_is_logged_once(number):
    def open_file():
        raise OSError(number, os.strerror(number))

    guard = DescriptorGuard(open_file=open_file)
    with capture_logs() as logs:
        await guard.check()
        await guard.check()
    assert [(line["event"], line["reason"]) for line in logs] == [("file_descriptors_exhausted", "none_left")]


async def test_a_check_leaves_nothing_open():
    before = os.open(os.devnull, os.O_RDONLY)
    os.close(before)
    await DescriptorGuard().check()
    after = os.open(os.devnull, os.O_RDONLY)
    os.close(after)
    assert after == before
