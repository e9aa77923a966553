"""Screens that only tell something are not offered again after a drop: a minor of section 1 of the field report."""

import msgspec
import pytest

from menus.journeys.resume import is_resumable, resume_position
from menus.model import Choice, Form, Goodbye, ListScreen, Option, Position, Question, Step
from menus.proof import FRESH_PIN, NO_PROOF
from menus.reading_screens import find_reading_screens
from tests.support.menu_facts import conversation
from tests.support.small_menu import build_menu

MENU = conversation().menu
READ = (
    *("helpdesk", "centre", "centre_sent", "app_sent", "status", "status_due", "status_own", "status_own_due"),
    *("status_sent", "complaint_status", "feedback_status", "history_list", "history_event", "service_sent"),
    *("pay_paid", "pay_pending", "bill_none", "own_none", "not_operator", "frozen", "no_longer"),
)
ASKED = (
    *("confirm", "confirm_free", "for_whom", "pay_confirm", "bill_due", "withdraw", "delete_confirm", "questions"),
    *("complaint_reason", "complaint_answered", "service", "draft_left", "sectors", "found_services", "change_which"),
)


def test_what_the_report_names_is_read_and_what_waits_for_a_decision_is_not() -> None:
    read = find_reading_screens(MENU)
    assert [name for name in READ if name not in read] == []
    assert [name for name in ASKED if name in read] == []


@pytest.mark.parametrize("screen", [it for it in MENU.screen_list if not isinstance(it, Step)], ids=lambda it: it.name)
def test_a_screen_is_offered_again_if_something_waits_there(screen) -> None:
    is_read = screen.name in find_reading_screens(MENU)
    place = Position(screen.name, "en", history=(("main", 0),), is_read=is_read)
    if isinstance(screen, Question | Form):
        assert not is_read, "an answer waits"
    if is_read:
        assert isinstance(screen, Choice | ListScreen)
        assert not getattr(screen, "save_as", "") or isinstance(screen, ListScreen)
        assert is_resumable(place) == (screen.name in {"form_changed", "from_profile"}), "a form has begun there"
        assert screen.name == "main" or is_resumable(msgspec.structs.replace(place, facts={"pending_act": "submit"})), (
            "an act waits"
        )


async def nothing(_):
    raise NotImplementedError


@pytest.mark.parametrize(("needs", "is_read"), [(FRESH_PIN, False), (NO_PROOF, True)])
def test_the_rule_is_what_follows_and_not_a_list_of_names(needs, is_read) -> None:
    tree = (
        Choice("main", (Option("told", goto="told"),)),
        Choice("told", (Option("again", goto="main"), Option("act", goto="prepare"))),
        Step("prepare", nothing, {"ready": "act"}),
        Step("act", nothing, {"done": "main"}, commits=True, needs=needs),
        Goodbye("stuck"),
    )
    assert ("told" in find_reading_screens(build_menu(tree))) == is_read


def test_an_answer_that_failed_on_our_side_is_offered_again_at_a_screen_that_was_read() -> None:
    place = Position("status", "en", history=(("main", 0),), is_read=True)
    assert is_resumable(place, has_failed=True)
    assert resume_position(place, "s", has_failed=True).screen == "resume_failed"
