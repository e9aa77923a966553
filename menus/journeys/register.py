"""Register: type a name, choose a PIN and two security questions.

Where the network does not vouch for the number, a PIN goes to the phone by SMS, and the account is created when somebody
types it: until then nothing is kept but a registration that expires.
"""

from typing import Literal

from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, Step, StepContext
from menus.proof import ACCESS, NO_PROOF, REGISTRATION
from services.citizens.models import NewAccount, NumberTakenError


def build_registration_journey(services: JourneyServices, *, pin_by_sms: bool) -> Journey:
    """The screens of registration. With `pin_by_sms` every PIN is sent, and none is chosen."""

    async def check_number(context: StepContext) -> Outcome[Literal["known", "new"]]:
        key = await services.accounts.find_registration_key(context.caller)
        return Outcome("known" if context.is_past(key) else "new")

    async def choose_pin(context: StepContext) -> Outcome[Literal["ours", "theirs", "sent"]]:
        if not context.caller_number_verified:
            return Outcome("sent")
        return Outcome("ours" if pin_by_sms else "theirs", {"pin_for": "register", "questions_for": "register"})

    async def start_registration(context: StepContext) -> Outcome[Literal["sent", "known"]]:
        """Send a PIN to this number only, which verifies the number."""
        try:
            await services.accounts.registrations.start(
                context.caller, context.facts["name"], context.language, context.idempotency_key
            )
        except NumberTakenError:
            return Outcome("known")
        return Outcome("sent")

    async def finish_registration(context: StepContext) -> Outcome[Literal["signed_in", "pin_sent", "known"]]:
        facts = context.facts
        new_account = NewAccount(
            msisdn=context.caller,
            name=facts["name"],
            language=context.language,
            pin_hash=facts.get("pin_hash", ""),
            questions=((facts["question_1"], facts["hash_1"]), (facts["question_2"], facts["hash_2"])),
        )
        try:
            account = await services.accounts.register(new_account, context.idempotency_key, session=context.session)
        except NumberTakenError:
            return Outcome("known")
        secrets = {"pin_hash": "", "hash_1": "", "hash_2": ""}
        return Outcome("signed_in" if account else "pin_sent", {"account": account, "epoch": 0, **secrets})

    finished = {"signed_in": "registered", "pin_sent": "pin_sent", "known": "ask_pin"}
    started = {"sent": "texted_pin", "known": "has_account"}
    # A name takes letters: whoever reads digits only is registered by an operator.
    at_centre = (Option("centre", goto="nearest_centre", key="7", hidden_on="sms"),)
    return (
        Step("register", check_number, {"known": "ask_pin", "new": "ask_name"}),
        Choice("codes_spent", (Option("help", goto="get_help", key="7"),)),
        Question("ask_name", "name", validators.person_name, goto="choose_pin", options=at_centre),
        Step("choose_pin", choose_pin, {"ours": "questions", "theirs": "new_pin", "sent": "register_texted"}),
        Step("register_texted", start_registration, started, commits=True, needs=NO_PROOF),
        Question("texted_pin", "pin", validators.pin, goto="check_pin", secret=True),
        Goodbye("has_account"),
        Step("finish_registering", finish_registration, finished, commits=True, effects=ACCESS, needs=REGISTRATION),
        Choice("registered", (Option("go_on", goto="go_on"),)),
        Choice("pin_sent", (Option("sign_in", goto="gate"),)),
    )
