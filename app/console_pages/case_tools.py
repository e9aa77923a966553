"""What the pages of applications, complaints and feedback share."""

from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sms.segments import fold_to_gsm7, measure
from web.console.cases.moving import SmsMeter
from web.console.cases.page import ConsoleTools

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_tools(context: "ConsoleContext") -> ConsoleTools:
    """The catalogue, the meter of SMS and the time zone."""
    console = context.app.settings.console
    meter = SmsMeter(_measure, Decimal(str(console.sms_price)), console.sms_currency)
    zone = ZoneInfo(context.app.settings.countries.time_zone)
    return ConsoleTools(context.app.checked_menu.services.current_catalogue, meter, zone)


def _measure(text: str) -> tuple[str, int]:
    return fold_to_gsm7(text), measure(text).segments
