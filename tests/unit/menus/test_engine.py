"""The engine alone: one input in, one position out, over a small menu for each property."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from core.validation import Invalid, Valid
from menus.engine import MAX_STEPS, accepts, advance
from menus.model import (
    Choice,
    Form,
    FreeText,
    Goodbye,
    ListScreen,
    Menu,
    Navigation,
    Option,
    Outcome,
    Position,
    Question,
    Screen,
    SessionPolicy,
    Step,
    StepContext,
)
from menus.proof import ANYONE
from services.catalogue.models import NoLongerOfferedError

CONTEXT = StepContext(
    caller="+8801700000001",
    channel="ussd",
    session="s",
    language="",
    input_key="s:1",
    facts={},
    caller_number_verified=True,
    today=date(2026, 11, 21),
)


def menu(*screens: Screen) -> Menu:
    home = Choice("main", (Option("go", goto="start"),))
    return Menu((home, *screens, Goodbye("stuck")), home="main", stuck="stuck", persistent_facts=frozenset({"account"}))


def anything(typed: str, _: date) -> Valid | Invalid:
    return Valid(typed) if typed else Invalid("empty")


async def walk(tree: Menu, *answers: str, start: Position | None = None) -> Navigation:
    """Enter the answers one by one; the position is encoded and decoded in between, as a store does."""
    reached = Navigation(start or Position("main", "en"))
    for answer in answers:
        position = msgspec.msgpack.decode(msgspec.msgpack.encode(reached.position), type=Position)
        reached = await advance(tree, position, answer, CONTEXT)
    return reached


async def never_ended(_: StepContext) -> str:
    return ""


async def finish(context: StepContext) -> Outcome[Literal["done"]]:
    return Outcome("done", {"seen": context.facts.get("pin", "")})


async def test_a_ring_of_steps_ends_the_call_instead_of_hanging() -> None:
    rounds = []

    async def again(context: StepContext) -> Outcome[Literal["again"]]:
        rounds.append(context)
        return Outcome("again")

    reached = await walk(menu(Step("start", again, {"again": "start"})), "1")
    assert reached.position.screen == "stuck"
    assert reached.position.ended
    assert len(rounds) == MAX_STEPS


async def test_a_secret_reaches_the_next_step_and_is_never_remembered() -> None:
    seen_facts: list[Mapping[str, Any]] = []

    async def look(context: StepContext) -> Outcome[Literal["done"]]:
        seen_facts.append(context.facts)
        return Outcome("done")

    tree = menu(
        Question("start", "pin", anything, goto="look", secret=True),
        Step("look", look, {"done": "next"}),
        Question("next", "word", anything, goto="main"),
    )
    reached = await walk(tree, "1", "4826")
    assert seen_facts == [{"pin": "4826"}]
    assert reached.position.screen == "next"
    assert b"4826" not in msgspec.msgpack.encode(reached.position)


async def test_what_was_committed_is_not_undone_by_going_back() -> None:
    tree = menu(
        Question("start", "word", anything, goto="commit"),
        Step("commit", finish, {"done": "sent"}, commits=True, needs=ANYONE),
        Choice("sent", (Option("more", goto="start"),)),
    )
    assert (await walk(tree, "1", "hello", "0")).position.screen == "main"


async def test_home_forgets_what_was_typed_and_keeps_who_is_signed_in() -> None:
    tree = menu(Question("start", "word", anything, goto="start"))
    signed_in = Position("main", "en", facts={"account": 7})
    assert (await walk(tree, "1", "hello", start=signed_in)).position.facts == {"account": 7, "word": "hello"}
    assert (await walk(tree, "1", "hello", "00", start=signed_in)).position.facts == {"account": 7}


async def test_a_list_that_is_empty_leads_elsewhere() -> None:
    tree = menu(
        ListScreen("start", lambda facts: facts.get("rows", ()), save_as="row", goto="main", goto_if_empty="none"),
        Choice("none", (Option("home", goto="main"),)),
    )
    assert (await walk(tree, "1")).position.screen == "none"


async def test_a_row_is_taken_by_its_number_with_or_without_signs() -> None:
    tree = menu(
        ListScreen("start", lambda _: [{"row": "a"}, {"row": "b"}], save_as="row", goto="end", goto_if_empty="end"),
        Goodbye("end"),
    )
    for right in ("2", "02", "2.", "(2)", "2\ufe0f\u20e3", "option 2"):
        assert (await walk(tree, "1", right)).position.facts["row"] == "b", right
    for wrong in ("3", "002.0", "1.0", "1 2", "a", "", "²", "2 boys", "9" * 400):
        reached = await walk(tree, "1", wrong)
        assert reached.invalid == Invalid("not_an_option", {"first": "1", "last": "2"}), wrong
        assert reached.position.screen == "start"


def words(typed: str, _: date) -> Valid | Invalid:
    return Valid(typed) if typed.isalpha() else Invalid("not_a_name")


async def test_options_of_a_list_are_numbered_on_after_its_rows() -> None:
    tree = menu(
        ListScreen(
            "start",
            lambda _: [{"row": "a"}, {"row": "b"}],
            save_as="row",
            goto="main",
            goto_if_empty="main",
            options=(Option("other", goto="end"),),
        ),
        Goodbye("end"),
    )
    reached = await walk(tree, "1", "3")
    assert (reached.position.screen, reached.position.facts) == ("end", {})
    assert (await walk(tree, "1", "4")).invalid == Invalid("not_an_option", {"first": "1", "last": "3"})


async def test_words_typed_on_a_list_reach_the_next_step_and_are_never_remembered() -> None:
    seen_facts: list[str] = []

    async def seek(context: StepContext) -> Outcome[Literal["found"]]:
        seen_facts.append(context.facts["sought"])
        return Outcome("found")

    tree = menu(
        ListScreen(
            "start",
            lambda _: [{"row": "a"}],
            save_as="row",
            goto="end",
            goto_if_empty="end",
            free_text=FreeText("sought", words, "seek"),
        ),
        Step("seek", seek, {"found": "end"}),
        Choice("end", ()),
    )
    reached = await walk(tree, "1", "birth")
    assert (reached.position.screen, reached.position.facts, seen_facts) == ("end", {}, ["birth"])
    assert (await walk(tree, "1", "birth", "0")).position.screen == "start"
    assert (await walk(tree, "1", "7")).invalid == Invalid("not_the_option", {"key": "1"})
    assert not accepts(tree, Position("start", "en"), "birth", CONTEXT.today), "by SMS a keyword comes first"


async def test_whoever_stands_at_what_was_taken_away_is_told_so() -> None:
    def nothing(_: Any) -> Any:
        raise NoLongerOfferedError("birth_certificate")

    async def carry(_: StepContext) -> Outcome[Literal["carried"]]:
        return Outcome("carried", position=Position("form", "en", field_index=1))

    async def look(_: StepContext) -> Outcome[Literal["seen"]]:
        raise NoLongerOfferedError("birth_certificate")

    options = tuple(Option(name, goto=name) for name in ("form", "carry", "look"))
    screens = (
        Choice("main", options),
        Form("form", nothing, save_as="form", goto="main"),
        Step("carry", carry, {"carried": "main"}),
        Step("look", look, {"seen": "main"}),
        Choice("gone", ()),
        Goodbye("stuck"),
    )
    tree = Menu(screens, home="main", stuck="stuck", unavailable="gone", persistent_facts=frozenset({"account"}))
    start = Position("main", "en", facts={"account": 7, "service": "birth_certificate"})
    for key in ("2", "3"):
        assert (await walk(tree, key, start=start)).position == Position(
            "gone", "en", facts={"account": 7}, intention="s:1+"
        ), key
    there = Position("form", "en", field_index=1, has_more=True, history=(("main", 0),))
    for answer in ("anything", "98", "0"):
        assert (await walk(tree, answer, start=there)).position.screen == "gone", answer
    assert (await walk(tree, "00", start=there)).position.screen == "main"
    assert not accepts(tree, there, "anything", CONTEXT.today)


async def test_whose_account_was_closed_meanwhile_is_told_so_and_is_signed_in_no_more() -> None:
    async def record(_: StepContext) -> Outcome[Literal["done"]]:
        raise ConnectionAbortedError

    screens = (
        Choice("main", (Option("record", goto="record"),)),
        Step("record", record, {"done": "main"}),
        Choice("closed", (Option("main", goto="main"),)),
        Goodbye("stuck"),
    )
    closing = SessionPolicy(
        find_end=never_ended,
        error=ConnectionAbortedError,
        screens={"closed": "closed"},
        forgotten_facts=frozenset({"account"}),
    )
    tree = Menu(
        screens,
        home="main",
        stuck="stuck",
        persistent_facts=frozenset({"account", "operator"}),
        session_policy=closing,
    )
    start = Position("main", "en", facts={"account": 7, "operator": 3, "form": {}})
    for heard in (tree, tree.for_channel("sms")):
        assert (await walk(heard, "1", start=start)).position == Position(
            "closed", "en", facts={"operator": 3}, intention="s:1+"
        )


async def test_a_form_that_has_fewer_questions_by_now_begins_again() -> None:
    tree = menu(Form("start", lambda _: [FakeField("name")], save_as="form", goto="end"), Goodbye("end"))
    there = Position("start", "en", field_index=3, has_more=True, page=1)
    assert (await walk(tree, "0", "0", start=there)).position.field_index == 0


class FakeField:
    """A field that accepts any text."""

    def __init__(self, name: str, choices: tuple[tuple[str, Mapping[str, str]], ...] = ()) -> None:
        self.name = name
        self.labels: Mapping[str, str] = {"en": name}
        self.choices = choices

    def validate(self, text: str, today: date) -> Valid | Invalid:
        return anything(text, today)

    has_digits = False

    def display_value(self, value: Any) -> str:
        return str(value)


async def test_a_form_is_filled_a_field_at_a_time_and_gone_back_a_field_at_a_time() -> None:
    fields = [FakeField("name"), FakeField("size", (("s", {"en": "small"}), ("l", {"en": "large"}))), FakeField("why")]
    tree = menu(Form("start", lambda _: fields, save_as="form", goto="end"), Goodbye("end"))
    filled = await walk(tree, "1", "Amina", "2", "because")
    assert filled.position.facts["form"] == {"name": "Amina", "size": "l", "why": "because"}
    assert (await walk(tree, "1", "Amina", "2", "0", "1", "because")).position.facts["form"]["size"] == "s"
    assert (await walk(tree, "1", "Amina", "3")).invalid == Invalid("not_an_option", {"first": "1", "last": "2"})
    assert (await walk(tree, "1", "Amina", "0", "0")).position.screen == "main"


async def test_a_place_whose_screen_is_no_longer_there_is_not_gone_back_to() -> None:
    async def carry(_: StepContext) -> Outcome[Literal["carried"]]:
        return Outcome("carried", position=Position("gone", "en"))

    assert (await walk(menu(Step("start", carry, {"carried": "main"})), "1")).position.screen == "main"


async def test_ninety_eight_is_an_answer_where_no_page_follows() -> None:
    tree = menu(Question("start", "age", anything, goto="end"), Goodbye("end"))
    assert (await walk(tree, "1", "98")).position.facts["age"] == "98"
    more = Position("start", "en", has_more=True)
    assert (await walk(tree, "98", start=more)).position.page == 1


async def test_the_trail_back_is_bounded() -> None:
    tree = menu(Choice("start", (Option("on", goto="next"),)), Choice("next", (Option("on", goto="start"),)))
    position = (await walk(tree, "1", *["1"] * 100)).position
    assert len(position.history) == 20


async def test_a_screen_without_options_says_which_key_leads_on() -> None:
    tree = menu(Choice("start", ()))
    assert (await walk(tree, "1", "5")).invalid == Invalid("not_the_option", {"key": "0"})
