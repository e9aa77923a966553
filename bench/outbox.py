"""SMS a second from rows to a provider, beside the SDK's own `send` and a bare `requests.Session`; `python -m bench.outbox --help`."""

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

from bench.process import keep_off, running
from sealing import Seal
from server import log_as
from services.messages import Message, Messages
from services.records.database import Records
from services.records.migrate import upgrade
from sms.outbox import Outbox, at_work
from sms.provider import Accepted
from sms.providers.africastalking import AfricasTalking
from tests.servers import free_port, new_database, real_postgres

PARALLEL = 16  # in the air at once, each way; what config.toml has
USERNAME, KEY = "sandbox", "the key of a benchmark"
SEAL = Seal(bytes(32))
TAKES_AT_MOST = 120.0  # seconds for one round of one way
NOTE = """\
× SDK: SMS in the time in which the SDK's own send, in as many threads, sends one. The outbox does more than the others:
it claims each SMS in the database before it is sent, opens its seal, and notes afterwards how its send ended."""


class Plan(NamedTuple):
    """Rounds, and how many SMS each way sends in each of them."""

    rounds: int
    messages: int


class Sent(NamedTuple):
    """What one way did in one round."""

    a_second: float
    cpu: float  # microseconds of the sender's for each SMS


Texts: TypeAlias = Sequence[str]
Way: TypeAlias = Callable[[str, Texts], Sent]
"""Sends each text once, to the provider at this address; what it did."""

QUICK = Plan(1, 60)
NUMBERS = (f"+88017{number:08}" for number in count(1))


class WrongCount(Exception):
    """The provider did not get every SMS exactly once."""


def main() -> None:
    """Measure, and print the table."""
    plan, places = _asked(), keep_off()
    _log_to_nowhere()
    port = free_port()
    with running(["-m", "bench.provider", str(port)], {}, port), ways() as (named, database):
        seen = measured(named, f"http://127.0.0.1:{port}", plan)
    total = plan.rounds * plan.messages * len(seen)
    print(f"{PARALLEL} in the air, {plan.rounds} rounds of {plan.messages} SMS, medians; {places}")
    print(f"PostgreSQL: {database}; {total:,} SMS, each of them taken exactly once\n\n{table(seen)}\n\n{NOTE}")


def _log_to_nowhere() -> None:
    """As the gateway logs, with all that this costs but the reading of it."""
    with redirect_stderr(Path(os.devnull).open("w")):
        log_as("info")


@contextmanager
def ways() -> Iterator[tuple[Mapping[str, Way], str]]:
    """Every way by its name, that of the SDK first; and in words, which PostgreSQL there is."""
    with ExitStack() as stack:
        postgres = stack.enter_context(real_postgres())
        var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
        databases = {
            "SQLite": f"sqlite+aiosqlite:///{var}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(postgres)),
        }
        outboxes: Mapping[str, Way] = {
            f"Ekdial's outbox, rows in {name}": partial(by_outbox, url) for name, url in databases.items()
        }
        for url in databases.values():
            uvloop.run(upgrade(url))
        alone: Mapping[str, Way] = {
            "the SDK's send, in threads": by_sdk,
            "requests.Session, one for each thread": by_sessions,
            "Ekdial's provider, without rows": by_provider,
        }
        yield {**alone, **outboxes}, postgres.described


def measured(named: Mapping[str, Way], provider: str, plan: Plan) -> Mapping[str, Sequence[Sent]]:
    """Way after way in each round, so that a busy minute of the machine falls on all of them.

    Raises:
        WrongCount: an SMS was not sent, or sent twice.
    """
    seen: dict[str, list[Sent]] = {name: [] for name in named}
    for number in range(-1, plan.rounds):
        for name, way in named.items():
            texts = [f"{name}, round {number}, message {message}" for message in range(plan.messages)]
            sent = way(f"{provider}/version1", texts)
            heard = requests.get(f"{provider}/heard", timeout=10).json()
            if heard != {"requests": len(texts), "different": len(texts)}:
                raise WrongCount(f"{name} was to send {len(texts)}; the provider heard {heard}")
            if number >= 0:  # the first round is for warming up
                seen[name].append(sent)
    return seen


