"""What the journeys of following and complaining may ask: every number, one's own list, writing, judging."""

from collections.abc import Sequence

from assembly.catalogue import finding_of
from assembly.services import Services
from menus.journeys.complain import Complaining, Verdict, Wrote
from menus.journeys.track import Following, Past
from services.audit import Who
from services.complaints import Complaint, Filed, Opinion, Settled


def following_of(services: Services) -> Following:
    """What may be followed, and how."""

    async def history(number: str) -> Sequence[Past]:
        return await services.following.history(number) or await services.grievances.following.history(number)

    following = services.following
    return Following(services.tracking.find, following.own, following.send_status, history)


def complaining_of(services: Services) -> Complaining:
    """What may be complained of, said and judged."""
    grievances = services.grievances

    async def complain(wrote: Wrote, effect: str) -> Filed:
        new = Complaint(
            wrote.number, wrote.text, wrote.language, wrote.channel, wrote.about, wrote.service, wrote.reason
        )
        return await grievances.complaints.complain(new, effect, by=_who(wrote))

    async def suggest(wrote: Wrote, effect: str) -> str:
        rating = wrote.rating or None
        new = Opinion(wrote.number, wrote.text, wrote.language, wrote.channel, wrote.service, rating)
        return await grievances.complaints.suggest(new, effect, by=_who(wrote))

    async def judge(verdict: Verdict, effect: str) -> Settled:
        return await grievances.verdicts.judge(
            verdict.complaint,
            verdict.number,
            settled=verdict.settled,
            channel=verdict.channel,
            effect=effect,
            by=_who(verdict),
        )

    return Complaining(
        find=services.tracking.find,
        own=services.following.own,
        finding=finding_of(services.shelf, services.usage),
        complain=complain,
        suggest=suggest,
        judge=judge,
    )


def _who(wrote: Wrote | Verdict) -> Who:
    """Whom the audit names: the operator, or the citizen by their account; without one, by what they wrote alone."""
    if wrote.operator:
        return Who("operator", wrote.operator, wrote.channel)
    return Who("citizen", str(wrote.account or ""), wrote.channel)
