"""SMS a second from the database to a provider, compared with the SDK and a bare `requests.Session`. `python -m bench.outbox --help`."""

import argparse
import asyncio
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, redirect_stderr
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias

import requests
import uvloop
from africastalking.SMS import SMSService
from aiohttp import ClientSession, DummyCookieJar

from bench.process import pin_to_last_processor, run_server
from core.claim_worker import running_worker
from core.crypto import Cipher
from core.logging import configure_logging
from db.database import Database
from db.migrate import upgrade
from providers.africastalking.sms import AfricasTalkingSms
from services.messaging.messages import Messages
from services.messaging.models import Message, OutgoingMessage
from services.messaging.outbox import Outbox
from services.messaging.provider import Accepted
from tests.support.servers import free_port, new_database, real_postgres

CONCURRENCY = 16  # messages in flight, for every method; the default of sms.concurrency
USERNAME, API_KEY = "sandbox", "the key of a benchmark"
CIPHER = Cipher(bytes(32))
ROUND_TIMEOUT = 120.0  # seconds for one round of one method
FOOTNOTE = """\
× SDK: SMS in the time in which the SDK's own send, in the same number of threads, sends one. The outbox does more than the others:
it claims each SMS in the database before it is sent, decrypts it, and records the result."""


class Plan(NamedTuple):
    """The number of rounds, and of the SMS that each method sends in a round."""

    rounds: int
    messages: int


class SendRate(NamedTuple):
    """The result of one method in one round."""

    per_second: float
    cpu_microseconds: float  # of the sender, for each SMS


Texts: TypeAlias = Sequence[str]
SendMethod: TypeAlias = Callable[[str, Texts], SendRate]
"""Sends each text once to the provider at the address, and returns the rate."""

QUICK = Plan(1, 60)
MSISDNS = (f"+88017{number:08}" for number in count(1))


class WrongCountError(Exception):
    """The provider did not get every SMS exactly once."""


def main() -> None:
    """Measure, and print the table."""
    plan, places = _parse_plan(), pin_to_last_processor()
    _log_to_devnull()
    port = free_port()
    with run_server(["-m", "bench.provider", str(port)], {}, port), open_send_methods() as (named, database):
        seen = measure(named, f"http://127.0.0.1:{port}", plan)
    total = plan.rounds * plan.messages * len(seen)
    print(f"{CONCURRENCY} in flight, {plan.rounds} rounds of {plan.messages} SMS, medians; {places}")
    print(
        f"PostgreSQL: {database}; {total:,} SMS, each of them taken exactly once\n\n{render_table(seen)}\n\n{FOOTNOTE}"
    )


def _log_to_devnull() -> None:
    """Log like the gateway, with its cost, but to the null device."""
    with redirect_stderr(Path(os.devnull).open("w")):
        configure_logging("info")


@contextmanager
def open_send_methods() -> Iterator[tuple[Mapping[str, SendMethod], str]]:
    """Yield every method by name, that of the SDK first, and a description of the PostgreSQL server."""
    with ExitStack() as stack:
        postgres = stack.enter_context(real_postgres())
        var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
        databases = {
            "SQLite": f"sqlite+aiosqlite:///{var}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(postgres)),
        }
        outboxes: Mapping[str, SendMethod] = {
            f"Ekdial's outbox, rows in {name}": partial(send_with_outbox, url) for name, url in databases.items()
        }
        for url in databases.values():
            uvloop.run(upgrade(url))
        alone: Mapping[str, SendMethod] = {
            "the SDK's send, in threads": send_with_sdk,
            "requests.Session, one for each thread": send_with_requests,
            "Ekdial's provider, without rows": send_with_provider,
        }
        yield {**alone, **outboxes}, postgres.description


def measure(methods: Mapping[str, SendMethod], provider: str, plan: Plan) -> Mapping[str, Sequence[SendRate]]:
    """Return the rates of each method, measured in turn, so that a busy minute of the machine affects all of them.

    Raises:
        WrongCountError: An SMS was not sent, or sent twice.
    """
    seen: dict[str, list[SendRate]] = {name: [] for name in methods}
    for number in range(-1, plan.rounds):
        for name, way in methods.items():
            texts = [f"{name}, round {number}, message {message}" for message in range(plan.messages)]
            sent = way(f"{provider}/version1", texts)
            counts = requests.get(f"{provider}/counts", timeout=10).json()
            if counts != {"requests": len(texts), "different": len(texts)}:
                raise WrongCountError(f"{name} was to send {len(texts)}; the provider got {counts}")
            if number >= 0:  # the first round warms up
                seen[name].append(sent)
    return seen


