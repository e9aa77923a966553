"""The first administrator of a gateway that only this machine reaches: made at the first start, printed until it is changed.

A public gateway has none: `server.py staff add` makes one.
"""

from pathlib import Path
from typing import Final

from aiohttp import web

from app.context import AppContext
from app.staff import StaffServices, build_staff_services
from config.embedded import write_private_file
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.staff.members import LoginTakenError
from services.staff.models import NewMember

FIRST_SIGN_IN: web.AppKey[str] = web.AppKey("first_sign_in", str)
"""Key of an application under which it has what to print of the first sign-in; empty where there is none."""
LOGIN: Final = "admin"
FILE: Final = "console-password"


async def ensure_first_sign_in(context: AppContext) -> str:
    """Add the administrator where there is no member of staff; what to print. It names the password until that is changed."""
    settings = context.settings
    if settings.is_public or not settings.console.enabled:
        return ""
    services, file = build_staff_services(settings, context.resources), settings.server.data_dir / FILE
    members = await services.members.list_all()
    if not members:
        return await _add_administrator(services, file)
    first = next((one for one in members if one.login == LOGIN), None)
    password = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    if first and password and await services.sign_in.is_password(first.id, password):
        return _describe(password)
    file.unlink(missing_ok=True)  # it was changed: nothing is left to read
    return ""


async def _add_administrator(services: StaffServices, file: Path) -> str:
    act = StaffAct(Actor("gateway", "first_start", "gateway"), "first start", "gateway:first_start")
    member = NewMember(login=LOGIN, name="Administrator", role="admin")
    try:
        _, password = await services.members.add(member, act, is_temporary=False)
    except LoginTakenError:  # another worker process was quicker
        return ""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private_file(file, password)
    return _describe(password)


def _describe(password: str) -> str:
    return f"sign in as {LOGIN} with {password}"
