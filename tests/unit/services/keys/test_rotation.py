"""Every encrypted value of every table gets the new key, while others write, and after a rotation that was killed."""

import asyncio
import contextlib
import signal
import subprocess
import sys

import pytest
from sqlalchemy import LargeBinary, Text, func, insert, select, update

from core.crypto import Cipher
from db.database import Database
from db.tables import accounts, encryption_keys, messages, metadata, security_answers
from db.tables.columns import Digest, Encrypted, EncryptedBase64, KeyedHash
from services.citizens.pins import SecretHasher
from services.keys.columns import encrypted_columns, keyed_hash_columns, scan
from services.keys.registry import find_unrecorded_keys, list_recorded_keys, record_keys
from services.keys.rotation import KeyRotation
from services.keys.usage import count_usage
from services.messaging.messages import Messages
from services.messaging.models import Message
from tests.support.program import ROOT, SECRET, WARNING_FLAGS, build_environment, run_program
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, RAHIMA, ServiceSet

FORMER_SECRET = b"a secret of the tests, 32 octets+"  # that of CIPHER
NEW = Cipher(b"the secret that takes its place, long enough", [FORMER_SECRET])
COLUMNS = {column.name: column for column in encrypted_columns()}


def rotation(database, cipher=NEW, **options):
    return KeyRotation(database, cipher, interval=0.05, **options)


async def decrypt_all(database, column, cipher=NEW):
    """Every value of a column in plain text, by primary key."""
    rows = [
        row async for row in scan(database, column.table, [*column.context_columns, column.column], column.has_value)
    ]
    return {
        row[0]: cipher.decrypt(column.read(row._mapping[column.column]), column.context(row)).decode() for row in rows
    }


async def send_sms(database, count, cipher=CIPHER):
    outbox = Messages(database, cipher)
    async with database.transaction() as transaction:
        for number in range(count):
            await outbox.enqueue(transaction, Message(RAHIMA, f"text {number}", "info", f"{cipher.key_id}/{number}"))


def test_every_binary_column_says_whether_it_needs_a_key():
    plain = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and not isinstance(column.type, Encrypted | Digest)
    ]
    assert plain == [], "declare them as Encrypted, which keys rotate encrypts again, or as Digest"


def test_the_types_are_stored_as_before():
    types = {Encrypted("x"): LargeBinary, EncryptedBase64("x"): Text, Digest(): LargeBinary}
    assert all(isinstance(declared.impl_instance, stored) for declared, stored in types.items())
    assert KeyedHash().impl_instance.length == 32


@pytest.mark.parametrize("name", COLUMNS)
async def test_a_value_of_each_column_gets_the_new_key_and_keeps_its_context(database, clock, name):
    column = COLUMNS[name]
    key = await insert_row(database, column.table, clock(), **{column.column.name: column.write(b"not yet")})
    same_row = [it == value for it, value in zip(column.table.primary_key.columns, key, strict=True)]
    row = (await database.fetch(select(column.table).where(*same_row))).one()
    value = column.write(CIPHER.encrypt(b"kept", column.context(row)))
    async with database.transaction() as transaction:
        await transaction.execute(update(column.table).where(*same_row).values({column.column: value}))

    results = {result.name: result for result in await rotation(database).rotate(lambda _: None)}

    assert results[name].rotated == 1
    row = (await database.fetch(select(column.table).where(*same_row))).one()
    stored = column.read(row._mapping[column.column])
    assert stored.startswith(NEW.label)
    assert Cipher(b"the secret that takes its place, long enough").decrypt(stored, column.context(row)) == b"kept"


async def test_values_without_a_key_id_and_empty_ones_are_dealt_with(database, services):
    account = await services.register()
    context = f"account:{RAHIMA}"
    unlabelled = CIPHER.encrypt(b"from before key ids", context)[6:]
    async with database.transaction() as transaction:
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(name=unlabelled))
    results = {one.name: one for one in await rotation(database).rotate(lambda _: None)}
    assert results["accounts.name"].rotated == 1
    assert await decrypt_all(database, COLUMNS["accounts.name"]) == {account: "from before key ids"}

    async with database.transaction() as transaction:
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(name=b""))
    assert not any(one.rotated for one in await rotation(database).rotate(lambda _: None))


async def test_what_no_key_reads_is_counted_and_left(database, clock):
    await insert_row(database, messages, clock(), text=Cipher(bytes(32)).encrypt(b"of nobody", "message:x"))
    results = {one.name: one for one in await rotation(database).rotate(lambda _: None)}
    assert (results["messages.text"].rotated, results["messages.text"].unreadable) == (0, 1)
    assert results["messages.text"].locked == 0


