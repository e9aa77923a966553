from datetime import UTC, date, datetime
from types import SimpleNamespace

from services.cases.models import StatusChanged, StatusRejected, change_digest, days_overdue, repeat_of_change

AT = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)


def test_a_digest_ignores_the_order_of_languages_and_nothing_else():
    digest = change_digest("1", "ready", {"en": "a", "bn": "b"})
    assert digest == change_digest("1", "ready", {"bn": "b", "en": "a"})
    others = [
        ("2", "ready", {"en": "a"}),
        ("1", "approved", {"en": "a"}),
        ("1", "ready", {"en": "b"}),
        ("1", "ready", {}),
    ]
    assert len({digest, *(change_digest(*other) for other in others)}) == 5


def test_a_case_is_overdue_from_the_day_after_the_promised_one():
    today = date(2026, 11, 21)
    assert [days_overdue(promised, today) for promised in (date(2026, 11, 19), today, None)] == [2, 0, 0]


def test_a_repeated_key_gets_the_first_change_and_another_change_a_conflict():
    event = SimpleNamespace(digest=b"same", status="ready", note={}, created_at=AT)
    assert repeat_of_change(event, "1", b"same") == StatusChanged("1", "ready", {}, AT, is_repeat=True)
    assert repeat_of_change(event, "1", b"other") == StatusRejected("conflict")
