"""The services of assisted mode over one database, and the codes on citizens' phones."""

from db.tables import consents
from services.assisted.consents import Consents
from services.assisted.models import ConsentRequest, NewOperator
from services.assisted.operators import Operators
from services.assisted.visit_summary import APPLIED_ACT, VisitSummaries
from services.audit.audit import AuditLog, act_as_operator
from services.audit.models import ActingOperator, AuditEntry
from services.citizens.one_time_codes import OneTimeCodes
from tests.support.services import CIPHER, KARIM, RAHIMA, render_text
from tests.support.staff import staff_act

ANOTHER = "+8801711000009"


async def bengali(_number):
    return "bn"


class AssistedServiceSet:
    """The services of a centre with two operators, and the codes on citizens' phones."""

    def __init__(self, services, redis, clock, limits=None):
        self.services, self.clock = services, clock
        self.codes = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=clock)
        given = (services.database, services.messages)
        self.operators = Operators(*given, services.pins, CIPHER, render_text, clock=clock)
        language = {"find_language": bengali}
        visits = VisitSummaries(CIPHER, render_text, lambda code, _: code)
        self.consents = Consents(*given, self.codes, visits, **language, limits=limits, clock=clock)
        self.audit = AuditLog(services.database, clock=clock)

    async def enrol(self, number=KARIM, name="Karim Mia", **limits) -> int:
        operator, _ = await self.operators.add(NewOperator(number, name, "mirpur", "bn", **limits), staff_act())
        await self.services.claim_sms()
        return operator

    async def request_consent(self, operator, idempotency_key="s1:10", number=RAHIMA, purpose="apply", added_to=0):
        asked = await self.consents.request(
            ConsentRequest(operator, number, frozenset(purpose.split()), "ussd", added_to), idempotency_key
        )
        codes = [facts["code"] for _, _, text, facts in await self.services.claim_sms() if text == "consent_code"]
        return asked, codes

    async def give_consent(self, operator, session="s1", number=RAHIMA, purpose="apply", added_to=0) -> int:
        asked, (code,) = await self.request_consent(operator, f"{session}:10", number, purpose, added_to)
        assert (await self.consents.verify_code(asked.consent, code, f"{session}:17")).outcome == "right"
        return asked.consent

    async def act(self, operator, consent, *, subject="123456789012", idempotency_key="s1:30", account=1):
        """Record an act of the citizen while the operator acts."""
        with act_as_operator(ActingOperator(operator, account, consent)):
            async with self.services.database.transaction() as transaction:
                noted = AuditEntry(
                    "citizen", str(account), APPLIED_ACT, "application", subject, "ussd", idempotency_key
                )
                await self.audit.record(transaction, noted)

    async def consent_rows(self):
        return (await self.services.database.fetch(consents.select().order_by(consents.c.id))).all()


def different_code(code):
    return f"{(int(code) + 1) % 10**6:06}"
