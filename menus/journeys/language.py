"""Choose a language, and change it later."""

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

    return (
        Choice(
            "languages",
            tuple(Option(language, goto="keep_language") for language in languages),
            save_as="language",
            opens_session=True,
        ),
        Step("keep_language", keep_language, {"kept": "main"}),
    )


async def store_language_choice(services: JourneyServices, context: StepContext, language: str) -> None:
    """Store the language that the caller chose. A choice by SMS, whose sender can be forged, does not change calls."""
    if context.channel == "sms":
        await services.contacts.choose_language(context.caller, language)
    else:
        await services.accounts.choose_language(context.caller, language, context.session)
