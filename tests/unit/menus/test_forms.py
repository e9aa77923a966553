"""Forms: each answer is saved as it comes, and questions that change during a session are handled."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import pytest

from core.validation import Invalid, Valid
from menus.engine import accepts, advance
from menus.model import Choice, Form, Goodbye, Menu, Outcome, Position, Step, StepContext

TODAY = date(2026, 11, 21)


@dataclass
class FakeField:
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    choices: tuple = ()

    def validate(self, text, today):
        return Valid(text.upper()) if text.isalpha() else Invalid("not_a_name")

    has_digits = False

    def display_value(self, value):
        return value


class FormContext:
    """A menu with one form whose questions can be changed, and the saved answers."""

    def __init__(self):
        self.fields = ["child", "mother"]
        self.saved = []
        self.menu = Menu(
            (
                Choice("main", ()),
                Form(
                    "form", lambda _: [FakeField(name) for name in self.fields], "form", goto="sum", on_answer=self.save
                ),
                Step("sum", self.sum_up, {"done": "summary"}),
                Goodbye("summary"),
                Goodbye("stuck"),
            ),
            home="main",
            stuck="stuck",
            persistent_facts=frozenset(),
        )

    async def save(self, context):
        self.saved.append((context.idempotency_key, dict(context.facts["form"])))

    async def sum_up(self, _: StepContext) -> Outcome[Literal["done"]]:
        return Outcome("done")

    async def enter(self, position, typed, idempotency_key="s1:5"):
        context = StepContext(
            "+8801700000001", "ussd", "s1", "en", idempotency_key, {}, caller_number_verified=True, today=TODAY
        )
        return await advance(self.menu, position, typed, context)


@pytest.fixture
def form_context():
    return FormContext()


@pytest.fixture
def position():
    return Position("form", "en", history=(("main", 0),))


async def test_each_answer_that_is_taken_is_kept_with_those_before_it(form_context, position):
    first = await form_context.enter(position, "Rahim", "s1:5")
    await form_context.enter(first.position, "Salma", "s1:11")
    assert form_context.saved == [("s1:5", {"child": "RAHIM"}), ("s1:11", {"child": "RAHIM", "mother": "SALMA"})]


async def test_what_is_refused_back_home_and_other_screens_keep_nothing(form_context, position):
    first = (await form_context.enter(position, "Rahim")).position
    form_context.saved.clear()
    for typed in ("7", "0", "00", ""):
        await form_context.enter(first, typed)
    assert form_context.saved == []


async def test_heard_again_the_same_is_kept_again(form_context, position):
    for _ in range(2):
        await form_context.enter(position, "Rahim", "s1:5")
    assert form_context.saved == [("s1:5", {"child": "RAHIM"})] * 2


async def test_a_form_that_asks_nothing_leads_on(form_context, position):
    form_context.fields.clear()
    assert (await form_context.enter(position, "Rahim")).position.screen == "summary"
    assert (await form_context.enter(position, "0")).position.screen == "main"


async def test_going_back_into_a_form_that_asks_nothing_any_more_leads_on(form_context, position):
    second = (await form_context.enter(position, "Rahim")).position
    form_context.fields.clear()
    assert (await form_context.enter(second, "0")).position.screen == "summary"


async def test_a_question_that_went_while_it_was_read_takes_no_answer(form_context, position):
    second = (await form_context.enter(position, "Rahim")).position
    form_context.fields.pop()
    assert not accepts(form_context.menu, second, "Salma", TODAY)
    reached = await form_context.enter(second, "Salma")
    assert reached.position.screen == "summary"
    assert reached.position.facts["form"] == {"child": "RAHIM"}
