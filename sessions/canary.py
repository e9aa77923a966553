"""A known encrypted value in Redis, so that two gateways with different keys on one Redis are noticed at their start."""

from datetime import timedelta
from typing import Final, cast

import structlog
from redis.exceptions import RedisError

from core.crypto import Cipher, DecryptionError, read_key_id
from core.logging import error_facts
from sessions.redis_store import Client

REDIS_KEY: Final = "ek:canary"
CANARY: Final = b"ekdial"
CANARY_TTL: Final = timedelta(days=30)
"""Each start renews it; what Redis has of a gateway that stopped before that is gone."""

log = structlog.get_logger()


async def find_missing_key(client: Client, cipher: Cipher) -> str | None:
    """The id of the key that Redis has values of and that is not given; None where every key is given, or Redis is down."""
    try:
        stored = cast("bytes | None", await client.get(REDIS_KEY))
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("redis_key_not_checked", **error_facts(error))
        return None
    try:
        if stored is not None:
            cipher.decrypt(stored, REDIS_KEY)
    except DecryptionError:
        return read_key_id(stored or b"")
    return None


async def write_canary(client: Client, cipher: Cipher) -> None:
    """Leave the current key's value in Redis, where Redis can be reached."""
    try:
        await client.set(REDIS_KEY, cipher.encrypt(CANARY, REDIS_KEY), ex=CANARY_TTL)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("redis_key_not_checked", **error_facts(error))
