"""The list and the documents of a sign-in: numbered once, handed over one at a time, kept as long as the link works."""

import asyncio
import re

import pytest
from sqlalchemy import select

from services.documents.port import Facts, Held
from services.documents.post import Reader
from services.documents.sandbox import KINDS, sample
from services.records.tables import documents
from tests.desk import SEAL
from tests.documents.helpdesk import ERRORS, NUMBER

READER = Reader(NUMBER, "bn")


async def test_the_list_is_numbered_once(told):
    sign_in = await told.signed_in()
    first = await told.desk.look(sign_in)
    told.issuer.held.insert(0, Held("x-NEWER-3", "NEWER", "Newer"))
    assert [one.kind for one in first.held] == ["PANCR", "OTHER"]
    assert await told.desk.look(sign_in) == first
    assert told.issuer.asked.count("listed") == 1


async def test_what_is_renewed_is_what_is_used_from_then_on(told):
    sign_in = await told.signed_in()
    await told.desk.look(sign_in)
    handed = await told.desk.hand_over(sign_in, 1, READER, "s1:12")
    assert handed.document.facts.holder == "granted 2"


async def test_an_account_without_documents_is_said_to_have_none(told):
    sign_in = await told.signed_in()
    told.issuer.held.clear()
    assert (await told.desk.look(sign_in)).outcome == "none"


@pytest.mark.parametrize("outcome", ["down", "ended"])
async def test_a_list_that_cannot_be_had_is_told_as_what_it_is(told, outcome):
    sign_in = await told.signed_in()
    told.issuer.then(ERRORS[outcome])
    assert (await told.desk.look(sign_in)).outcome == outcome
    assert (await told.desk.look(sign_in)).outcome == "some", "and can be asked for again"


@pytest.mark.parametrize("outcome", ["down", "ended", "unknown"])
async def test_a_document_that_cannot_be_had_is_told_as_what_it_is(told, outcome):
    sign_in = await told.signed_in()
    await told.desk.look(sign_in)
    told.issuer.then(ERRORS[outcome])
    assert (await told.desk.hand_over(sign_in, 1, READER, "s1:12")).outcome == outcome
    assert await told.sent() == []
    assert (await told.desk.hand_over(sign_in, 1, READER, "s1:14")).outcome == "here"


async def test_after_a_quarter_of_an_hour_nothing_is_shown(told):
    sign_in = await told.signed_in()
    told.clock.moves(minutes=15)
    assert (await told.desk.look(sign_in)).outcome == "ended"
    assert (await told.desk.hand_over(sign_in, 1, READER, "s1:12")).outcome == "ended"


async def test_a_document_is_sent_as_a_link_and_as_text_once(told):
    sign_in = await told.signed_in()
    handed = await asyncio.gather(*(told.desk.hand_over(sign_in, 2, READER, "s1:12") for _ in range(5)))
    assert {one.outcome for one in handed} == {"here"}
    [(to, kind, facts)] = await told.sent()
    assert (to, kind) == (NUMBER, "document")
    assert (facts["document_kind"], facts["document_title"], facts["hours"], facts["uses"]) == (
        "OTHER",
        "Ration card",
        24,
        5,
    )
    assert re.fullmatch(r"https://ekdial\.example/d/\w+", facts["link"])


async def test_the_link_leads_to_what_was_handed_over_five_times_and_for_a_day(told):
    sign_in = await told.signed_in()
    handed = await told.desk.hand_over(sign_in, 1, READER, "s1:12")
    token = (await told.sent())[0][2]["link"].rpartition("/")[2]
    followed = [await told.links.follow(token) for _ in range(6)]
    assert [bool(one) for one in followed] == [True] * 5 + [False]
    shown = await told.desk.shown(followed[0].subject)
    assert (shown.document, shown.language) == (handed.document, "bn")
    told.clock.moves(hours=24)
    assert await told.desk.shown(followed[0].subject) is None
    await told.desk.sweep()
    assert not (await told.records.read(select(documents))).all()


async def test_a_replay_long_after_hands_over_the_same_without_asking_anybody(told):
    sign_in = await told.signed_in()
    handed = await told.desk.hand_over(sign_in, 1, READER, "s1:12")
    told.clock.moves(hours=1)
    asked = len(told.issuer.asked)
    assert await told.desk.hand_over(sign_in, 1, READER, "s1:12") == handed
    assert len(told.issuer.asked) == asked


async def test_twenty_documents_and_then_no_more(told):
    sign_in = await told.signed_in()
    outcomes = [(await told.desk.hand_over(sign_in, 1, READER, f"s1:{place}")).outcome for place in range(22)]
    assert outcomes == ["here"] * 20 + ["too_many"] * 2


async def test_what_is_kept_can_be_read_by_nobody_else(told):
    sign_in = await told.signed_in()
    await told.desk.hand_over(sign_in, 1, READER, "s1:12")
    [row] = (await told.records.read(select(documents))).all()
    assert b"granted" not in row.content
    assert b"granted" in SEAL.open(row.content, f"document:{row.reference}")


@pytest.mark.parametrize("redis_url", ["memory://"])
async def test_the_sandbox_has_one_of_each_type_always_the_same(sandbox, redis_url):
    answer = await sandbox.asks("s1:3")
    await sandbox.sign_ins.check(answer.sign_in, await sandbox.code_sent(), "s1:10")
    look = await sandbox.desk.look(answer.sign_in)
    assert [one.kind for one in look.held] == list(KINDS)
    for place in range(1, len(KINDS) + 1):
        once, again = [
            (await sandbox.desk.hand_over(answer.sign_in, place, READER, f"s1:{place}-{time}")).document
            for time in (1, 2)
        ]
        assert once == again
        assert once.sample
        assert once.file.octets.startswith(b"%PDF-1.4")
        assert b"SAMPLE - NOT A VALID DOCUMENT" in once.file.octets


def test_samples_differ_from_holder_to_holder_and_say_all_there_is(clock):
    for kind in KINDS:
        one, two = (sample(kind, holder, clock.now.date()).facts for holder in ("a", "b"))
        assert one.number != two.number
        assert "9" * 3 not in one.number
        assert one.issued < clock.now.date()
        assert isinstance(one, Facts)
