"""Find a service: by sector, office or recipient, or by typing its name, its number, or the keypad digits of its name.

The sectors come first because they are the shortest way. Every list accepts a typed name as well.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from core.typed_numbers import read_digits
from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Facts, FreeText, Journey, ListScreen, Option, Outcome, Question, Step, StepContext

MAX_KEYPAD_DIGITS: Final = 5  # digits of a service's keypad number


class ServiceMatches(NamedTuple):
    """Codes of matching services. If the typed digits `keypad` are a service's number, that service is `numbered` and comes first."""

    codes: Sequence[str]
    numbered: str = ""
    keypad: str = ""
    has_more: bool = False


def build_search_journey(services: JourneyServices) -> Journey:
    """The lists, and the results of a search."""
    return (
        *_sector_screens(services),
        *_office_screens(services),
        *_recipient_screens(services),
        *_search_screens(services),
    )


def search_services(services: JourneyServices, text: str) -> ServiceMatches:
    """The services that the text may mean: digits are a service's number, the keys of a name, or both."""
    number = read_digits(text)
    numbered = services.listings.service_by_number(int(number)) if _is_keypad_number(number) else None
    result = services.listings.search(text)
    others = [code for code in result.codes if code != numbered]
    if numbered is None:
        return ServiceMatches(others, has_more=result.has_more)
    return ServiceMatches([numbered, *others], numbered, number, result.has_more)


def search_result_facts(matches: ServiceMatches) -> Facts:
    """The facts for the list of results."""
    keypad = f"({matches.keypad})" if matches.numbered and len(matches.codes) > 1 else None
    more = "yes" if matches.has_more else None
    return {"found": list(matches.codes), "numbered": matches.numbered, "keypad": keypad, "more": more}


def _is_keypad_number(text: str) -> bool:
    return 0 < len(text) <= MAX_KEYPAD_DIGITS


_FREE_TEXT = FreeText("sought", validators.search_text, goto="seek")


def _sector_screens(services: JourneyServices) -> Journey:
    def sector_rows(_: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in services.listings.sectors()]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in services.listings.services(facts["sector"])]

    other = (Option("office", goto="offices"), Option("recipient", goto="recipients"))
    return (
        _list_screen("sectors", sector_rows, saves="sector", goto="services", options=other),
        _list_screen("services", service_rows, saves="service", goto="look_at"),
        Choice("nothing_here", (Option("help", goto="get_help"),)),
    )


def _office_screens(services: JourneyServices) -> Journey:
    def office_rows(_: Facts) -> Sequence[Facts]:
        return [{"office": code} for code in services.listings.offices()]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in services.listings.office_services(facts["office"])]

    return (
        _list_screen("offices", office_rows, saves="office", goto="at_office"),
        _list_screen("at_office", service_rows, saves="service", goto="look_at"),
    )


def _recipient_screens(services: JourneyServices) -> Journey:
    def recipient_rows(_: Facts) -> Sequence[Facts]:
        return [{"recipient": code} for code in services.listings.recipients()]

    def sector_rows(facts: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in services.listings.sectors(facts["recipient"])]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in services.listings.services(facts["sector"], facts["recipient"])]

    return (
        _list_screen("recipients", recipient_rows, saves="recipient", goto="sectors_for"),
        _list_screen("sectors_for", sector_rows, saves="sector", goto="services_for"),
        _list_screen("services_for", service_rows, saves="service", goto="look_at"),
    )


def _search_screens(services: JourneyServices) -> Journey:
    async def search(context: StepContext) -> Outcome[Literal["one", "several", "none", "texted"]]:
        result = search_services(services, context.facts["sought"])
        if len(result.codes) == 1:
            return Outcome("one", {"service": result.codes[0]})
        if result.codes:
            return Outcome("several", search_result_facts(result))
        return Outcome("texted" if context.channel == "sms" else "none")

    def rows(facts: Facts) -> Sequence[Facts]:
        keypad = {facts.get("numbered"): facts.get("keypad")}
        return [{"service": code, "keypad": keypad.get(code)} for code in facts.get("found", ())]

    other_ways = (Option("sectors", goto="sectors"), Option("help", goto="get_help"))
    next_screens = {"one": "look_at", "several": "found_services", "none": "none_found", "texted": "nothing_found"}
    return (
        Step("seek", search, next_screens),
        ListScreen(
            "found_services",
            rows,
            save_as="service",
            goto="look_at",
            goto_if_empty="nothing_here",
            free_text=_FREE_TEXT,
        ),
        Question(
            "none_found",
            "sought",
            validators.search_text,
            goto="seek",
            secret=True,
            options=other_ways,
            retry_of="sectors",
        ),
    )


def _list_screen(
    name: str,
    rows: Callable[[Facts], Sequence[Facts]],
    *,
    saves: str,
    goto: str,
    options: tuple[Option, ...] = (),
) -> ListScreen:
    """A list on which a name may be typed instead."""
    return ListScreen(
        name, rows, save_as=saves, goto=goto, goto_if_empty="nothing_here", options=options, free_text=_FREE_TEXT
    )
