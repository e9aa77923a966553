"""Fit the connections of a process to the files it may open: stores, providers and the admin server keep their part."""

from typing import Final

import structlog

from config.settings import Settings

BASE_FILES: Final = 24
"""Files that an idle process has open besides those of its database: measured 18 on Linux with uvloop."""
DATABASE_FILES: Final = 36
"""SQLite opens three files for each of 12 connections, PostgreSQL a socket."""
REDIS_FILES: Final = 18
"""Connections of the client's pool (`sessions.redis_store.MAX_CONNECTIONS`) and those of the batches."""
REDIS_CLUSTER_FACTOR: Final = 4  # each node has connections of its own; most clusters have three masters
CLIENT_FILES: Final = 32
"""Connections to wallets, billers, issuers and the check of SIM swaps, which key presses cause."""
ADMIN_CONNECTIONS: Final = 16
"""Connections to the admin server: a few balancers and Prometheus."""
SPARE_FILES: Final = 16
"""Below the limit no connection is accepted, whatever has taken the rest, so that a store can be reached again."""
MIN_CONNECTIONS: Final = 16

log = structlog.get_logger()


def fit_connections(settings: Settings) -> Settings:
    """Raise the limit of open files of this process, and return the settings with as many connections as it leaves.

    Where the system does not allow enough files, the log says so, and `max_connections` is lowered; one address gets
    half of them at most.
    """
    wanted, others = settings.server.max_connections, count_other_files(settings)
    allowed = raise_file_limit(wanted + others)
    if allowed is None or allowed >= wanted + others:
        return settings
    fitting = min(max(allowed - others, MIN_CONNECTIONS), wanted)
    log.warning("open_files_limit_too_low", allowed=allowed, needed=wanted + others, max_connections=fitting)
    server = settings.server
    per_address = min(server.max_connections_per_address, max(fitting // 2, 1))
    limits = {"max_connections": fitting, "max_connections_per_address": per_address}
    return settings.model_copy(update={"server": server.model_copy(update=limits)})


def count_other_files(settings: Settings) -> int:
    """The largest number of files that a process with these settings has open besides the connections to it."""
    redis = 0 if settings.redis.is_embedded else REDIS_FILES * (REDIS_CLUSTER_FACTOR if settings.redis.cluster else 1)
    departments = sum(one.concurrency + 1 for one in settings.departments.values())  # 1: the check of its health
    senders = settings.sms.concurrency + settings.mail.concurrency + departments
    return BASE_FILES + DATABASE_FILES + redis + CLIENT_FILES + senders + ADMIN_CONNECTIONS + SPARE_FILES


def raise_file_limit(count: int) -> int | None:
    """Raise the limit of open files to `count` or to what the system allows. Returns the limit; None where there is none."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft < count:
        soft = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def highest_connection_descriptor() -> int | None:
    """The highest descriptor that a connection may have; None where the number of files is unlimited.

    The system gives the lowest descriptor that is free, so a higher one means that nearly all files are open.
    """
    limit = raise_file_limit(0)
    return None if limit is None else limit - SPARE_FILES
