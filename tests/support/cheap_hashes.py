"""Hash PINs and answers with as little work as Argon2 allows: with the product's parameters each takes 20 ms of a core."""

from typing import Final

from argon2 import PasswordHasher, Type

from services.citizens import pins

PRODUCT_HASHES: Final = {"_ARGON2": pins._ARGON2, "DUMMY_HASH": pins.DUMMY_HASH}
"""What `hash_cheaply` replaces, for the tests of the hashes themselves."""


def hash_cheaply() -> None:
    """From now on, hashes of this process take microseconds; they are Argon2id all the same."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.ID)
    pins._ARGON2, pins.DUMMY_HASH = cheap, cheap.hash("of nobody")