def by_sdk(url: str, texts: Texts) -> Sent:
    """The SDK as it is, `_baseUrl` being what its own tests set."""
    service = SMSService(USERNAME, KEY)
    service._baseUrl = url  # noqa: SLF001

    def send(text: str, to: str) -> None:
        assert service.send(text, [to])["SMSMessageData"]["Recipients"][0]["statusCode"] == 101

    return _in_threads(send, texts)


def by_sessions(url: str, texts: Texts) -> Sent:
    """The same form by hand, each thread on a connection that it keeps."""
    mine = threading.local()

    def send(text: str, to: str) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        form = {"username": USERNAME, "to": to, "message": text, "bulkSMSMode": 1}
        headers = {"apiKey": KEY, "Accept": "application/json"}
        answer = mine.session.post(f"{url}/messaging", data=form, headers=headers, timeout=10)
        assert answer.json()["SMSMessageData"]["Recipients"][0]["statusCode"] == 101

    return _in_threads(send, texts)


def by_provider(url: str, texts: Texts) -> Sent:
    """What the outbox sends with, without an outbox."""

    async def send() -> Sent:
        async with _provider(url) as provider:
            waiting = iter(zip(texts, NUMBERS, strict=False))

            async def sender() -> None:
                for text, to in waiting:
                    assert isinstance(await provider.send(to, text), Accepted)

            with _watch(len(texts)) as sent:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(PARALLEL):
                        senders.create_task(sender())
        return sent()

    return uvloop.run(send())


def by_outbox(database: str, url: str, texts: Texts) -> Sent:
    """From rows that are there to rows that say that they were sent."""

    async def send() -> Sent:
        async with Records(database) as records, _provider(url) as provider:
            rows = Messages(records, SEAL)
            async with records.transaction() as transaction:
                for text, to in zip(texts, NUMBERS, strict=False):
                    await rows.queue(transaction, Message(to, text, "info", text))
            outbox = Outbox(rows, provider, worker="bench", parallel=PARALLEL)
            with _watch(len(texts)) as sent:
                async with asyncio.timeout(TAKES_AT_MOST), at_work(outbox):
                    while True:
                        depth = await rows.depth()
                        if depth.queued == depth.sending == 0:
                            break
                        await asyncio.sleep(0.005)
        return sent()

    return uvloop.run(send())


@asynccontextmanager
async def _provider(url: str) -> AsyncIterator[AfricasTalking]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        yield AfricasTalking(http, USERNAME, KEY, base_url=url)


def _in_threads(send: Callable[[str, str], None], texts: Texts) -> Sent:
    with _watch(len(texts)) as sent, ThreadPoolExecutor(PARALLEL) as threads:
        for done in [threads.submit(send, text, to) for text, to in zip(texts, NUMBERS, strict=False)]:
            done.result()
    return sent()


@contextmanager
def _watch(messages: int) -> Iterator[Callable[[], Sent]]:
    """Times what is done inside; afterwards it tells."""
    began, used = time.perf_counter(), time.process_time()
    ended: list[Sent] = []
    yield lambda: ended[0]
    took, used = time.perf_counter() - began, time.process_time() - used
    ended.append(Sent(messages / took, used / messages * 1e6))


def table(seen: Mapping[str, Sequence[Sent]]) -> str:
    """Medians over the rounds. A ratio is the median of what it was in each round, for rounds drift together."""
    sdk = next(iter(seen.values()))
    rows = ["| way | SMS/s | × SDK | CPU µs an SMS |", "|---|---:|---:|---:|"]
    for name, rounds in seen.items():
        ratio = median(one.a_second / other.a_second for one, other in zip(rounds, sdk, strict=True))
        rate, cpu = median(one.a_second for one in rounds), median(one.cpu for one in rounds)
        rows.append(f"| {name} | {rate:,.0f} | {ratio:.2f} | {cpu:.0f} |")
    return "\n".join(rows)


def _asked() -> Plan:
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