async def test_no_change_of_a_writer_is_lost_while_the_rotation_runs(database, clock, monkeypatch):
    """A gateway with the new secret renames people and queues messages all the while."""
    monkeypatch.setattr("services.keys.columns.SCAN_SIZE", 20)
    names: dict[int, str] = {}
    async with database.transaction() as transaction:
        for number in range(60):
            msisdn = f"+88017110{number:05}"
            row = {
                "msisdn": msisdn,
                "name": CIPHER.encrypt(b"before", f"account:{msisdn}"),
                "language": "bn",
                "pin_hash": "",
                "created_at": clock(),
            }
            names[(await transaction.execute(insert(accounts), row)).inserted_primary_key[0]] = "before"
    await send_sms(database, 100)
    stopped = asyncio.Event()
    with contextlib.closing(SecretHasher(NEW)) as hasher:
        gateway = ServiceSet(database, clock, hasher, NEW)

        async def write():
            turn = 0
            while not stopped.is_set():
                account, turn = list(names)[turn * 7 % len(names)], turn + 1
                async with database.transaction() as transaction:
                    await gateway.accounts.rename_holder(transaction, account, f"name {turn}")
                names[account] = f"name {turn}"
                await gateway.messages.send(Message(RAHIMA, "meanwhile", "info", f"meanwhile/{turn}"))
            return turn

        writer = asyncio.create_task(write())
        while names[1] == "before":  # noqa: ASYNC110 - another task writes
            await asyncio.sleep(0.01)
        results = {one.name: one for one in await rotation(database, batch_size=7).rotate(lambda _: None)}
        stopped.set()
        turns = await writer

    assert await decrypt_all(database, COLUMNS["accounts.name"]) == names
    texts = await decrypt_all(database, COLUMNS["messages.text"])
    assert len(texts) == 100 + turns
    (current, former, *_) = await count_usage(database, NEW)
    assert (former.key_id, former.encrypted.total()) == (CIPHER.key_id, 0)
    assert current.encrypted.total() == len(texts) + len(names)
    assert results["messages.text"].rotated == 100


async def test_a_locked_row_is_left_to_the_next_walk(database, services, clock):
    if database.dialect == "sqlite":
        pytest.skip("SQLite locks no rows: one transaction writes at a time")
    account = await services.register()
    async with database.transaction() as transaction:
        await services.accounts.rename_holder(transaction, account, "still being written")
        running = asyncio.create_task(rotation(database).rotate(lambda _: None))
        await asyncio.sleep(0.1)
        assert not running.done()
    results = {one.name: one for one in await running}
    assert (results["accounts.name"].rotated, results["accounts.name"].locked) == (1, 0)
    assert await decrypt_all(database, COLUMNS["accounts.name"]) == {account: "still being written"}


async def test_pins_that_name_no_key_get_the_id_of_the_oldest_one(database, services, monkeypatch):
    monkeypatch.setattr("services.keys.columns.SCAN_SIZE", 1)
    account = await services.register(pin="4821")
    for column in (accounts.c.pin_hash, security_answers.c.answer_hash):
        async with database.transaction() as transaction:
            await transaction.execute(update(column.table).values({column: func.substr(column, 11)}))
    assert await rotation(database, batch_size=1).label_secret_hashes(CIPHER.key_id) == 3
    signed_in = await services.accounts.sign_in(RAHIMA, "4821", "s2:4", vouched=True)
    assert (signed_in.outcome, signed_in.account) == ("in", account)


def rotate_in_a_process(folder, database_url):
    """`server.py keys rotate` with a new secret beside that of the other tests of the program."""
    values = {
        "KEYS__SECRET": "the secret that takes its place, long enough",
        "KEYS__FORMER": f'["{SECRET}"]',
        "DATABASE__URL": database_url,
    }
    return values, subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, *WARNING_FLAGS, str(ROOT / "server.py"), "keys", "rotate", "--why", "ticket 4711"],
        cwd=folder,
        env=build_environment(folder, **values),
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_a_rotation_that_is_killed_is_continued_by_the_next_one(tmp_path, database, database_url):
    former = Cipher(SECRET.encode())
    await record_keys(database, former, await find_unrecorded_keys(database, former))
    await send_sms(database, 1500, former)
    values, process = rotate_in_a_process(tmp_path, database_url)
    with process:
        assert "encrypted again" in await asyncio.to_thread(process.stdout.readline)
        process.send_signal(signal.SIGKILL)
    both = Cipher(values["KEYS__SECRET"].encode(), [SECRET.encode()])
    current, old, *_ = await count_usage(database, both)
    assert current.encrypted.total()
    assert current.encrypted.total() + old.encrypted.total() == 1500

    again = await asyncio.to_thread(run_program, tmp_path, "keys", "rotate", "--why", "ticket 4711", **values)

    assert again.returncode == 0, again.stderr
    assert f"Key {old.key_id}, a former one: 0 encrypted values" in again.stdout
    assert "no longer needed in the database" in again.stdout
    assert len(await decrypt_all(database, COLUMNS["messages.text"], Cipher(values["KEYS__SECRET"].encode()))) == 1500
    assert await list_recorded_keys(database) == [current.key_id]


async def test_the_canary_of_a_former_key_is_not_encrypted_again(database):
    await record_keys(database, CIPHER, await find_unrecorded_keys(database, CIPHER))
    await record_keys(database, NEW, await find_unrecorded_keys(database, NEW))
    await rotation(database).rotate(lambda _: None)
    rows = (await database.fetch(select(encryption_keys).order_by(encryption_keys.c.created_at))).all()
    assert [row.canary[1:6].hex() for row in rows] == [row.key_id for row in rows] == [CIPHER.key_id, NEW.key_id]


def test_keyed_hashes_are_counted_in_every_table_that_has_one():
    assert {column.table.name for column in keyed_hash_columns()} >= {"links", "bills", "profile_facts"}


async def test_a_database_is_opened_by_one_key_and_remembers_it(database_url):
    async with Database(database_url) as database:
        assert await find_unrecorded_keys(database, CIPHER) == [CIPHER.key_id]
        await record_keys(database, CIPHER, [CIPHER.key_id])
        await record_keys(database, CIPHER, [CIPHER.key_id])
        assert await find_unrecorded_keys(database, CIPHER) == []
