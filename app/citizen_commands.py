"""The services of the helpdesk over open resources: for `server.py citizen`, and for the page of the console."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from zoneinfo import ZoneInfo

from config.settings import Settings
from core.crypto import Cipher
from core.phone_numbers import build_supported_number_check
from core.types import TextRenderer, utc_now
from db.database import Database
from services.audit.staff_acts import StaffAct
from services.citizens.account_support import AccountSupport
from services.citizens.accounts import Accounts
from services.citizens.number_checks import NumberChecks
from services.citizens.number_notices import NoticeCounts, NumberNotice, parse_notices
from services.citizens.number_release import NumberReleases, ReleaseRequest, ReleaseResult
from services.citizens.pins import SecretHasher
from services.helpdesk.lookup import CitizenLookup
from services.helpdesk.resends import MessageResends
from services.messaging.messages import Messages


@dataclass(frozen=True, slots=True)
class CitizenCommands:
    """What the helpdesk does; `zone` is the time zone of its times."""

    lookup: CitizenLookup
    resends: MessageResends
    support: AccountSupport
    releases: NumberReleases
    has_account: Callable[[str], Awaitable[bool]]
    is_supported_number: Callable[[str], bool]
    zone: tzinfo

    def parse_notices(self, text: str, file: str) -> Sequence[NumberNotice]:
        """The notices in a file.

        Raises:
            ValidationFailedError: names every line that is wrong.
        """
        return parse_notices(text, file, utc_now().astimezone(self.zone).date())

    async def release_notices(self, notices: Sequence[NumberNotice], content: bytes, act: StaffAct) -> NoticeCounts:
        """Release the number of every notice of a file with this content. The same file a second time changes nothing."""
        digest = sha256(content).hexdigest()[:32]
        results = [await self._release_notice(one, act, f"notices:{digest}:{one.line}") for one in notices]
        repeated = sum(one.is_repeat for one in results)
        released = sum(one.outcome == "released" and not one.is_repeat for one in results)
        return NoticeCounts(released, repeated, len(notices) - released - repeated)

    async def _release_notice(self, notice: NumberNotice, act: StaffAct, idempotency_key: str) -> ReleaseResult:
        request = ReleaseRequest(
            notice.msisdn, "notice", act.actor, idempotency_key, act.reason, taken_on=notice.taken_on
        )
        return await self.releases.release(request)


def build_citizen_commands(
    settings: Settings,
    *,
    database: Database,
    cipher: Cipher,
    messages: Messages,
    accounts: Accounts,
    releases: NumberReleases,
    hasher: SecretHasher,
    number_checks: NumberChecks,
    render_text: TextRenderer,
) -> CitizenCommands:
    """The services of the helpdesk."""
    support = AccountSupport(
        database=database,
        access=accounts.access,
        releases=releases,
        messages=messages,
        pin_changes=accounts.pin_changes,
        registrations=accounts.registrations,
        hasher=hasher,
        check_sim=number_checks.check,
        render_text=render_text,
    )
    return CitizenCommands(
        lookup=CitizenLookup(database, cipher, releases),
        resends=MessageResends(database, messages, cipher),
        support=support,
        releases=releases,
        has_account=support.has_account,
        is_supported_number=build_supported_number_check(settings.countries.allowed),
        zone=ZoneInfo(settings.countries.time_zone),
    )
