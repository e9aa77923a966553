"""Texts about a visit at a village centre for the citizen: the operator, and afterwards what the operator did."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, exists, select

from core.crypto import Cipher
from core.types import SmsText, TextRenderer, in_latin_letters
from db.database import Transaction
from db.tables import OPEN_OR_PAID, applications, audit, payments
from services.assisted.operators import decrypt_operator_name
from services.payments.cash import CASH_ACT
from services.payments.fees import STATUSES_WITHOUT_FEE

MAX_ACTS: Final = 6
"""Acts in one SMS; of the others it has the number."""
APPLIED_ACT: Final = "handed_in"
ACT_TEXTS: Final[Mapping[str, str]] = {
    APPLIED_ACT: "done_applied",
    "withdrawn": "done_withdrawn",
    "complaint_made": "done_complained",
    "pay": "done_paid",
    CASH_ACT: "done_paid_cash",
    "profile_changed": "done_profile",
}
"""The acts of the audit log that a summary mentions, and their texts."""


class VisitSummaries:
    """Renders the texts. `centre_name(code, language)` is the name of a centre."""

    def __init__(self, cipher: Cipher, render_text: TextRenderer, centre_name: Callable[[str, str], str]) -> None:
        self._cipher = cipher
        self._render_text = render_text
        self._centre_name = centre_name

    def operator_facts(self, consent: Row[Any]) -> Mapping[str, object]:
        """The operator's name, centre and id in the citizen's language; `consent` is a row with the operator's columns."""
        centre = self._centre_name(consent.centre, consent.language)
        name = decrypt_operator_name(self._cipher, consent)
        who, latin = (", ".join(filter(None, (name, one))) for one in (centre, in_latin_letters(centre)))
        return {"who": SmsText(who, latin), "operator": consent.operator}

    async def list_acts(self, transaction: Transaction, consent: Row[Any]) -> Sequence[Row[Any]]:
        """The rows of the audit log for ACT_TEXTS under a consent."""
        by_operator = (audit.c.actor_kind == "operator", audit.c.actor == str(consent.operator))
        query = (
            select(audit)
            .where(*by_operator, audit.c.at >= consent.given_at, audit.c.act.in_(ACT_TEXTS))
            .order_by(audit.c.id)
        )
        return [act for act in await transaction.execute(query) if act.details.get("consent") == str(consent.id)]

    async def find_fees_due(self, transaction: Transaction, acts: Sequence[Row[Any]]) -> Mapping[str, tuple[int, str]]:
        """The fees that nobody has paid yet, of the applications among the acts: the amount and the currency by number."""
        numbers = [act.subject for act in acts if act.act == APPLIED_ACT]
        is_paid = exists().where(payments.c.reference == applications.c.tracking_number, OPEN_OR_PAID)
        query = select(applications.c.tracking_number, applications.c.fee_minor, applications.c.currency).where(
            applications.c.tracking_number.in_(numbers),
            applications.c.fee_minor > 0,
            applications.c.status.not_in(STATUSES_WITHOUT_FEE),
            ~is_paid,
        )
        rows = (await transaction.execute(query)).all() if numbers else []
        return {row.tracking_number: (row.fee_minor, row.currency) for row in rows}

    def render_summary(
        self, consent: Row[Any], acts: Sequence[Row[Any]], fees_due: Mapping[str, tuple[int, str]]
    ) -> str:
        """The text of the SMS about a visit, in the citizen's language, with the fees that are due."""
        language = consent.language
        texts = (self._render_act(language, act, fees_due.get(act.subject)) for act in acts)
        lines = list(dict.fromkeys(texts))  # every changed answer of a profile has the same text
        if len(lines) > MAX_ACTS:
            lines[MAX_ACTS:] = [self._render_text(language, "done_more", {"count": len(lines) - MAX_ACTS})]
        done = lines or [self._render_text(language, "done_nothing", {})]
        return self._render_text(language, "visit_over", {**self.operator_facts(consent), "done": done})

    def _render_act(self, language: str, act: Row[Any], fee: tuple[int, str] | None) -> str:
        if act.act == APPLIED_ACT and fee:
            return self._render_text(language, "done_applied_due", {"number": act.subject, "fee": fee})
        return self._render_text(language, ACT_TEXTS[act.act], {"number": act.subject})
