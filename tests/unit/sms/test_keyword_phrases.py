"""Phrases that people send: each does what its sender means, asks the sender, or is answered with the way to the menu."""

import pytest

from tests.support.keyword_phrases import MEANINGS, PHRASES, PhraseOutcome, judge_phrase

JUDGED = [(meaning, phrase) for meaning, phrases in PHRASES.items() for phrase in phrases]


def test_every_meaning_has_phrases_and_every_phrase_one_meaning():
    phrases = [phrase.casefold() for _, phrase in JUDGED]

    assert set(PHRASES) == set(MEANINGS)
    assert [phrase for phrase in phrases if phrases.count(phrase) > 1] == []


@pytest.mark.parametrize("meaning", MEANINGS)
def test_no_phrase_executes_a_keyword_that_is_not_meant(meaning):
    wrong = [it for it in PHRASES[meaning] if judge_phrase(meaning, it) is PhraseOutcome.WRONG_ACTION]

    assert wrong == []


def test_most_phrases_are_understood():
    outcomes = [judge_phrase(meaning, phrase) for meaning, phrase in JUDGED]

    assert outcomes.count(PhraseOutcome.NOT_UNDERSTOOD) / len(outcomes) < 0.02
