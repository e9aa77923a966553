"""The screens that must end the call, since a wallet's prompt reaches the phone after it (finding 1.1 of the field report)."""

from dataclasses import replace
from typing import Literal

import pytest

from menus.journeys.pay import mask_msisdn
from menus.model import Choice, Goodbye, Navigation, Option, Outcome, Position, Step, StepContext
from menus.proof import COSTS, PAYER
from menus.rendering.localization import LOCALE_CODES, build_screen_locales
from menus.rendering.paging import ScreenBudget, paginate
from menus.rendering.view import build_view
from menus.validation.check import find_problems
from menus.validation.last_screens import list_last_screens
from tests.support.menu_facts import conversation
from tests.support.small_menu import build_report, locale_sources_for


async def pay(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="pay"),)),
    Step("pay", pay, {"sent": "done"}, effects=COSTS, needs=PAYER, ends_call=("sent",)),
    Goodbye("done"),
    Goodbye("stuck"),
)


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_a_payment_ends_the_call_in_every_language_on_every_network(form: str) -> None:
    menu, locales = conversation().menu, build_screen_locales(conversation().locales)
    budget = ScreenBudget(unicode=form in {"bn", "hi"})
    assert "wallet_asked" in list_last_screens(menu)
    for name in list_last_screens(menu):
        said = {"wallet": mask_msisdn("+8801700000001")}
        view = build_view(menu, Navigation(Position(name, form[:2], facts=said)), locales[form])
        page = paginate(view, budget)
        assert (page.has_more, page.ends_session) == (False, True), f"{name} in {form}: {page.text}"


@pytest.mark.parametrize(
    ("form", "text", "limit"), [("en", "word " * 34, "160 septets"), ("bn", "শব্দ " * 14, "70 units")]
)
def test_a_last_screen_that_needs_a_second_page_is_refused_by_its_line(form: str, text: str, limit: str) -> None:
    sources = {**locale_sources_for(TREE)}
    sources[form] = sources[form].replace('[done]\ntext = "Text"', f'[done]\ntext = "{text.strip()}"')
    messages = [str(problem) for problem in find_problems(build_report(TREE, sources))]
    count = len(text.strip())
    assert [line.partition(": ")[2] for line in messages if "must end the call" in line] == [
        f"done.text: this screen must end the call, but {count} characters do not fit on one of {limit}; use fewer words"
    ]


def test_a_last_screen_must_fit_on_the_smallest_screen_of_any_network() -> None:
    sources = dict.fromkeys(
        LOCALE_CODES, locale_sources_for(TREE)["en"].replace('[done]\ntext = "Text"', f'[done]\ntext = "{"x" * 60}"')
    )
    sound = build_report(TREE, sources)
    assert not [problem for problem in find_problems(sound) if problem.key == "done.text"]
    small = replace(sound, smallest_budget=ScreenBudget(septets=60, units=70))
    assert {problem.file for problem in find_problems(small) if problem.key == "done.text"} == {
        f"menus/locales/{form}.toml" for form in LOCALE_CODES
    }
