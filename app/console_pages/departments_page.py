"""The pages of departments: the services behind `server.py departments` and `server.py keys`."""

from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.cli import ask_department, build_command_context
from app.department_trials import build_trials
from services.departments.api_keys import ApiKeys
from web.console.departments.routes import DepartmentsPage, TrialSite
from web.console.requests import ConsolePage
from web.simulator.routes import PAGE_PATH

if TYPE_CHECKING:
    from app.console import ConsoleContext
    from app.context import AppContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    app = context.app
    services, settings, database = app.checked_menu.services, app.settings, app.resources.database
    return DepartmentsPage(
        current_catalogue=services.current_catalogue,
        deliveries=services.deliveries,
        api_keys=ApiKeys(database, zone=ZoneInfo(settings.countries.time_zone)),
        addresses={code: one.url for code, one in settings.departments.items()},
        ask=partial(ask_department, settings, database),
        trial_site=None if settings.is_public else _build_trial_site(app),
    ).build_page()


def _build_trial_site(app: "AppContext") -> TrialSite:
    """Trials make sample data: only where no stranger can reach the gateway, and no SMS leaves this machine."""
    wallet, url = app.checked_menu.services.payments.wallet, app.settings.server.url
    trials = build_trials(app.settings, build_command_context(app), app.resources.hasher, wallet)
    return TrialSite(trials, url, f"{url}{PAGE_PATH}" if app.settings.is_simulator_enabled else "")
