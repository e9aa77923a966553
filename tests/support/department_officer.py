"""A client of the department API for tests of a running gateway."""

from pathlib import Path

from db.database import Database
from services.departments.api_keys import ApiKeys
from tests.support.department_api import OWN_DEPARTMENT, DepartmentClient
from tests.support.phone import Phone, build_settings
from tests.support.staff import staff_act


async def open_department_client(
    phone: Phone, folder: Path, department: str = OWN_DEPARTMENT, **environment: str
) -> DepartmentClient:
    """A client for `department` at the gateway of this phone, with a new API key in the database under `folder`."""
    url = build_settings(folder, **environment).database.url.get_secret_value()
    async with Database(url) as database:
        return DepartmentClient(phone.http, phone.url, await ApiKeys(database).create(department, staff_act()))
