"""Choose a language, change it later, and choose the letters of SMS.

Whose phone lacks the letters of the language reads SMS in Latin letters. Screens need no choice: the network tells the letters.
"""

from collections.abc import Sequence
from typing import Literal

from menus.journeys.services import JourneyServices
from menus.model import Choice, Journey, Option, Outcome, Step, StepContext


def build_language_journey(languages: Sequence[str], services: JourneyServices) -> Journey:
    """The language screen, with the options in the order of `languages`."""

    async def keep_language(context: StepContext) -> Outcome[Literal["kept"]]:
        code = context.facts["language"]
        await store_language_choice(services, context, code)
        return Outcome("kept", language=code)

    async def keep_letters(context: StepContext) -> Outcome[Literal["kept"]]:
        await services.contacts.choose_letters(context.caller, latin=context.facts["letters"] == "latin")
        return Outcome("kept")

    return (
        Choice(
            "languages",
            tuple(Option(language, goto="keep_language") for language in languages),
            save_as="language",
            opens_session=True,
        ),
        Choice(
            "change_language",
            (
                *(Option(language, goto="keep_language") for language in languages),
                Option("letters", goto="sms_letters"),
            ),
            save_as="language",
        ),
        Step("keep_language", keep_language, {"kept": "main"}),
        Choice(
            "sms_letters",
            (Option("own", goto="keep_letters"), Option("latin", goto="keep_letters")),
            save_as="letters",
        ),
        Step("keep_letters", keep_letters, {"kept": "main"}),
    )


async def store_language_choice(services: JourneyServices, context: StepContext, language: str) -> None:
    """Store the language that the caller chose. A choice by SMS, whose sender can be forged, does not change calls."""
    if context.channel == "sms":
        await services.contacts.choose_language(context.caller, language)
    else:
        await services.accounts.choose_language(context.caller, language, context.session)
