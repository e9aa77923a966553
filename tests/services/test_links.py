"""Links in SMS: the same effect the same link, so many uses and no more, and nothing in the database to follow one by."""

import asyncio
import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sealing import Seal
from services.links import ALPHABET, KEPT, LENGTH, Followed, Links, well_formed
from services.records.tables import links as table
from tests.desk import SEAL

DAY = timedelta(days=1)


@pytest.fixture
def links(records, clock):
    return Links(records, SEAL, "https://ekdial.example/", clock=clock)


async def made(links, effect="s1:9/app", *, lives=DAY, uses=3, subject=""):
    return await links.make("app", subject, lives, uses, effect)


async def test_a_link_leads_where_it_was_made_to(links):
    token = await links.make("document", "in.gov.pan:ABC", DAY, 1, "s1:4/document")
    assert await links.follow(token) == Followed("document", "in.gov.pan:ABC")


def test_its_address_is_short(links):
    assert links.address("x" * LENGTH) == f"https://ekdial.example/d/{'x' * 17}"


async def test_it_is_of_letters_and_digits_that_no_handset_leaves_out_and_nobody_mixes_up(links):
    tokens = [await made(links, f"s1:{number}") for number in range(40)]
    assert all(re.fullmatch(r"[a-zA-Z2-9]{17}", token) and not set(token) & set("0O1lI") for token in tokens)
    assert len(ALPHABET) ** LENGTH >= 2**96


async def test_the_same_effect_gets_the_same_link_and_another_one_gets_another(links, desk):
    first = await made(links, "s1:9/app")
    assert await made(links, "s1:9/app", subject="another") == first
    assert await links.make("email", "", DAY, 1, "s1:9/app") != first
    assert await made(links, "s2:9/app") != first
    assert await desk.count(table) == 3
    assert await links.follow(first) == Followed("app", "")


async def test_a_link_whose_message_was_not_recorded_is_not_there(links, desk):
    async def fails():
        async with desk.records.transaction() as transaction:
            await links.write(transaction, "app", "", DAY, 1, effect="s1:9/app")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await desk.count(table) == 0


async def test_another_key_makes_other_links_and_follows_none_of_these(links, records, clock):
    stranger = Links(records, Seal(b"another secret of the tests, 32+"), "https://ekdial.example", clock=clock)
    token = await made(links)
    assert await made(stranger) != token
    assert await stranger.follow(token) is None


async def test_each_use_counts_and_the_last_one_is_the_last(links):
    token = await made(links, uses=2)
    assert [bool(await links.follow(token)) for _ in range(4)] == [True, True, False, False]


async def test_of_many_at_once_no_more_get_in_than_there_are_uses(links):
    token = await made(links, uses=3)
    followed = await asyncio.gather(*(links.follow(token) for _ in range(12)))
    assert sum(one is not None for one in followed) == 3


async def test_it_works_until_its_time_is_over(links, clock):
    token = await made(links, lives=timedelta(minutes=10))
    clock.moves(minutes=9, seconds=59)
    assert await links.follow(token)
    clock.moves(seconds=1)
    assert await links.follow(token) is None


async def test_asking_about_it_takes_no_use_off(links, clock):
    token, spent = await made(links, uses=1), await made(links, "s2", uses=1)
    await links.follow(spent)
    assert [await links.state(one) for one in (token, token, spent)] == ["open", "open", "gone"]
    assert await links.state("2" * LENGTH) == "unknown"
    clock.moves(days=1)
    assert await links.state(token) == "gone"


@pytest.mark.parametrize("token", ["", "2", "2" * 16, "2" * 18, "0" * 17, "ক" * 17, "2" * 16 + "\0", "2" * 16 + "\n"])
async def test_what_could_be_no_token_leads_nowhere(token, links):
    await made(links)
    assert (await links.follow(token), await links.state(token)) == (None, "unknown")


@given(st.text(max_size=20))
def test_no_text_is_well_formed_but_a_token(text):
    assert well_formed(text) == bool(re.fullmatch(f"[{ALPHABET}]{{17}}", text))


async def test_neither_token_nor_subject_can_be_read_in_the_table(links, records):
    token = await links.make("email", "nobody@example.org", DAY, 1, "s1:4/email")
    (row,) = await records.read(select(table))
    kept = repr(tuple(row)).encode()
    assert token.encode() not in kept
    assert b"nobody" not in kept


async def test_what_is_followed_does_not_say_to_what(links):
    token = await links.make("email", "nobody@example.org", DAY, 1, "s1:4/email")
    assert "nobody" not in repr(await links.follow(token))


async def test_long_dead_links_are_buried_as_new_ones_are_made(links, desk, clock):
    for number in range(3):
        await made(links, f"old:{number}")
        clock.moves(seconds=1)
    clock.moves(days=KEPT.days + 1)
    left = []
    for number in range(3):
        await made(links, f"new:{number}")
        left.append(await desk.count(table))
    assert left == [2, 2, 3]


async def test_links_made_at_once_by_two_processes_bury_the_dead_without_waiting_for_each_other(links, records, clock):
    for number in range(8):
        await made(links, f"old:{number}")
    clock.moves(days=KEPT.days + 1)
    other = Links(records, SEAL, "https://ekdial.example", clock=clock)
    async with asyncio.timeout(10):
        tokens = await asyncio.gather(*(made(one, f"new:{number}") for number in range(4) for one in (links, other)))
    assert all(first == second for first, second in zip(tokens[::2], tokens[1::2], strict=True))
    assert all(first != second for first, second in pairwise(tokens[::2]))
