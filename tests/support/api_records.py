"""Create records of a department: applications, complaints and feedback in several statuses."""

from services.complaints.models import NewFeedback
from tests.support.complaints import ComplaintServiceSet
from tests.support.department_api import OWN_DEPARTMENT
from tests.support.services import RAHIMA, ServiceSet, birth_certificate_submission

SERVICE = "birth_certificate"


class SingleDepartmentPolicies:
    """Policies in which every service belongs to our department."""

    def __init__(self, inner):
        self._inner = inner

    def department_for_service(self, service):
        return OWN_DEPARTMENT if service else ""

    def policy_for(self, department):
        return self._inner.policy_for(department)

    def service_name(self, service, language):
        return self._inner.service_name(service, language)


async def create_records(services: ServiceSet, count: int = 5) -> tuple[list[str], list[str]]:
    """The tracking numbers and the complaint numbers that were created."""
    account = await services.register()
    complaint_services = ComplaintServiceSet(services)
    complaint_services = ComplaintServiceSet(services, SingleDepartmentPolicies(complaint_services.policies))
    applied, complained = [], []
    for place in range(count):
        new = birth_certificate_submission(
            account, department=OWN_DEPARTMENT, form={"holder": "Rahim Uddin", "born": "2025-11-21"}
        )
        applied.append((await services.applications.submit(new, f"a{place}:1")).tracking_number)
        complained.append(
            await complaint_services.submit_complaint(f"c{place}:1", about=applied[-1] if place % 2 else "")
        )
        rating = place % 5 + 1 if place % 2 else None
        await complaint_services.complaints.submit_feedback(
            NewFeedback(RAHIMA, f"Words {place}", "en", "sms", SERVICE, rating), f"f{place}:1"
        )
        services.clock.advance(minutes=1)
    await services.department_applications.move(OWN_DEPARTMENT, applied[0], "delivered", {"en": "Done"}, "furnished")
    return applied, complained
