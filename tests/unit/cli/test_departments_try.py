"""`server.py departments try`: a key and a sample application in one command, for every department of the catalogue."""

import argparse
import asyncio
import io
import re
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from cli.departments import add_arguments, run_departments
from core.crypto import Cipher
from core.errors import CommandError
from db.database import Database
from db.tables import accounts, api_keys, applications, audit, deliveries, messages
from services.applications.models import form_associated_data
from services.catalogue.loader import load_catalogue
from services.departments.api_keys import ApiKeys
from services.departments.trials import TRIAL_LABEL, TRIAL_PERIOD
from tests.support.catalogues import write_catalogue
from tests.support.phone import PUBLIC_SETTINGS, build_settings
from tests.support.program import ROOT, SECRET, run_program

WHY = ("--why", "ticket 4711", "--by", "nadia")
CATALOGUE = load_catalogue(ROOT / "services" / "catalogue" / "data")
ON_A_PHONE = {service.department for channel in ("ussd", "sms") for service in CATALOGUE.services_on(channel)}
REQUEST = re.compile(r"^curl .*$", re.MULTILINE)


def try_department(settings, department):
    """The output of the command, in this process."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with redirect_stdout(io.StringIO()) as said:
        assert run_departments(settings, parser.parse_args(["try", department, *WHY])) == 0
    return said.getvalue()


def read_rows(settings, table):
    async def read():
        async with Database(settings.database.url.get_secret_value()) as database:
            return (await database.fetch(select(table).order_by(table.c.id))).all()

    return asyncio.run(read())


def find_holder(settings, key):
    async def find():
        async with Database(settings.database.url.get_secret_value()) as database:
            return await ApiKeys(database).find_holder(key)

    return asyncio.run(find())


def read_key(output):
    return re.search(r"^Key (\S+), ", output, re.MULTILINE)[1]


@pytest.fixture
def settings(tmp_path):
    return build_settings(tmp_path, KEYS__SECRET=SECRET)


@pytest.mark.parametrize("department", sorted(ON_A_PHONE))
def test_a_department_gets_a_key_and_an_application_of_its_first_service_on_a_phone(settings, department):
    output = try_department(settings, department)

    (application,) = read_rows(settings, applications)
    first = next(one for one in CATALOGUE.services_on("ussd") if one.department == department)
    assert (application.service, application.department, application.status) == (first.code, department, "received")
    assert (application.channel, application.applied_for, application.account) == ("ussd", "self", 1)
    assert application.tracking_number in output
    context = form_associated_data(application.tracking_number)
    form = Cipher(SECRET.encode()).decrypt(application.form, context).decode()
    assert all(f'"{field.name}"' in form for field in first.fields)
    assert find_holder(settings, read_key(output)).department == department
    assert len(REQUEST.findall(output)) == 3
    country = CATALOGUE.departments[department].country
    assert application.msisdn.startswith({"BD": "+880", "IN": "+91", "KE": "+254"}[country])


@pytest.mark.parametrize("department", sorted(set(CATALOGUE.departments) - ON_A_PHONE))
def test_a_department_without_a_service_on_a_phone_gets_a_line_that_says_so(settings, department):
    with pytest.raises(CommandError, match=f"^{department} has no service on a phone, .* these have: .*dncc"):
        try_department(settings, department)
    assert not read_rows(settings, api_keys)


def test_the_key_is_a_trial_in_the_list_and_ends_after_thirty_days(settings):
    try_department(settings, "dncc")
    (key,) = read_rows(settings, api_keys)
    today = datetime.now(ZoneInfo(settings.countries.time_zone)).date()
    assert (key.label, key.last_day) == (TRIAL_LABEL, today + TRIAL_PERIOD)
    assert timedelta(days=30) == TRIAL_PERIOD


def test_again_makes_another_key_and_another_application_of_the_same_citizen(tmp_path, database_url):
    settings = build_settings(tmp_path, DATABASE__URL=database_url)
    first, second = (read_key(try_department(settings, "dncc")) for _ in range(2))
    assert find_holder(settings, first)
    assert find_holder(settings, second)
    assert first != second
    (account,) = read_rows(settings, accounts)
    assert [one.account for one in read_rows(settings, applications)] == [account.id] * 2


def test_the_audit_has_the_name_and_the_reason_of_both_acts(settings):
    try_department(settings, "dncc")
    (application,), (key,) = read_rows(settings, applications), read_rows(settings, api_keys)
    lines = [one for one in read_rows(settings, audit) if one.actor_kind == "staff"]
    assert [(one.actor, one.act, one.subject, one.details["reason"]) for one in lines] == [
        ("nadia", "key_added", key.id, "ticket 4711"),
        ("nadia", "trial_submitted", application.tracking_number, "ticket 4711"),
    ]


def test_a_connected_system_gets_the_application_too(tmp_path):
    system = '{"url": "http://127.0.0.1:1/ekdial", "token": "hunter2"}'
    settings = build_settings(tmp_path, DEPARTMENTS__DNCC=system)
    try_department(settings, "dncc")
    assert [one.department for one in read_rows(settings, deliveries)] == ["dncc"]


def test_the_citizen_gets_the_pin_and_the_receipt_and_the_output_has_no_pin(settings):
    output = try_department(settings, "dncc")
    assert [one.kind for one in read_rows(settings, messages)] == ["pin", "receipt"]
    assert "PIN" not in output


PUBLIC = (
    PUBLIC_SETTINGS,
    {**PUBLIC_SETTINGS, "SERVER__PUBLIC_URL": "", "SERVER__HOST": "0.0.0.0"},  # noqa: S104
    {**PUBLIC_SETTINGS, "SMS__PROVIDER": "africastalking", "PROVIDERS__AFRICASTALKING__API_KEY": "a key"},
)


@pytest.mark.parametrize("public", PUBLIC, ids=["an address", "every network", "real SMS"])
def test_a_public_gateway_refuses_and_writes_nothing(tmp_path, public):
    settings = build_settings(tmp_path, **public)
    assert settings.is_public
    with pytest.raises(CommandError, match=r"this gateway is public; .*keys add"):
        try_department(settings, "dncc")
    assert not read_rows(settings, api_keys)


def test_a_field_that_no_sample_answers_is_named_and_nothing_is_written(tmp_path):
    folder = tmp_path / "catalogue"
    folder.mkdir()
    write_catalogue(folder, 10)
    file = folder / "department_0.toml"
    text = file.read_text(encoding="utf-8")
    wanted = 'kind = "identity"\nscheme = "in_.pan"\nlengths = [3]'
    file.write_text(text.replace('kind = "text"', wanted, 1), encoding="utf-8")
    settings = build_settings(tmp_path, CATALOGUE__FOLDER=str(folder))
    with pytest.raises(CommandError, match="No sample answers the field 'answer_1' of the form; make a key"):
        try_department(settings, "department_0")
    assert not read_rows(settings, api_keys)


@pytest.mark.slow
def test_an_unknown_department_is_one_line_that_names_the_nearest(tmp_path):
    ended = run_program(tmp_path, "departments", "try", "dnc", *WHY)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "There is no department 'dnc'; did you mean 'dncc'?\n"
