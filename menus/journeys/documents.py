"""The documents helpdesk: an Aadhaar number, a one-time code, a numbered list, and one document at a time.

The number and the code reach one step and are never stored in the session; it stores the id of the sign-in.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal, get_args

from core.types import CHANNEL_SMS
from menus import validators
from menus.journeys.services import JourneyServices
from menus.journeys.twin_rows import mark_twins
from menus.model import Choice, Facts, Journey, ListScreen, Option, Outcome, Question, Step, StepContext
from menus.proof import DOCUMENT_HOLDER, REVEALS
from services.documents.models import (
    CheckOutcome,
    Gender,
    HandoverOutcome,
    ListOutcome,
    NewAccountDetails,
    Recipient,
    SignInRequest,
    document_facts,
    fallback_title,
)

GENDERS: tuple[Gender, ...] = get_args(Gender)


def build_documents_journey(services: JourneyServices) -> Journey:
    """From the start screen to a document and back to the list."""

    async def ask_for_code(context: StepContext) -> Outcome[Literal["sent", "sent_new", "too_many", "down"]]:
        facts = context.facts
        new_account = _new_account(facts)
        request = SignInRequest(context.caller, facts["aadhaar"], context.language, new_account)
        challenge = await services.document_sign_ins.request_challenge(request, context.idempotency_key)
        sign_in_facts = {"documents_sign_in": challenge.sign_in, "last_four": challenge.last_four}
        if challenge.outcome == "sent" and new_account:
            return Outcome("sent_new", sign_in_facts)
        return Outcome(challenge.outcome, sign_in_facts)

    async def check_code(context: StepContext) -> Outcome[CheckOutcome]:
        return Outcome(
            await services.document_sign_ins.check_code(
                context.facts["documents_sign_in"], context.facts["code"], context.idempotency_key
            )
        )

    async def list_documents(context: StepContext) -> Outcome[ListOutcome]:
        document_list = await services.documents.list_documents(context.facts["documents_sign_in"])
        documents = document_list.documents
        shown = [{"document_kind": it.kind, "document_title": fallback_title(it.kind, it.title)} for it in documents]
        marked = mark_twins(shown, [it.uri for it in documents])
        rows = [{"document": position, **row} for position, row in enumerate(marked, 1)]
        return Outcome(document_list.outcome, {"documents_rows": rows, **_CLEARED_FACTS})

    async def fetch_document(context: StepContext) -> Outcome[HandoverOutcome | Literal["texted"]]:
        facts = context.facts
        recipient = Recipient(context.caller, context.language)
        result = await services.documents.hand_over(
            facts["documents_sign_in"], facts["document"], recipient, context.idempotency_key
        )
        facts_of_document = document_facts(result.document) if result.document else {}
        if result.outcome == "here" and context.channel == CHANNEL_SMS:
            return Outcome("texted", facts_of_document)
        return Outcome(result.outcome, facts_of_document)

    again, help_option = Option("again", goto="documents_aadhaar"), Option("help", goto="get_help")
    no_code = (Option("no_code", goto="documents_no_code"),)
    others = Option("others", goto="documents_look")
    after_code = {
        "right": "documents_look",
        "wrong": "documents_code_wrong",
        "gone": "documents_code_gone",
        "too_many": "documents_too_many",
        "down": "documents_code_later",
    }
    after_fetch = {
        "here": "document_shown",
        "texted": "document_texted",
        "unknown": "document_unknown",
        "down": "documents_slow",
        "ended": "documents_ended",
        "too_many": "documents_too_many",
    }
    return (
        Choice(
            "documents_start",
            (Option("digilocker", goto="documents_account"), Option("find", goto="sectors"), help_option),
        ),
        Choice(
            "documents_account",
            (
                Option("yes", goto="documents_aadhaar", means="yes"),
                Option("create", goto="documents_consent", means="no"),
            ),
            save_as="documents_account",
        ),
        Choice("documents_consent", (Option("agree", goto="documents_name", means="yes"),)),
        Question("documents_name", "documents_name", validators.person_name, goto="documents_born"),
        Question("documents_born", "documents_born", validators.birth_date, goto="documents_gender"),
        Choice(
            "documents_gender",
            tuple(Option(gender, goto="documents_aadhaar") for gender in GENDERS),
            save_as="documents_gender",
        ),
        Question("documents_aadhaar", "aadhaar", validators.aadhaar, goto="documents_ask", secret=True),
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
            Question(
                name, "code", validators.code, goto="documents_check", secret=True, options=no_code, retry_of=retry_of
            )
            for name, retry_of in (
                ("documents_code", ""),
                ("documents_code_new", "documents_code"),
                ("documents_code_wrong", "documents_code"),
                ("documents_code_later", "documents_code"),
            )
        ),
        Step("documents_check", check_code, after_code),
        Choice("documents_no_code", (again, help_option)),
        Choice("documents_code_gone", (again,)),
        Choice("documents_too_many", (help_option,)),
        Choice("documents_down", (again, help_option)),
        Step(
            "documents_look",
            list_documents,
            {"some": "documents_list", "none": "documents_none", "down": "documents_slow", "ended": "documents_ended"},
            commits=True,
            effects=REVEALS,
            needs=DOCUMENT_HOLDER,
        ),
        ListScreen(
            "documents_list", _document_rows, save_as="document", goto="document_fetch", goto_if_empty="documents_none"
        ),
        Choice("documents_none", (help_option,)),
        Step(
            "document_fetch",
            fetch_document,
            after_fetch,
            effects=REVEALS,
            needs=DOCUMENT_HOLDER,
            once=True,
            subject=("documents_sign_in", "document"),
        ),
        Choice("document_shown", (others,)),
        Choice("document_texted", (others,)),
        Choice("document_unknown", (others, help_option)),
        Choice("documents_slow", (others, help_option)),
        Choice("documents_ended", (again,)),
    )


_CLEARED_FACTS: Facts = {"documents_name": "", "documents_born": "", "documents_gender": "", "documents_account": ""}


def _new_account(facts: Facts) -> NewAccountDetails | None:
    """The details of a new account at the issuer, if the caller agreed to create one."""
    if facts.get("documents_account") != "create":
        return None
    birth_date = date.fromisoformat(facts["documents_born"])
    return NewAccountDetails(facts["documents_name"], birth_date, facts["documents_gender"])


def _document_rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("documents_rows", ())
    return rows
