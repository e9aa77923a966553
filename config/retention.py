"""The section `[retention]`: for how many days each kind of record is kept. The lower bounds protect what still needs it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field

from config.section import Section
from config.types import StrictInt
from core.errors import KeyPath

MAX_DAYS: Final = 36_500
# The longer-lived kind names rows of the other, which must have gone before: the key of the first SMS to a caller would be
# used again, and a consent names its operator.
_OUTLIVES: Final = (
    ("missed_calls", "messages"),
    ("missed_calls", "unknown_messages"),
    ("operators", "consents"),
    ("applications", "complaints"),
)


class RetentionSettings(Section):
    """Days for which each kind of record is kept."""

    inbound_sms: Annotated[StrictInt, Field(ge=3, le=MAX_DAYS)] = 30  # a provider delivers again for two days
    messages: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 180  # a citizen may ask about one for weeks
    unknown_messages: Annotated[StrictInt, Field(ge=7, le=MAX_DAYS)] = 180  # a report may come for two days
    unmatched_reports: Annotated[StrictInt, Field(ge=3, le=MAX_DAYS)] = 3  # longer than networks try to deliver
    unparsed_webhooks: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] = 30
    links: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] = 30
    missed_calls: Annotated[StrictInt, Field(ge=31, le=MAX_DAYS)] = 400
    callers: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 730
    released_numbers: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 730  # the holder may come with a new number
    attempts: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 90  # limits look back a day, examinations weeks
    consents: Annotated[StrictInt, Field(ge=366, le=MAX_DAYS)] = 400  # a citizen can dispute one for a year
    operators: Annotated[StrictInt, Field(ge=367, le=MAX_DAYS)] = 730
    staff: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 730
    drafts: Annotated[StrictInt, Field(ge=1, le=365)] = 30
    profile_history: Annotated[StrictInt, Field(ge=2, le=MAX_DAYS)] = 90  # a session is replayed for a day at most
    document_sign_ins: Annotated[StrictInt, Field(ge=2, le=MAX_DAYS)] = 2  # limits look back a day
    document_holders: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 365
    department_webhooks: Annotated[StrictInt, Field(ge=7, le=MAX_DAYS)] = 30  # departments repeat one for days
    unpaid_bills: Annotated[StrictInt, Field(ge=2, le=MAX_DAYS)] = 30
    payments: Annotated[StrictInt, Field(ge=365, le=MAX_DAYS)] = 3650
    unmatched_payment_reports: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 90
    sandbox_prompts: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 90
    applications: Annotated[StrictInt, Field(ge=365, le=MAX_DAYS)] = 3650
    complaints: Annotated[StrictInt, Field(ge=365, le=MAX_DAYS)] = 1825
    feedback: Annotated[StrictInt, Field(ge=30, le=MAX_DAYS)] = 730
    menu_counts: Annotated[StrictInt, Field(ge=31, le=MAX_DAYS)] = 92  # the console shows 30 days
    monthly_menu_counts: Annotated[StrictInt, Field(ge=366, le=MAX_DAYS)] = 1830  # the console shows twelve months
    opt_ins: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] = 365

    def days(self) -> Mapping[str, int]:
        """The number of days by the name of the setting."""
        return self.model_dump()

    def find_contradictions(self) -> Iterator[tuple[KeyPath, str, str]]:
        """Yield the settings that are valid one by one and cannot hold together."""
        days = self.days()
        for longer, shorter in _OUTLIVES:
            if days[longer] < days[shorter]:
                problem = f"this is less than retention.{shorter}, whose records it must outlive"
                yield ("retention", longer), problem, f"write {days[shorter]} or more"
