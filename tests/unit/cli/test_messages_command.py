"""`server.py messages`: messages with an unknown result are listed and settled, and the audit log says by whom."""

import argparse
import asyncio
import csv
import io
import sqlite3
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime

import pytest

from app.keys import open_cipher
from app.resources import ensure_tables
from cli.messages import add_arguments, run_messages
from core.errors import CommandError
from tests.support.phone import build_settings

NOW = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
LATE = "2999-01-01 00:00:00.000000"
ROW = """
INSERT INTO messages (recipient, text, kind, secret, status, error, due_at, not_after, idempotency_key, created_at, updated_at)
VALUES ('+8801711000001', ?, 'receipt', 0, ?, 'NoAnswerInTime', ?, ?, ?, ?, ?)
"""


@pytest.fixture
async def settings(tmp_path):
    settings = build_settings(tmp_path)
    await ensure_tables(settings)
    await open_cipher(settings)  # the key of the database, before there are rows
    rows = ((b"sealed", "unknown"), (b"sealed", "sent"), (None, "unknown"), (b"sealed", "unknown"))
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        for place, (text, status) in enumerate(rows):
            database.execute(ROW, (text, status, NOW, LATE, f"s:{place}", NOW, NOW))
    return settings


@pytest.fixture
def run_command(settings):
    """Run the command in a thread, because it has an event loop of its own; return its output."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    async def run(*arguments):
        with redirect_stdout(io.StringIO()) as output:
            await asyncio.to_thread(run_messages, settings, parser.parse_args(arguments))
        return output.getvalue()

    return run


def read(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        return database.execute(statement).fetchall()


async def test_unknown_messages_are_listed_with_masked_recipients(run_command):
    lines = (await run_command("list")).splitlines()
    assert [line.split()[:4] for line in lines] == [[one, "receipt", "sms", "…001"] for one in ("1", "3", "4")]
    assert all(line.endswith("NoAnswerInTime") for line in lines)
    assert "+880" not in "".join(lines)


async def test_a_long_list_is_read_in_parts(run_command):
    first = (await run_command("list", "--limit", "2")).splitlines()
    assert first[-1] == "There may be more: messages list --after 3"
    assert [line.split()[0] for line in (await run_command("list", "--after", "3")).splitlines()] == ["4"]


@pytest.mark.parametrize("resolution", ["sent", "failed"])
async def test_a_message_is_settled_once_and_audited_with_a_reason(run_command, tmp_path, resolution):
    assert await run_command("settle", "1", resolution, "--why", "provider", "--by", "rahim") == ""
    assert read(tmp_path, "SELECT status FROM messages WHERE id = 1") == [(resolution,)]
    assert read(tmp_path, "SELECT actor_kind, actor, act, subject_kind, subject, channel, details FROM audit") == [
        (
            *("staff", "rahim", "message_settled", "message", "1", "terminal"),
            f'{{"reason": "provider", "resolution": "{resolution}"}}',
        )
    ]
    with pytest.raises(CommandError, match="There is no message 1 with an unknown result; messages list lists them"):
        await run_command("settle", "1", resolution, "--why", "provider")
    assert read(tmp_path, "SELECT count(*) FROM audit") == [(1,)]


async def test_a_message_is_sent_again_while_it_has_its_text(run_command, tmp_path):
    await run_command("settle", "1", "again", "--why", "outage")
    assert read(tmp_path, "SELECT status FROM messages WHERE id = 1") == [("queued",)]
    with pytest.raises(
        CommandError, match="The text of message 3 is deleted or too late to send; settle it as sent or"
    ):
        await run_command("settle", "3", "again", "--why", "outage")


@pytest.mark.parametrize(
    "arguments",
    [
        ("settle", "1", "sent"),
        ("settle", "1", "perhaps", "--why", "provider"),
        ("settle", "0", "sent", "--why", "outdated"),
        ("settle", "1", "sent", "--why", "because"),
        ("list", "--limit", "0"),
    ],
)
async def test_invalid_arguments_are_reported(run_command, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        await run_command(*arguments)
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err


# Texts to register, and refused ones ------------------------------------------------------------------------------------

REFUSED = "INSERT INTO refused_templates VALUES ('moved.hi', '1107161234567890123', 'DltScrubbing', ?)"
WAITING = (
    "UPDATE messages SET status = 'queued', due_at = not_after, template = 'moved', form = 'hi' WHERE id IN (1, 4)"
)


@pytest.fixture
def refuse(settings, tmp_path):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        database.execute(REFUSED, (NOW,))
        database.execute(WAITING)


@pytest.mark.usefixtures("refuse")
async def test_a_refused_text_is_listed_with_how_many_wait(run_command):
    assert (await run_command("list")).splitlines()[1:] == [
        "refused moved.hi (id 1107161234567890123) DltScrubbing: 2 wait, the first until 2999-01-01 00:00"
    ]


@pytest.mark.usefixtures("refuse")
async def test_a_text_that_is_mended_is_released_with_a_reason(run_command, tmp_path):
    await run_command("release", "moved.hi", "--why", "the portal shows it again", "--by", "rahim")
    assert read(tmp_path, "SELECT id FROM messages WHERE status = 'queued' AND due_at < not_after") == [(1,), (4,)]
    assert read(tmp_path, "SELECT actor, act, subject, details FROM audit") == [
        ("rahim", "template_released", "moved.hi", '{"reason": "the portal shows it again"}')
    ]
    with pytest.raises(
        CommandError, match=r"No messages of 'moved\.hi' wait because it is refused; messages list shows"
    ):
        await run_command("release", "moved.hi", "--why", "again")


async def test_the_texts_to_register_are_written_without_a_database(run_command, tmp_path):
    sheet = tmp_path / "sheet.csv"
    said = await run_command("templates", "--country", "IN", "--output", str(sheet))
    rows = list(csv.DictReader(sheet.read_text("utf-8-sig").splitlines(keepends=True)))
    assert said == f"{sheet}: {len(rows)} texts\n"
    assert {"moved.hi", "received-due-to_pay_at.en", "code.hi_Latn"} <= {row["name"] for row in rows}
    assert (await run_command("templates", "--country", "IN")).count("\nmoved.hi,") == 1
    with pytest.raises(CommandError, match="cannot be written: No such file or directory; name another file"):
        await run_command("templates", "--country", "IN", "--output", str(tmp_path / "no" / "sheet.csv"))