def send_with_sdk(url: str, texts: Texts) -> SendRate:
    """Send with the unchanged SDK; its own tests set `_baseUrl` too."""
    service = SMSService(USERNAME, API_KEY)
    service._baseUrl = url  # noqa: SLF001

    def send(text: str, to: str) -> None:
        assert service.send(text, [to])["SMSMessageData"]["Recipients"][0]["statusCode"] == 101

    return _send_in_threads(send, texts)


def send_with_requests(url: str, texts: Texts) -> SendRate:
    """Send the form of the SDK with `requests`, each thread on its own connection."""
    mine = threading.local()

    def send(text: str, to: str) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        form = {"username": USERNAME, "to": to, "message": text, "bulkSMSMode": 1}
        headers = {"apiKey": API_KEY, "Accept": "application/json"}
        answer = mine.session.post(f"{url}/messaging", data=form, headers=headers, timeout=10)
        assert answer.json()["SMSMessageData"]["Recipients"][0]["statusCode"] == 101

    return _send_in_threads(send, texts)


def send_with_provider(url: str, texts: Texts) -> SendRate:
    """Send with the provider of the outbox, without a database."""

    async def send() -> SendRate:
        async with _open_provider(url) as provider:
            waiting = iter(zip(texts, MSISDNS, strict=False))

            async def sender() -> None:
                for text, to in waiting:
                    assert isinstance(await provider.send(OutgoingMessage(to, text)), Accepted)

            with _time_sending(len(texts)) as sent:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(CONCURRENCY):
                        senders.create_task(sender())
        return sent()

    return uvloop.run(send())


def send_with_outbox(database_url: str, url: str, texts: Texts) -> SendRate:
    """Send stored messages and record the results, as the gateway does."""

    async def send() -> SendRate:
        async with Database(database_url) as records, _open_provider(url) as provider:
            rows = Messages(records, CIPHER)
            async with records.transaction() as transaction:
                for text, to in zip(texts, MSISDNS, strict=False):
                    await rows.enqueue(transaction, Message(to, text, "info", text))
            outbox = Outbox(rows, provider, worker="bench", concurrency=CONCURRENCY)
            with _time_sending(len(texts)) as sent:
                async with asyncio.timeout(ROUND_TIMEOUT), running_worker(outbox):
                    while True:
                        depth = await rows.depth()
                        if depth.queued == depth.sending == 0:
                            break
                        await asyncio.sleep(0.005)
        return sent()

    return uvloop.run(send())


@asynccontextmanager
async def _open_provider(url: str) -> AsyncIterator[AfricasTalkingSms]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        yield AfricasTalkingSms(http, USERNAME, API_KEY, base_url=url)


def _send_in_threads(send: Callable[[str, str], None], texts: Texts) -> SendRate:
    with _time_sending(len(texts)) as sent, ThreadPoolExecutor(CONCURRENCY) as threads:
        for done in [threads.submit(send, text, to) for text, to in zip(texts, MSISDNS, strict=False)]:
            done.result()
    return sent()


@contextmanager
def _time_sending(messages: int) -> Iterator[Callable[[], SendRate]]:
    """Time the block; afterwards the yielded function returns the rate."""
    began, used = time.perf_counter(), time.process_time()
    ended: list[SendRate] = []
    yield lambda: ended[0]
    took, used = time.perf_counter() - began, time.process_time() - used
    ended.append(SendRate(messages / took, used / messages * 1e6))


def render_table(results: Mapping[str, Sequence[SendRate]]) -> str:
    """Return a table of medians over the rounds. A ratio is the median of the ratios of each round, because rounds drift together."""
    sdk = next(iter(results.values()))
    rows = ["| method | SMS/s | × SDK | CPU µs an SMS |", "|---|---:|---:|---:|"]
    for name, rounds in results.items():
        ratio = median(one.per_second / other.per_second for one, other in zip(rounds, sdk, strict=True))
        rate, cpu = median(one.per_second for one in rounds), median(one.cpu_microseconds for one in rounds)
        rows.append(f"| {name} | {rate:,.0f} | {ratio:.2f} | {cpu:.0f} |")
    return "\n".join(rows)


def _parse_plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.outbox", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=1000, help="that each way sends in each round")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, to see that each SMS is sent exactly once"
    )
    asked = parser.parse_args()
    return QUICK if asked.quick else Plan(asked.rounds, asked.messages)


if __name__ == "__main__":
    main()
