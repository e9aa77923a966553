"""The documents of a sign-in: numbered once, handed over one at a time, stored as long as the link works."""

import asyncio
import re

import pytest
from sqlalchemy import select

from db.tables import documents
from services.documents.issuers.sandbox import SAMPLE_KINDS, build_sample
from services.documents.models import DocumentFacts, IssuedDocument, Recipient
from tests.support.documents import ERRORS, MSISDN
from tests.support.retention import build_retention
from tests.support.services import CIPHER

READER = Recipient(MSISDN, "bn")


async def test_the_list_is_numbered_once(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    first = await scripted_documents.documents.list_documents(sign_in)
    scripted_documents.issuer.held.insert(0, IssuedDocument("x-NEWER-3", "NEWER", "Newer"))
    assert [one.kind for one in first.documents] == ["PANCR", "OTHER"]
    assert await scripted_documents.documents.list_documents(sign_in) == first
    assert scripted_documents.issuer.calls.count("listed") == 1


async def test_what_is_renewed_is_what_is_used_from_then_on(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    await scripted_documents.documents.list_documents(sign_in)
    handed = await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")
    assert handed.document.facts.holder == "granted 2"


async def test_an_account_without_documents_is_said_to_have_none(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    scripted_documents.issuer.held.clear()
    assert (await scripted_documents.documents.list_documents(sign_in)).outcome == "none"


@pytest.mark.parametrize("outcome", ["down", "ended"])
async def test_a_list_that_cannot_be_had_is_told_as_what_it_is(scripted_documents, outcome):
    sign_in = await scripted_documents.open_sign_in()
    scripted_documents.issuer.raise_next(ERRORS[outcome])
    assert (await scripted_documents.documents.list_documents(sign_in)).outcome == outcome
    assert (await scripted_documents.documents.list_documents(sign_in)).outcome == "some", "and can be asked for again"


@pytest.mark.parametrize("outcome", ["down", "ended", "unknown"])
async def test_a_document_that_cannot_be_had_is_told_as_what_it_is(scripted_documents, outcome):
    sign_in = await scripted_documents.open_sign_in()
    await scripted_documents.documents.list_documents(sign_in)
    scripted_documents.issuer.raise_next(ERRORS[outcome])
    assert (await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")).outcome == outcome
    assert await scripted_documents.claim_sms() == []
    assert (await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:14")).outcome == "here"


async def test_after_a_quarter_of_an_hour_nothing_is_shown(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    scripted_documents.clock.advance(minutes=15)
    assert (await scripted_documents.documents.list_documents(sign_in)).outcome == "ended"
    assert (await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")).outcome == "ended"


async def test_a_document_is_sent_as_a_link_and_as_text_once(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    handed = await asyncio.gather(
        *(scripted_documents.documents.hand_over(sign_in, 2, READER, "s1:12") for _ in range(5))
    )
    assert {one.outcome for one in handed} == {"here"}
    [(to, kind, facts)] = await scripted_documents.claim_sms()
    assert (to, kind) == (MSISDN, "document")
    assert (facts["document_kind"], facts["document_title"], facts["hours"], facts["uses"]) == (
        "OTHER",
        "Ration card",
        24,
        5,
    )
    assert re.fullmatch(r"https://ekdial\.example/d/\w+", facts["link"])


async def test_the_link_leads_to_what_was_handed_over_five_times_and_for_a_day(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    handed = await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")
    token = (await scripted_documents.claim_sms())[0][2]["link"].rpartition("/")[2]
    followed = [await scripted_documents.links.resolve(token) for _ in range(6)]
    assert [bool(one) for one in followed] == [True] * 5 + [False]
    shown = await scripted_documents.documents.view(followed[0].subject)
    assert (shown.document, shown.language) == (handed.document, "bn")
    scripted_documents.clock.advance(hours=24, seconds=1)
    assert await scripted_documents.documents.view(followed[0].subject) is None
    await build_retention(scripted_documents.database, scripted_documents.clock).delete_expired()
    assert not (await scripted_documents.database.fetch(select(documents))).all()


async def test_a_replay_long_after_hands_over_the_same_without_asking_anybody(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    handed = await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")
    scripted_documents.clock.advance(hours=1)
    asked = len(scripted_documents.issuer.calls)
    assert await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12") == handed
    assert len(scripted_documents.issuer.calls) == asked


async def test_twenty_documents_and_then_no_more(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    outcomes = [
        (await scripted_documents.documents.hand_over(sign_in, 1, READER, f"s1:{place}")).outcome for place in range(22)
    ]
    assert outcomes == ["here"] * 20 + ["too_many"] * 2


async def test_what_is_kept_can_be_read_by_nobody_else(scripted_documents):
    sign_in = await scripted_documents.open_sign_in()
    await scripted_documents.documents.hand_over(sign_in, 1, READER, "s1:12")
    [row] = (await scripted_documents.database.fetch(select(documents))).all()
    assert b"granted" not in row.content
    assert b"granted" in CIPHER.decrypt(row.content, f"document:{row.reference}")


@pytest.mark.parametrize("redis_url", ["memory://"])
async def test_the_sandbox_has_one_of_each_type_always_the_same(sandbox_documents, redis_url):
    answer = await sandbox_documents.request_sign_in("s1:3")
    await sandbox_documents.sign_ins.check_code(answer.sign_in, await sandbox_documents.latest_code(), "s1:10")
    look = await sandbox_documents.documents.list_documents(answer.sign_in)
    assert [one.kind for one in look.documents] == list(SAMPLE_KINDS)
    for place in range(1, len(SAMPLE_KINDS) + 1):
        once, again = [
            (await sandbox_documents.documents.hand_over(answer.sign_in, place, READER, f"s1:{place}-{time}")).document
            for time in (1, 2)
        ]
        assert once == again
        assert once.sample
        assert once.file.content.startswith(b"%PDF-1.4")
        assert b"SAMPLE - NOT A VALID DOCUMENT" in once.file.content


def test_samples_differ_from_holder_to_holder_and_say_all_there_is(clock):
    for kind in SAMPLE_KINDS:
        one, two = (build_sample(kind, holder, clock.now.date()).facts for holder in ("a", "b"))
        assert one.number != two.number
        assert "9" * 3 not in one.number
        assert one.issued_on < clock.now.date()
        assert isinstance(one, DocumentFacts)
