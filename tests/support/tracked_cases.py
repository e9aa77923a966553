"""An application, a complaint and a feedback, and processes that look up their numbers."""

from core.rate_limit import MissLimit, MissLimiter
from services.tracking.lookup import TrackingLookup
from tests.support.complaints import ComplaintServiceSet, build_feedback
from tests.support.services import CIPHER, KARIM, birth_certificate_submission

STRANGER = "+8801711000009"


class CaseSet:
    """An application of Rahima for Karim, her complaint and her feedback, and the processes that look them up."""

    def __init__(self, services, redis) -> None:
        self.complaint_services, self.redis = ComplaintServiceSet(services), redis
        self.application = self.complaint = self.feedback = ""
        self.account = 0

    async def create(self) -> None:
        services = self.complaint_services.services
        self.account = await services.register()
        submission = birth_certificate_submission(self.account, beneficiary=KARIM)
        self.application = (await services.applications.submit(submission, "s:1")).tracking_number
        self.complaint = await self.complaint_services.submit_complaint("s2:1")
        self.feedback = await self.complaint_services.complaints.submit_feedback(build_feedback(), "s3:1")

    def start_process(self) -> TrackingLookup:
        """A process of its own: it shares nothing with others but the database and Redis."""
        limits = (MissLimit("callers", 10), MissLimit("prefixes", 50))
        limiters = (MissLimiter(self.redis, CIPHER.keyed_hash, limit) for limit in limits)
        services = self.complaint_services
        return TrackingLookup(services.services.tracking_summaries(), services.status_reader, *limiters)


async def sweep_prefix(tracking: TrackingLookup, number: str) -> None:
    """Six callers ask for ten wrong numbers each, which begin as `number` does."""
    for place in range(60):
        await tracking.find(f"{number[:5]}{place:07}", f"+88018000000{place % 6}")
