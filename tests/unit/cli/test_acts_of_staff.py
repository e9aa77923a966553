"""Every verb of `server.py` that changes something takes a name and a reason, and leaves both in the audit log.

Field report, section 3: the audit of operator and keys verbs named the actor `server.py`.
"""

import argparse
import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
import structlog

import server
from core.crypto import Cipher, derive_key_id
from db.database import Database
from db.tables import (
    api_keys,
    applications,
    deliveries,
    messages,
    operators,
    payment_refunds,
    payment_reports,
    payments,
    refused_templates,
    staff,
)
from tests.support.databases import migrated_sqlite_url
from tests.support.program import SECRET, build_environment
from tests.support.sample_rows import insert_row
from tests.support.services import KARIM, RAHIMA, ServiceSet

WHY = ("--why", "ticket 4711", "--by", "nadia")
FORMER = "the secret that was there before, long enough"
NUMBER = "123456789012"
ACTS = {
    ("keys", "add"): ("--department", "dncc", *WHY),
    ("keys", "revoke"): ("1a2b3c4d", *WHY),
    ("keys", "rotate"): WHY,
    ("keys", "retire"): (derive_key_id(FORMER.encode()), *WHY),
    ("operator", "add"): ("--number", "+8801712345678", "--centre", "mirpur", *WHY),
    ("operator", "suspend"): ("1", *WHY),
    ("operator", "resume"): ("2", *WHY),
    ("operator", "reset-pin"): ("1", *WHY),
    ("staff", "add"): ("--login", "rina", "--name", "Rina", "--role", "officer", "--department", "dncc", *WHY),
    ("staff", "set-role"): ("omar", "--role", "auditor", *WHY),
    ("staff", "disable"): ("omar", *WHY),
    ("staff", "enable"): ("tania", *WHY),
    ("staff", "reset-password"): ("omar", *WHY),
    ("staff", "reset-code"): ("omar", *WHY),
    ("staff", "sign-out"): ("omar", *WHY),
    ("citizen", "freeze"): (RAHIMA, *WHY),
    ("citizen", "unfreeze"): (RAHIMA, *WHY),
    ("citizen", "sign-out"): (RAHIMA, *WHY),
    ("citizen", "reset-questions"): (RAHIMA, *WHY),
    ("citizen", "release"): (RAHIMA, *WHY),
    ("citizen", "attach"): ("1", KARIM, *WHY),
    ("citizen", "reset-pin"): (RAHIMA, *WHY),
    ("citizen", "reveal"): (RAHIMA, *WHY),
    ("citizen", "resend"): ("2", *WHY),
    ("departments", "retry"): (NUMBER, *WHY),
    ("departments", "try"): ("dncc", *WHY),
    ("messages", "settle"): ("1", "sent", "--why", "provider", "--by", "nadia"),
    ("messages", "release"): ("moved.hi", *WHY),
    ("payments", "refund"): ("#1", "--yes", *WHY),
    ("payments", "settle"): ("#2", "paid", *WHY),
    ("payments", "returned"): ("1", *WHY),
    ("payments", "cash"): (NUMBER, "--amount", "50", "--receipt", "R-17", *WHY),
    ("payments", "assign"): ("RKTASSIGN1", NUMBER, *WHY),
    ("payments", "given-back"): ("#1", "--receipt", "RKTBACK1", *WHY),
}
"""The arguments of each verb that changes something, for the rows of `fill`."""
BEFORE = {
    ("citizen", "unfreeze"): ("citizen", "freeze", RAHIMA, *WHY),
    ("citizen", "attach"): ("citizen", "release", RAHIMA, *WHY),
}
"""What is done first, so that the verb has something to do."""
READS = {
    "dial": "a phone in the terminal, over the routes of the gateway",
    "serve": "the gateway",
    "check": "reads files",
    "graph": "writes a picture",
    "smpp": "serves callers, as serve does",
    "migrate": "changes tables, and no record",
    "audit export": "ids and codes alone",
    "keys list": "no secret",
    "keys status": "counts",
    "keys generate-secret": "prints",
    "keys generate-webhook-secret": "prints",
    "operator list": "staff, no citizens",
    "operator report": "counts",
    "departments list": "counts",
    "departments rejected": "tracking numbers and reasons",
    "staff list": "staff, no citizens",
    "messages list": "masked",
    "messages templates": "our own texts",
    "payments list": "masked",
    "payments show": "masked",
    "payments register-urls": "addresses, which M-Pesa takes",
    "payments report": "sums, and ids of what waits for a person",
}
"""The verbs that change nothing, and what they are or show instead. `citizen show` reads an account and is audited too."""
AUDITED_READS = {("citizen", "show"), ("citizen", "messages"), ("payments", "reconcile")}


