"""Links in SMS: one link for each idempotency key, limited uses, and no token in the database."""

import asyncio
import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.crypto import Cipher
from db.tables import links as table
from services.messaging.links import TOKEN_ALPHABET, TOKEN_LENGTH, Links, ResolvedLink, is_well_formed
from tests.support.retention import build_retention
from tests.support.services import CIPHER

DAY = timedelta(days=1)


@pytest.fixture
def links(database, clock):
    return Links(database, CIPHER, "https://ekdial.example/", clock=clock)


async def create_link(links, idempotency_key="s1:9/app", *, lives=DAY, uses=3, subject=""):
    return await links.create("app", subject, lives, uses, idempotency_key)


async def test_a_link_leads_where_it_was_made_to(links):
    token = await links.create("document", "in.gov.pan:ABC", DAY, 1, "s1:4/document")
    assert await links.resolve(token) == ResolvedLink("document", "in.gov.pan:ABC")


def test_its_address_is_short(links):
    assert links.url("x" * TOKEN_LENGTH) == f"https://ekdial.example/d/{'x' * 17}"


async def test_it_is_of_letters_and_digits_that_no_handset_leaves_out_and_nobody_mixes_up(links):
    tokens = [await create_link(links, f"s1:{number}") for number in range(40)]
    assert all(re.fullmatch(r"[a-zA-Z2-9]{17}", token) and not set(token) & set("0O1lI") for token in tokens)
    assert len(TOKEN_ALPHABET) ** TOKEN_LENGTH >= 2**96


async def test_the_same_effect_gets_the_same_link_and_another_one_gets_another(links, services):
    first = await create_link(links, "s1:9/app")
    assert await create_link(links, "s1:9/app", subject="another") == first
    assert await links.create("email", "", DAY, 1, "s1:9/app") != first
    assert await create_link(links, "s2:9/app") != first
    assert await services.count_rows(table) == 3
    assert await links.resolve(first) == ResolvedLink("app", "")


async def test_a_link_whose_message_was_not_recorded_is_not_there(links, services):
    async def fails():
        async with services.database.transaction() as transaction:
            await links.create_in_transaction(transaction, "app", "", DAY, 1, idempotency_key="s1:9/app")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await services.count_rows(table) == 0


async def test_another_key_makes_other_links_and_follows_none_of_these(links, database, clock):
    stranger = Links(database, Cipher(b"another secret of the tests, 32+"), "https://ekdial.example", clock=clock)
    token = await create_link(links)
    assert await create_link(stranger) != token
    assert await stranger.resolve(token) is None


async def test_each_use_counts_and_the_last_one_is_the_last(links):
    token = await create_link(links, uses=2)
    assert [bool(await links.resolve(token)) for _ in range(4)] == [True, True, False, False]


async def test_of_many_at_once_no_more_get_in_than_there_are_uses(links):
    token = await create_link(links, uses=3)
    followed = await asyncio.gather(*(links.resolve(token) for _ in range(12)))
    assert sum(one is not None for one in followed) == 3


async def test_it_works_until_its_time_is_over(links, clock):
    token = await create_link(links, lives=timedelta(minutes=10))
    clock.advance(minutes=9, seconds=59)
    assert await links.resolve(token)
    clock.advance(seconds=1)
    assert await links.resolve(token) is None


async def test_asking_about_it_takes_no_use_off(links, clock):
    token, spent = await create_link(links, uses=1), await create_link(links, "s2", uses=1)
    await links.resolve(spent)
    assert [(await links.find(one)).state for one in (token, token, spent)] == ["open", "open", "gone"]
    assert (await links.find("2" * TOKEN_LENGTH)).state == "unknown"
    clock.advance(days=1)
    assert (await links.find(token)).state == "gone"


@pytest.mark.parametrize("token", ["", "2", "2" * 16, "2" * 18, "0" * 17, "ক" * 17, "2" * 16 + "\0", "2" * 16 + "\n"])
async def test_what_could_be_no_token_leads_nowhere(token, links):
    await create_link(links)
    assert (await links.resolve(token), (await links.find(token)).state) == (None, "unknown")


@given(st.text(max_size=20))
def test_no_text_is_well_formed_but_a_token(text):
    assert is_well_formed(text) == bool(re.fullmatch(f"[{TOKEN_ALPHABET}]{{17}}", text))


async def test_neither_token_nor_subject_can_be_read_in_the_table(links, database):
    token = await links.create("email", "nobody@example.org", DAY, 1, "s1:4/email")
    (row,) = await database.fetch(select(table))
    kept = repr(tuple(row)).encode()
    assert token.encode() not in kept
    assert b"nobody" not in kept


async def test_what_is_followed_does_not_say_to_what(links):
    token = await links.create("email", "nobody@example.org", DAY, 1, "s1:4/email")
    assert "nobody" not in repr(await links.resolve(token))


async def test_an_expired_link_is_deleted_after_a_month(links, services, clock):
    await create_link(links, "old")
    clock.advance(days=31)
    await create_link(links, "new")
    assert await build_retention(services.database, clock).delete_expired() == 0
    clock.advance(seconds=1)
    assert await build_retention(services.database, clock).delete_expired() == 1
    assert await services.count_rows(table) == 1


async def test_two_processes_that_make_links_at_once_do_not_wait_for_each_other(links, database, clock):
    other = Links(database, CIPHER, "https://ekdial.example", clock=clock)
    async with asyncio.timeout(10):
        tokens = await asyncio.gather(
            *(create_link(one, f"new:{number}") for number in range(4) for one in (links, other))
        )
    assert all(first == second for first, second in zip(tokens[::2], tokens[1::2], strict=True))
    assert all(first != second for first, second in pairwise(tokens[::2]))
