"""The engine alone: one answer in, one place out, over small trees made for each promise."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from menus.engine import MOST_STEPS, Reached, advance, takes
from menus.model import (
    Accepted,
    Choice,
    Closing,
    Form,
    Gone,
    Goodbye,
    Listing,
    Menu,
    Option,
    Outcome,
    Place,
    Question,
    Refused,
    Screen,
    Step,
    Typed,
    Visit,
)

VISIT = Visit(
    caller="+8801700000001",
    channel="ussd",
    session="s",
    language="",
    effect="s:1",
    facts={},
    vouched=True,
    today=date(2026, 11, 21),
)


def menu(*screens: Screen) -> Menu:
    home = Choice("main", (Option("go", goto="start"),))
    return Menu((home, *screens, Goodbye("stuck")), home="main", stuck="stuck", keeps=frozenset({"account"}))


def anything(typed: str, _: date) -> Accepted | Refused:
    return Accepted(typed) if typed else Refused("empty")


async def walk(tree: Menu, *answers: str, start: Place | None = None) -> Reached:
    """Each answer in turn, the place packed and unpacked in between as a store would."""
    reached = Reached(start or Place("main", "en"))
    for answer in answers:
        place = msgspec.msgpack.decode(msgspec.msgpack.encode(reached.place), type=Place)
        reached = await advance(tree, place, answer, VISIT)
    return reached


async def done(visit: Visit) -> Outcome[Literal["done"]]:
    return Outcome("done", {"seen": visit.facts.get("pin", "")})


async def test_a_ring_of_steps_ends_the_call_instead_of_hanging() -> None:
    rounds = []

    async def again(visit: Visit) -> Outcome[Literal["again"]]:
        rounds.append(visit)
        return Outcome("again")

    reached = await walk(menu(Step("start", again, {"again": "start"})), "1")
    assert reached.place.screen == "stuck"
    assert reached.place.over
    assert len(rounds) == MOST_STEPS


async def test_a_secret_reaches_the_next_step_and_is_never_remembered() -> None:
    told: list[Mapping[str, Any]] = []

    async def look(visit: Visit) -> Outcome[Literal["done"]]:
        told.append(visit.facts)
        return Outcome("done")

    tree = menu(
        Question("start", "pin", anything, goto="look", secret=True),
        Step("look", look, {"done": "next"}),
        Question("next", "word", anything, goto="main"),
    )
    reached = await walk(tree, "1", "4826")
    assert told == [{"pin": "4826"}]
    assert reached.place.screen == "next"
    assert b"4826" not in msgspec.msgpack.encode(reached.place)


async def test_what_was_committed_is_not_undone_by_going_back() -> None:
    tree = menu(
        Question("start", "word", anything, goto="commit"),
        Step("commit", done, {"done": "sent"}, commits=True),
        Choice("sent", (Option("more", goto="start"),)),
    )
    assert (await walk(tree, "1", "hello", "0")).place.screen == "main"


async def test_home_forgets_what_was_typed_and_keeps_who_is_signed_in() -> None:
    tree = menu(Question("start", "word", anything, goto="start"))
    signed_in = Place("main", "en", facts={"account": 7})
    assert (await walk(tree, "1", "hello", start=signed_in)).place.facts == {"account": 7, "word": "hello"}
    assert (await walk(tree, "1", "hello", "00", start=signed_in)).place.facts == {"account": 7}


async def test_a_list_that_is_empty_leads_elsewhere() -> None:
    tree = menu(
        Listing("start", lambda facts: facts.get("rows", ()), saves="row", goto="main", empty="none"),
        Choice("none", (Option("home", goto="main"),)),
    )
    assert (await walk(tree, "1")).place.screen == "none"


async def test_a_row_is_taken_by_its_number_and_by_nothing_else() -> None:
    tree = menu(
        Listing("start", lambda _: [{"row": "a"}, {"row": "b"}], saves="row", goto="end", empty="end"),
        Goodbye("end"),
    )
    assert (await walk(tree, "1", "2")).place.facts["row"] == "b"
    for wrong in ("3", "01", "+1", "1.0", "a", "", "²", "٢", "9" * 400):
        reached = await walk(tree, "1", wrong)
        assert reached.refused == Refused("not_an_option", {"first": "1", "last": "2"}), wrong
        assert reached.place.screen == "start"


def words(typed: str, _: date) -> Accepted | Refused:
    return Accepted(typed) if typed.isalpha() else Refused("not_a_name")


async def test_options_of_a_list_are_numbered_on_after_its_rows() -> None:
    tree = menu(
        Listing(
            "start",
            lambda _: [{"row": "a"}, {"row": "b"}],
            saves="row",
            goto="main",
            empty="main",
            options=(Option("other", goto="end"),),
        ),
        Goodbye("end"),
    )
    reached = await walk(tree, "1", "3")
    assert (reached.place.screen, reached.place.facts) == ("end", {})
    assert (await walk(tree, "1", "4")).refused == Refused("not_an_option", {"first": "1", "last": "3"})


async def test_words_typed_on_a_list_reach_the_next_step_and_are_never_remembered() -> None:
    told: list[str] = []

    async def seek(visit: Visit) -> Outcome[Literal["found"]]:
        told.append(visit.facts["sought"])
        return Outcome("found")

    tree = menu(
        Listing(
            "start",
            lambda _: [{"row": "a"}],
            saves="row",
            goto="end",
            empty="end",
            typed=Typed("sought", words, "seek"),
        ),
        Step("seek", seek, {"found": "end"}),
        Choice("end", ()),
    )
    reached = await walk(tree, "1", "birth")
    assert (reached.place.screen, reached.place.facts, told) == ("end", {}, ["birth"])
    assert (await walk(tree, "1", "birth", "0")).place.screen == "start"
    assert (await walk(tree, "1", "7")).refused == Refused("not_the_option", {"key": "1"})
    assert not takes(tree, Place("start", "en"), "birth", VISIT.today), "by SMS a keyword comes first"


async def test_whoever_stands_at_what_was_taken_away_is_told_so() -> None:
    def nothing(_: Any) -> Any:
        raise Gone("birth_certificate")

    async def carry(_: Visit) -> Outcome[Literal["carried"]]:
        return Outcome("carried", place=Place("form", "en", item=1))

    async def look(_: Visit) -> Outcome[Literal["seen"]]:
        raise Gone("birth_certificate")

    options = tuple(Option(name, goto=name) for name in ("form", "carry", "look"))
    screens = (
        Choice("main", options),
        Form("form", nothing, saves="form", goto="main"),
        Step("carry", carry, {"carried": "main"}),
        Step("look", look, {"seen": "main"}),
        Choice("gone", ()),
        Goodbye("stuck"),
    )
    tree = Menu(screens, home="main", stuck="stuck", gone="gone", keeps=frozenset({"account"}))
    start = Place("main", "en", facts={"account": 7, "service": "birth_certificate"})
    for key in ("2", "3"):
        assert (await walk(tree, key, start=start)).place == Place("gone", "en", facts={"account": 7}), key
    there = Place("form", "en", item=1, more=True, trail=(("main", 0),))
    for answer in ("anything", "98", "0"):
        assert (await walk(tree, answer, start=there)).place.screen == "gone", answer
    assert (await walk(tree, "00", start=there)).place.screen == "main"
    assert not takes(tree, there, "anything", VISIT.today)


async def test_whose_account_was_closed_meanwhile_is_told_so_and_is_signed_in_no_more() -> None:
    async def record(_: Visit) -> Outcome[Literal["done"]]:
        raise ConnectionAbortedError

    screens = (
        Choice("main", (Option("record", goto="record"),)),
        Step("record", record, {"done": "main"}),
        Choice("closed", (Option("main", goto="main"),)),
        Goodbye("stuck"),
    )
    closing = Closing(ConnectionAbortedError, "closed", frozenset({"account"}))
    tree = Menu(screens, home="main", stuck="stuck", keeps=frozenset({"account", "operator"}), closing=closing)
    start = Place("main", "en", facts={"account": 7, "operator": 3, "form": {}})
    for heard in (tree, tree.on("sms")):
        assert (await walk(heard, "1", start=start)).place == Place("closed", "en", facts={"operator": 3})


async def test_a_form_that_has_fewer_questions_by_now_begins_again() -> None:
    tree = menu(Form("start", lambda _: [Asked("name")], saves="form", goto="end"), Goodbye("end"))
    there = Place("start", "en", item=3, more=True, page=1)
    assert (await walk(tree, "0", "0", start=there)).place.item == 0


class Asked:
    """A field that takes anything."""

    def __init__(self, name: str, choices: tuple[tuple[str, Mapping[str, str]], ...] = ()) -> None:
        self.name = name
        self.labels: Mapping[str, str] = {"en": name}
        self.choices = choices

    def check(self, typed: str, today: date) -> Accepted | Refused:
        return anything(typed, today)

    def shown(self, value: Any) -> str:
        return str(value)


async def test_a_form_is_filled_a_field_at_a_time_and_gone_back_a_field_at_a_time() -> None:
    fields = [Asked("name"), Asked("size", (("s", {"en": "small"}), ("l", {"en": "large"}))), Asked("why")]
    tree = menu(Form("start", lambda _: fields, saves="form", goto="end"), Goodbye("end"))
    filled = await walk(tree, "1", "Amina", "2", "because")
    assert filled.place.facts["form"] == {"name": "Amina", "size": "l", "why": "because"}
    assert (await walk(tree, "1", "Amina", "2", "0", "1", "because")).place.facts["form"]["size"] == "s"
    assert (await walk(tree, "1", "Amina", "3")).refused == Refused("not_an_option", {"first": "1", "last": "2"})
    assert (await walk(tree, "1", "Amina", "0", "0")).place.screen == "main"


async def test_a_place_whose_screen_is_no_longer_there_is_not_gone_back_to() -> None:
    async def carry(_: Visit) -> Outcome[Literal["carried"]]:
        return Outcome("carried", place=Place("gone", "en"))

    assert (await walk(menu(Step("start", carry, {"carried": "main"})), "1")).place.screen == "main"


async def test_ninety_eight_is_an_answer_where_no_page_follows() -> None:
    tree = menu(Question("start", "age", anything, goto="end"), Goodbye("end"))
    assert (await walk(tree, "1", "98")).place.facts["age"] == "98"
    more = Place("start", "en", more=True)
    assert (await walk(tree, "98", start=more)).place.page == 1


async def test_the_trail_back_is_bounded() -> None:
    tree = menu(Choice("start", (Option("on", goto="next"),)), Choice("next", (Option("on", goto="start"),)))
    place = (await walk(tree, "1", *["1"] * 100)).place
    assert len(place.trail) == 20


async def test_a_screen_without_options_says_which_key_leads_on() -> None:
    tree = menu(Choice("start", ()))
    assert (await walk(tree, "1", "5")).refused == Refused("not_the_option", {"key": "0"})
