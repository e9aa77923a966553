"""The former secrets that cannot hold: too short, there twice, or not to be told from another by the id of their key."""

from collections.abc import Iterator
from itertools import combinations

from config.settings import Contradiction, Settings
from config.types import MIN_SECRET_LENGTH
from core.crypto import HASH_LABEL_DIGITS, derive_key_id


def check_former_secrets(settings: Settings) -> Iterator[Contradiction]:
    """Yield what is wrong with `keys.former`. A former secret may be weak: what it encrypted must still be read."""
    secret, former = settings.keys.secret.get_secret_value(), settings.keys.former_secrets
    if any(len(one) < MIN_SECRET_LENGTH for one in former):
        yield (
            ("keys", "former"),
            f"a secret in it has fewer than {MIN_SECRET_LENGTH} characters",
            "give each as it was in keys.secret, one a line in the file",
        )
    if secret in former:
        yield ("keys", "former"), "keys.secret is among them", "take it out: it is read with anyway"
    elif len(set(former)) < len(former):
        yield ("keys", "former"), "a secret is there twice", "give each once"
    elif _have_equal_key_ids([secret, *former]):
        yield (
            ("keys", "secret"),
            "the id of its key is that of a former secret by chance",
            "give another one: python server.py keys generate-secret prints a fresh one",
        )


def _have_equal_key_ids(secrets: list[str]) -> bool:
    labels = [derive_key_id(secret.encode())[:HASH_LABEL_DIGITS] for secret in secrets if secret]
    return any(first == second for first, second in combinations(labels, 2))