def verbs(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb, as the words that one types."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield path
    for group in groups:
        for name, of_name in group.choices.items():
            yield from verbs(of_name, (*path, name))


def required_options(path: tuple[str, ...]) -> set[str]:
    parser = server._build_parser()
    for name in path:
        group = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        parser = group.choices[name]
    return {option for action in parser._actions for option in action.option_strings if action.required}


VERBS = list(verbs(server._build_parser()))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in this process on the database of `fill`."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def run_command(*arguments):
        with monkeypatch.context() as environment:
            values = {"KEYS__SECRET": SECRET, "KEYS__FORMER": FORMER}
            for name, value in build_environment(tmp_path, **values).items():
                environment.setenv(name, value)
            try:
                status = server.main(arguments)
            finally:
                structlog.configure(**configured)
        assert status == 0

    return run_command


async def fill(folder, clock, pins):
    """Something for each verb of ACTS."""
    now = clock()
    async with Database(migrated_sqlite_url(folder / "ekdial.db")) as database:
        cipher = Cipher(SECRET.encode(), [FORMER.encode()])
        services = ServiceSet(database, clock, pins, cipher)
        await services.register()
        for msisdn, suspended_at in (("+8801711000012", None), ("+8801711000013", now)):
            name = cipher.encrypt(b"Karim Mia", f"operator:{msisdn}")
            values = {"msisdn": msisdn, "name": name, "centre": "mirpur", "suspended_at": suspended_at}
            await insert_row(database, operators, now, **values)
        for login, disabled_at in (("omar", None), ("tania", now)):
            values = {"name": cipher.encrypt(login.encode(), f"staff:{login}"), "role": "helpdesk", "language": "en"}
            values["code_secret"] = cipher.encrypt(b"A" * 32, f"staff-code:{login}")
            await insert_row(database, staff, now, login=login, disabled_at=disabled_at, **values)
        await insert_row(database, api_keys, now, id="1a2b3c4d", kind="department", department="dncc")
        await insert_row(
            database, messages, now, status="unknown", kind="info", recipient=RAHIMA, error="NoAnswerInTime"
        )
        text = cipher.encrypt(b"Ekdial: Tk 50 paid", "message:receipt")
        values = {"status": "failed", "kind": "payment", "text": text, "idempotency_key": "receipt"}
        await insert_row(database, messages, now, recipient=RAHIMA, error="NotConnected", **values)
        await insert_row(database, refused_templates, now, name="moved.hi", template_id="", reason="DltScrubbing")
        (application,) = await insert_row(
            database, applications, now, tracking_number=NUMBER, fee_minor=5000, currency="BDT", language="en"
        )
        await insert_row(database, deliveries, now, application=application, state="refused", error="HTTP 422")
        for reference, status, paid in (("123456789013", "paid", 5000), ("123456789014", "unknown", None)):
            values = {"amount_minor": 5000, "currency": "BDT", "paid_minor": paid, "language": "en"}
            values |= {"reference": reference, "status": status, "purpose": "fee", "payer": RAHIMA}
            (payment, *_) = await insert_row(database, payments, now, **values)
        money = {
            "outcome": "paid",
            "receipt": "RKTASSIGN1",
            "amount_minor": 5000,
            "wallet": "daraja",
            "currency": "BDT",
        }
        await insert_row(database, payment_reports, now, **money)
        await insert_row(database, payment_refunds, now, payment=payment - 1, amount_minor=1000, status="by_hand")


def read_audit(folder):
    with closing(sqlite3.connect(folder / "ekdial.db")) as database:
        return database.execute("SELECT actor_kind, actor, details FROM audit ORDER BY id").fetchall()


def test_every_verb_is_known_to_change_something_or_not():
    """A new verb joins ACTS, with its arguments, or READS."""
    assert {" ".join(path) for path in VERBS} == {
        *READS,
        *(" ".join(path) for path in ACTS),
        *(" ".join(path) for path in AUDITED_READS),
    }


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_a_verb_asks_for_a_reason_where_it_changes_something(path):
    assert ("--why" in required_options(path)) == (path in ACTS)


@pytest.mark.parametrize("path", ACTS, ids=" ".join)
def test_an_act_leaves_its_name_and_its_reason_in_the_audit(path, run, tmp_path, clock, pins):
    asyncio.run(fill(tmp_path, clock, pins))
    if path in BEFORE:
        run(*BEFORE[path])
    before = len(read_audit(tmp_path))
    run(*path, *ACTS[path])
    lines = [line for line in read_audit(tmp_path)[before:] if line[0] != "gateway"]  # what follows from the act
    (actor_kind, actor, details), *_ = lines
    assert (actor_kind, actor) == ("staff", "nadia")
    assert json.loads(details)["reason"] == ACTS[path][ACTS[path].index("--why") + 1]


def test_a_look_at_an_account_leaves_a_name(run, tmp_path, clock, pins):
    asyncio.run(fill(tmp_path, clock, pins))
    run("citizen", "show", RAHIMA, "--by", "nadia")
    assert read_audit(tmp_path)[-1][:2] == ("staff", "nadia")
