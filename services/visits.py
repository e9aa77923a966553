"""A visit at a village centre as the citizen is told of it: who the operator is, and afterwards what they did."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, select

from services.given import Say, Sealing
from services.operators import name_of
from services.records.database import Transaction
from services.records.tables import audit

TOLD: Final = 6  # things done that one SMS tells of; who did more is told how many
APPLIED: Final = "handed_in"
DONE: Final[Mapping[str, str]] = {
    APPLIED: "done_applied",
    "withdrawn": "done_withdrawn",
    "complaint_made": "done_complained",
    "pay": "done_paid",
    "profile_changed": "done_profile",
}
"""What is told of a visit: what the audit calls it, and the text that says it."""


class Visits:
    """What is said of all of them. `centre_said` is what a centre (its code) is called in a language."""

    def __init__(self, seal: Sealing, say: Say, centre_said: Callable[[str, str], str]) -> None:
        self._seal = seal
        self._say = say
        self._centre_said = centre_said

    def who(self, consent: Row[Any]) -> Mapping[str, object]:
        """Who the operator is, in the citizen's language; `consent` is a row with its operator's columns beside it."""
        centre = self._centre_said(consent.centre, consent.language)
        named = ", ".join(filter(None, (name_of(self._seal, consent), centre)))
        return {"who": named, "operator": consent.operator}

    async def done(self, transaction: Transaction, consent: Row[Any]) -> Sequence[Row[Any]]:
        """What the audit knows was done under a consent, that a citizen is told."""
        by = (audit.c.actor_kind == "operator", audit.c.actor == str(consent.operator))
        noted = select(audit).where(*by, audit.c.at >= consent.given_at, audit.c.act.in_(DONE)).order_by(audit.c.id)
        return [act for act in await transaction.execute(noted) if act.details.get("consent") == str(consent.id)]

    def told(self, consent: Row[Any], done: Sequence[Row[Any]]) -> str:
        """The SMS that says it, in the citizen's language."""
        language = consent.language
        each = (self._say(language, DONE[act.act], {"number": act.subject}) for act in done)
        lines = list(dict.fromkeys(each))  # what is said of a changed profile is the same for every answer in it
        if len(lines) > TOLD:
            lines[TOLD:] = [self._say(language, "done_more", {"count": len(lines) - TOLD})]
        said = lines or [self._say(language, "done_nothing", {})]
        return self._say(language, "visit_over", {**self.who(consent), "done": said})
