"""Who answers complaints: the officers, deadlines and e-mail address of each department."""

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation
from services.complaints.models import NO_DEPARTMENT, EscalationPolicy


class EscalationPolicies:
    """The escalation policies of the departments in the current catalogue, with defaults for the rest."""

    def __init__(
        self,
        *,
        current_catalogue: CurrentCatalogue,
        find_zone: Callable[[str], ZoneInfo],
        default_answer_days: Sequence[int],
        default_email: str,
        default_language: str,
        languages_by_country: Mapping[str, str],
    ) -> None:
        """`find_zone`: a department's code to the zone of its days. The defaults apply to departments without officers."""
        self._current_catalogue = current_catalogue
        self._find_zone = find_zone
        self._default_answer_days = default_answer_days
        self._default_email = default_email
        self._default_language = default_language
        self._languages_by_country = languages_by_country

    def department_for_service(self, service: str) -> str:
        """The department of a service; NO_DEPARTMENT for a service that left the catalogue."""
        known = self._current_catalogue.catalogue.services.get(service)
        return known.department if known else NO_DEPARTMENT

    def policy_for(self, department: str) -> EscalationPolicy:
        """The policy of a department; the defaults for NO_DEPARTMENT and a department that left the catalogue."""
        known, zone = self._current_catalogue.catalogue.departments.get(department), self._find_zone(department)
        if known is None:
            return EscalationPolicy(self._default_answer_days, (), self._default_email, self._default_language, zone)
        levels = known.escalation_levels
        return EscalationPolicy(
            answer_days=tuple(level.answer_days for level in levels) or self._default_answer_days,
            officers=tuple(level.names for level in levels),
            email=known.email,
            language=self._languages_by_country.get(known.country, self._default_language),
            zone=zone,
        )

    def departments_with_email(self) -> Sequence[str]:
        """The departments that read e-mail; NO_DEPARTMENT among them if there is a default address."""
        codes = [it.code for it in self._current_catalogue.catalogue.departments.values() if it.email]
        return [*codes, NO_DEPARTMENT] if self._default_email else codes

    def service_name(self, service: str, language: str) -> str:
        """The name of a service; empty for one that left the catalogue."""
        known = self._current_catalogue.catalogue.services.get(service)
        return pick_translation(known.names, language) if known else ""
