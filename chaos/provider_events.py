"""What the provider does wrong: callbacks twice, late and cut off; an SMS API that fails; and clocks that jump."""

import asyncio
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from chaos.event import Event
from chaos.gateways import SECRET
from chaos.process_events import do_nothing
from chaos.stage import Stage
from core.crypto import Cipher
from db.database import Database
from services.messaging.messages import Messages
from services.messaging.models import Message
from tests.fakes import africastalking_server as sms
from tests.fakes.africastalking_server import Behaviour, RecordedRequest

STORM: Final[Mapping[str, Behaviour]] = {
    "taken": sms.accept(),
    "429": sms.respond_text(429, "Later"),
    "429 for a second": sms.respond_text(429, "Later", **{"Retry-After": "1"}),
    "500": sms.respond_text(500, "Oops"),
    "taken, then 500": sms.accept_then(sms.respond_text(500, "Oops")),
    "slow": sms.accept_after(1.0),
    "too slow": sms.accept_after(4.0),
    "half an answer": sms.accept_then(sms.drop_connection_midway),
    "taken, then a reset": sms.accept_then(sms.drop_connection),
    "a reset": sms.drop_connection,
    "unreadable": sms.accept_then(sms.respond_json(b'{"SMSMessageData": [')),
    "gateway error": sms.accept(501),
}
STORM_DEADLINE: Final = "2.0"  # seconds for one SMS
HOUR: Final = 3600
QUEUED: Final = 1_000  # SMS that wait when the storm begins


def storm(stage: Stage, seconds: float) -> None:
    """Let the SMS API answer each request in any way, and kill one gateway after the other meanwhile."""
    answers: Counter[str] = Counter()

    def choose(_: RecordedRequest) -> Behaviour:
        name = random.choice(list(STORM))
        answers[name] += 1
        return STORM[name]

    server = stage.sms_api.server
    usual, server.default_behaviour = server.default_behaviour, choose
    asyncio.run(queue_messages(stage))
    for gateway in stage.gateways:
        time.sleep(seconds / (len(stage.gateways) + 1))
        gateway.kill()
        gateway.start()
        gateway.wait_until_ready()
    time.sleep(seconds / (len(stage.gateways) + 1))
    server.default_behaviour = usual
    stage.notes.append(
        f"{QUEUED} more SMS were queued; largest gateway {max(it.resident_megabytes() for it in stage.gateways):.0f} MB"
    )
    stage.notes.append("SMS API: " + ", ".join(f"{name} {count}" for name, count in sorted(answers.items())))


async def queue_messages(stage: Stage) -> None:
    """Queue SMS to as many numbers."""
    async with Database(stage.postgres.build_url(stage.database)) as database, database.transaction() as transaction:
        messages = Messages(database, Cipher(SECRET.encode()))
        for number in range(QUEUED):
            text = Message(f"+88015{number:08}", f"Message {number}", "info", f"storm:{number}")
            await messages.enqueue(transaction, text)


def fail_sms(stage: Stage, seconds: float) -> None:
    """Let the SMS API answer every request with a 500 for the time."""
    server = stage.sms_api.server
    usual, server.default_behaviour = server.default_behaviour, lambda _: sms.respond_text(500, "Oops")
    time.sleep(seconds)
    server.default_behaviour = usual


def move_clock(stage: Stage, seconds: float) -> None:
    """Move the clock of one gateway an hour ahead, then two hours back, then to the right time."""
    if stage.clock_file is None:
        stage.notes.append("not played: libfaketime is not installed (apt-get install faketime)")
        return
    for offset in (HOUR, -HOUR):
        stage.clock_file.write_text(f"{offset:+d}", encoding="ascii")
        time.sleep(seconds / 2)
        stage.notes.append(f"the clock was {read_clock_offset(stage):+.0f} s off")
    stage.clock_file.write_text("+0", encoding="ascii")


def read_clock_offset(stage: Stage) -> float:
    """The seconds by which the first gateway is ahead, by the date of a response; a note says where it is not ready."""
    url = f"http://127.0.0.1:{stage.gateways[0].admin_port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            date = response.headers["Date"]
    except urllib.error.HTTPError as error:
        date = error.headers["Date"]
        stage.notes.append(f"the gateway was not ready: {error.read().decode()}")
    return parsedate_to_datetime(date).timestamp() - time.time()


CALLBACK_PROMISE: Final = "one effect each; a late one moves nothing"
SMS_PROMISE: Final = "bounded memory, drains after; nothing sent twice that might have been sent"
PROVIDER_EVENTS: Final[Mapping[str, Event]] = {
    "callbacks-twice": Event(
        title="every key press twice, to both gateways at once",
        promise=CALLBACK_PROMISE,
        act=do_nothing,
        delivery="twice",
    ),
    "callbacks-late": Event(
        title="an older key press comes once more, after a newer one",
        promise=CALLBACK_PROMISE,
        act=do_nothing,
        delivery="late",
    ),
    "reply-cut-off": Event(
        title="one reply in twelve is cut off, and the caller dials again",
        promise="the same intention is recorded once, whatever the session",
        act=do_nothing,
        seconds=15.0,
        delivery="cut off",
    ),
    "sms-storm": Event(
        title="SMS API: 429, 500, slow, half answers, resets; both gateways killed meanwhile",
        promise=SMS_PROMISE,
        act=storm,
        seconds=12.0,
        settings={"PROVIDERS__AFRICASTALKING__DEADLINE": STORM_DEADLINE},
    ),
    "sms-down": Event(
        title="SMS API answers 500 to everything",
        promise=SMS_PROMISE,
        act=fail_sms,
        settings={"PROVIDERS__AFRICASTALKING__DEADLINE": STORM_DEADLINE},
    ),
    "clock-jumps": Event(
        title="the clock of one gateway jumps an hour ahead, then two back",
        promise="every screen right, every effect once",
        act=move_clock,
        moves_clock=True,
    ),
}
