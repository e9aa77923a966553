"""The documents helpdesk: an Aadhaar number, a one-time code, a numbered list, and one document at a time.

The number and the code reach the one step that needs them and are never remembered; what is, is whom they opened.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, get_args

from menus import checks
from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Visit

Gender = Literal["F", "M", "T"]
GENDERS: tuple[Gender, ...] = get_args(Gender)
TEXTED = "sms"  # the channel on which the document's own SMS has said it all

AskedFor = Literal["sent", "too_many", "down"]
CodeChecked = Literal["right", "wrong", "gone", "too_many", "down"]
Looked = Literal["some", "none", "down", "ended"]
Fetched = Literal["here", "unknown", "down", "ended", "too_many"]


class Claim(NamedTuple):
    """Who asks for whose documents; with `newcomer` (name, day of birth as ISO 8601, gender) an account is to be made."""

    number: str
    aadhaar: str
    language: str
    newcomer: tuple[str, str, Gender] | None


class Answer(Protocol):
    """What became of asking."""

    @property
    def outcome(self) -> AskedFor:
        """One of the three; the same for numbers that are known and that are not."""

    @property
    def sign_in(self) -> int:
        """What a code is now checked for."""

    @property
    def last_four(self) -> str:
        """The last digits of the Aadhaar number."""


class Row(NamedTuple):
    """One document of the list: its type, and what it is called where the type has no name of ours."""

    kind: str
    title: str


class Looking(NamedTuple):
    """What there is behind a sign-in."""

    outcome: Looked
    rows: Sequence[Row]


class Opening(NamedTuple):
    """What became of asking for one document, and what it says, as facts."""

    outcome: Fetched
    facts: Mapping[str, object]


Ask = Callable[[Claim, str], Awaitable[Answer]]
"""Who asks, effect."""
CheckCode = Callable[[int, str, str], Awaitable[CodeChecked]]
"""Sign-in, code, effect."""
Look = Callable[[int], Awaitable[Looking]]
"""Sign-in."""
Fetch = Callable[[int, int, str, str, str], Awaitable[Opening]]
"""Sign-in, place in the list from 1, MSISDN the link goes to, language, effect."""


class Papers(NamedTuple):
    """The calls that this journey makes."""

    ask: Ask
    check_code: CheckCode
    look: Look
    fetch: Fetch


def documents(calls: Papers) -> Journey:
    """From hello to a document, and back to the list."""

    async def ask_for_code(visit: Visit) -> Outcome[Literal["sent", "sent_new", "too_many", "down"]]:
        facts = visit.facts
        newcomer = _newcomer(facts)
        claim = Claim(visit.caller, facts["aadhaar"], visit.language, newcomer)
        answer = await calls.ask(claim, visit.effect)
        known = {"documents_sign_in": answer.sign_in, "last_four": answer.last_four}
        if answer.outcome == "sent" and newcomer:
            return Outcome("sent_new", known)
        return Outcome(answer.outcome, known)

    async def check(visit: Visit) -> Outcome[CodeChecked]:
        return Outcome(await calls.check_code(visit.facts["documents_sign_in"], visit.facts["code"], visit.effect))

    async def look(visit: Visit) -> Outcome[Looked]:
        looking = await calls.look(visit.facts["documents_sign_in"])
        rows = [
            {"document": place, "document_kind": row.kind, "document_title": row.title}
            for place, row in enumerate(looking.rows, 1)
        ]
        return Outcome(looking.outcome, {"documents_rows": rows, **_FORGOTTEN})

    async def fetch(visit: Visit) -> Outcome[Fetched | Literal["texted"]]:
        facts = visit.facts
        opening = await calls.fetch(
            facts["documents_sign_in"], facts["document"], visit.caller, visit.language, visit.effect
        )
        if opening.outcome == "here" and visit.channel == TEXTED:
            return Outcome("texted", opening.facts)
        return Outcome(opening.outcome, opening.facts)

    again, helped = Option("again", goto="documents_aadhaar"), Option("help", goto="get_help")
    no_code = (Option("no_code", goto="documents_no_code"),)
    others = Option("others", goto="documents_look")
    checked = {
        "right": "documents_look",
        "wrong": "documents_code_wrong",
        "gone": "documents_code_gone",
        "too_many": "documents_too_many",
        "down": "documents_code_later",
    }
    fetched = {
        "here": "document_shown",
        "texted": "document_texted",
        "unknown": "document_unknown",
        "down": "documents_slow",
        "ended": "documents_ended",
        "too_many": "documents_too_many",
    }
    return (
        Choice(
            "documents_start", (Option("digilocker", goto="documents_account"), Option("find", goto="sectors"), helped)
        ),
        Choice(
            "documents_account",
            (Option("yes", goto="documents_aadhaar"), Option("create", goto="documents_consent")),
            saves="documents_account",
        ),
        Choice("documents_consent", (Option("agree", goto="documents_name"),)),
        Question("documents_name", "documents_name", checks.person, goto="documents_born"),
        Question("documents_born", "documents_born", checks.birthday, goto="documents_gender"),
        Choice(
            "documents_gender",
            tuple(Option(one, goto="documents_aadhaar") for one in GENDERS),
            saves="documents_gender",
        ),
        Question("documents_aadhaar", "aadhaar", checks.aadhaar, goto="documents_ask", secret=True),
        Step(
            "documents_ask",
            ask_for_code,
            {
                "sent": "documents_code",
                "sent_new": "documents_code_new",
                "too_many": "documents_too_many",
                "down": "documents_down",
            },
        ),
        *(
            Question(name, "code", checks.code, goto="documents_check", secret=True, options=no_code)
            for name in ("documents_code", "documents_code_new", "documents_code_wrong", "documents_code_later")
        ),
        Step("documents_check", check, checked),
        Choice("documents_no_code", (again, helped)),
        Choice("documents_code_gone", (again,)),
        Choice("documents_too_many", (helped,)),
        Choice("documents_down", (again, helped)),
        Step(
            "documents_look",
            look,
            {"some": "documents_list", "none": "documents_none", "down": "documents_slow", "ended": "documents_ended"},
            commits=True,
        ),
        Listing("documents_list", _rows, saves="document", goto="document_fetch", empty="documents_none"),
        Choice("documents_none", (helped,)),
        Step("document_fetch", fetch, fetched),
        Choice("document_shown", (others,)),
        Choice("document_texted", (others,)),
        Choice("document_unknown", (others, helped)),
        Choice("documents_slow", (others, helped)),
        Choice("documents_ended", (again,)),
    )


_FORGOTTEN: Facts = {"documents_name": "", "documents_born": "", "documents_gender": "", "documents_account": ""}


def _newcomer(facts: Facts) -> tuple[str, str, Gender] | None:
    if facts.get("documents_account") != "create":
        return None
    return facts["documents_name"], facts["documents_born"], facts["documents_gender"]


def _rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("documents_rows", ())
    return rows
