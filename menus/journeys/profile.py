"""A citizen's profile: answers that prefill later forms, and the documents that the citizen has.

Every answer is a secret question: it reaches the step that stores it, and no session keeps it. The list always has all
keys in the same order, so that a number means the same when a path is replayed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, get_args

from menus.journeys.services import JourneyServices
from menus.model import Choice, Facts, Journey, ListScreen, Option, Outcome, Question, Step, StepContext
from menus.proof import FRESH_PIN, REVEALS, SESSION_OR_PIN, SIGNED_IN
from services.citizens.models import DocumentOnFile, ProfileChange

TypedKey = Literal[
    "name",
    "born",
    "father",
    "mother",
    "house",
    "area",
    "district",
    "postcode",
    "nid",
    "birth_number",
    "aadhaar",
    "pan",
    "voter",
]
ProfileKey = Literal[TypedKey, "gender"]
TYPED_KEYS: tuple[TypedKey, ...] = get_args(TypedKey)
PROFILE_KEYS: Final[tuple[ProfileKey, ...]] = (
    "name",
    "born",
    "gender",
    *(key for key in TYPED_KEYS if key not in {"name", "born"}),
)
"""The keys of a profile, in the order of the list."""
IDENTITY_KEYS: Final = frozenset({"nid", "birth_number", "aadhaar", "pan", "voter"})
DATE_KEY: Final = "born"
GENDERS: Final = ("female", "male", "other")
REMOVE_KEY: Final = "9"  # no answer has this key


def build_profile_journey(services: JourneyServices, *, by_email: bool) -> Journey:
    """The screens from the account menu, with the e-mail address if `by_email`."""

    async def open_menu(_: StepContext) -> Outcome[Literal["in", "in_with_email"]]:
        return Outcome("in_with_email" if by_email else "in")

    menu = (
        Option("details", goto="profile_details"),
        Option("papers", goto="papers"),
        Option("own", goto="own_data"),
    )
    return (
        Step("profile", open_menu, {"in": "profile_menu", "in_with_email": "profile_menu_email"}, needs=SIGNED_IN),
        Choice("profile_menu", menu),
        Choice("profile_menu_email", (*menu, Option("email", goto="email"))),
        *_detail_screens(services),
        *_document_screens(services),
    )


def _detail_screens(services: JourneyServices) -> Journey:
    async def list_details(context: StepContext) -> Outcome[Literal["listed"]]:
        answers = await _display_answers(services, context.facts["account"])
        return Outcome("listed", {"profile_rows": [_profile_row(key, answers.get(key, "")) for key in PROFILE_KEYS]})

    async def ask(context: StepContext) -> Outcome[ProfileKey]:
        key: ProfileKey = context.facts["profile_key"]
        return Outcome(key)

    async def save_answer(context: StepContext) -> Outcome[Literal["kept"]]:
        facts, key = context.facts, context.facts["profile_key"]
        answer = facts[_answer_fact(key)]
        await services.profiles.set_answer(_build_change(context), key, answer)
        answers = await _display_answers(services, facts["account"])
        return Outcome("kept", {**_profile_row(key, answers.get(key, "")), "gender_told": ""})

    async def remove_answer(context: StepContext) -> Outcome[Literal["removed"]]:
        await services.profiles.delete_answer(_build_change(context), context.facts["profile_key"])
        return Outcome("removed", {"gender_told": ""})

    removal = (Option("remove", goto="profile_remove", key=REMOVE_KEY),)
    saved, about = {"kept": "profile_kept"}, ("profile_key",)
    genders = (*(Option(document, goto="profile_keep") for document in GENDERS), *removal)
    return (
        Step("profile_details", list_details, {"listed": "profile_list"}, effects=REVEALS, needs=SIGNED_IN),
        ListScreen(
            "profile_list",
            _rows_from_fact("profile_rows"),
            save_as="profile_key",
            goto="profile_ask",
            goto_if_empty="profile_menu",
        ),
        Step("profile_ask", ask, {key: f"profile_{key}" for key in PROFILE_KEYS}),
        *(
            Question(
                f"profile_{key}",
                _answer_fact(key),
                services.profile_fields[key].validate,
                goto="profile_keep_identity" if key in IDENTITY_KEYS else "profile_keep",
                secret=True,
                options=() if key == "name" else removal,
            )
            for key in TYPED_KEYS
        ),
        Choice("profile_gender", genders, save_as="gender_told"),
        Step(
            "profile_keep",
            save_answer,
            saved,
            commits=True,
            needs=SESSION_OR_PIN,
            carries=("profile_answer",),
            subject=about,
        ),
        Step(
            "profile_keep_identity",
            save_answer,
            saved,
            commits=True,
            needs=FRESH_PIN,
            carries=("identity",),
            subject=about,
        ),
        Choice("profile_kept", (Option("go_on", goto="profile_details"),)),
        Step(
            "profile_remove",
            remove_answer,
            {"removed": "profile_removed"},
            commits=True,
            needs=SESSION_OR_PIN,
            subject=about,
        ),
        Choice("profile_removed", (Option("go_on", goto="profile_details"),)),
    )


def _document_screens(services: JourneyServices) -> Journey:
    async def documents_on_file(context: StepContext) -> Sequence[DocumentOnFile]:
        return await services.profiles.list_documents(context.facts["account"], context.is_past)

    async def list_documents(context: StepContext) -> Outcome[Literal["listed"]]:
        rows = [
            {**_document_facts(document.code), "since": document.since.date().isoformat(), "seen": document.application}
            for document in await documents_on_file(context)
        ]
        return Outcome("listed", {"papers_rows": rows})

    async def show_document(context: StepContext) -> Outcome[Literal["told", "seen"]]:
        (row,) = [row for row in context.facts["papers_rows"] if row["paper"] == context.facts["paper"]]
        facts = {"papers_said": row["papers_said"], "since": row["since"], "number": row["seen"]}
        return Outcome("seen" if row["seen"] else "told", facts)

    async def list_other_documents(context: StepContext) -> Outcome[Literal["listed"]]:
        on_file = {document.code for document in await documents_on_file(context)}
        rows = [
            _document_facts(code)
            for code in sorted(services.catalogue.catalogue.required_documents)
            if code not in on_file
        ]
        return Outcome("listed", {"papers_offered": rows})

    async def mark(context: StepContext) -> Outcome[Literal["marked"]]:
        paper = context.facts["paper"]
        await services.profiles.mark_document(_build_change(context), paper, at_hand=True)
        return Outcome("marked", _document_facts(paper))

    async def unmark(context: StepContext) -> Outcome[Literal["removed"]]:
        await services.profiles.mark_document(_build_change(context), context.facts["paper"], at_hand=False)
        return Outcome("removed")

    add, remove = Option("add", goto="papers_others"), Option("remove", goto="paper_remove")
    on, about = (Option("go_on", goto="papers"),), ("paper",)
    return (
        Step("papers", list_documents, {"listed": "papers_list"}, effects=REVEALS, needs=SIGNED_IN),
        ListScreen(
            "papers_list",
            _rows_from_fact("papers_rows"),
            save_as="paper",
            goto="paper_chosen",
            goto_if_empty="papers_none",
            options=(add,),
        ),
        Choice("papers_none", (add,)),
        Step("paper_chosen", show_document, {"told": "paper_told", "seen": "paper_seen"}),
        Choice("paper_told", (remove,)),
        Choice("paper_seen", (remove,)),
        Step("papers_others", list_other_documents, {"listed": "papers_offered"}, effects=REVEALS, needs=SIGNED_IN),
        ListScreen(
            "papers_offered",
            _rows_from_fact("papers_offered"),
            save_as="paper",
            goto="paper_mark",
            goto_if_empty="papers_all",
        ),
        Choice("papers_all", on),
        Step("paper_mark", mark, {"marked": "paper_marked"}, commits=True, needs=SESSION_OR_PIN, subject=about),
        Choice("paper_marked", on),
        Step("paper_remove", unmark, {"removed": "paper_removed"}, commits=True, needs=SESSION_OR_PIN, subject=about),
        Choice("paper_removed", on),
    )


async def _display_answers(services: JourneyServices, account: int) -> Mapping[str, str]:
    """The answers in an account's profile by key, as their owner reads them; a gender is a code."""
    entries = await services.profiles.list_entries(account)
    return {entry.key: _display_date(entry.value) if entry.key == DATE_KEY else entry.value for entry in entries}


def _display_date(value: str) -> str:
    return f"{date.fromisoformat(value):%d-%m-%Y}"


def _answer_fact(key: str) -> str:
    """The fact under which a step receives an answer; identity numbers have one of their own, which is a secret by SMS."""
    if key == "gender":
        return "gender_told"
    return "identity" if key in IDENTITY_KEYS else "profile_answer"


def _profile_row(key: str, answer: str) -> Facts:
    """A row of the profile: the answer as text, or a gender's code for the reader's language, or neither."""
    gender = answer if key == "gender" else ""
    text = "" if gender else answer
    return {"profile_key": key, "answer_said": text, "gender_said": gender, "unknown": "" if answer else "yes"}


def _document_facts(code: str) -> Facts:
    """The facts that name a document."""
    return {"paper": code, "papers_said": [code]}


def _build_change(context: StepContext) -> ProfileChange:
    return ProfileChange(context.facts["account"], context.channel, context.idempotency_key)


def _rows_from_fact(fact: str) -> Callable[[Facts], Sequence[Facts]]:
    def rows(facts: Facts) -> Sequence[Facts]:
        listed_rows: Sequence[Facts] = facts.get(fact, ())
        return listed_rows

    return rows
