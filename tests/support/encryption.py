"""Whether what tests encrypt is declared by a column, so that `keys rotate` finds it."""

import re

from services.keys.columns import encrypted_columns

# What is encrypted and not stored in the database.
ELSEWHERE = (
    r"ek:s:\{[0-9a-f]{32}\} \d+",  # sessions in Redis, for minutes
    r"ek:canary",
    r"key:[0-9a-f]{10}",  # the canaries in the table of keys
    r"cursor:.*",  # of a page of the API, in the hands of its client
    r"helpdesk reference",  # in the address of a page of the console
)


def build_pattern():
    """What matches the associated data of every encrypted column, and of what is stored elsewhere."""
    declared = [re.sub(r"\{\w+\}", ".+", one.column.type.associated_data) for one in encrypted_columns()]
    return re.compile("|".join([*declared, *ELSEWHERE]), re.DOTALL)


def check_encrypted_contexts(monkeypatch):
    """Fail where something is encrypted under associated data that no column declares."""
    from core.crypto import Cipher

    encrypt, is_declared = Cipher.encrypt, build_pattern().fullmatch

    def checked(self, plaintext, context):
        assert is_declared(context), f"no column declares {context!r}: declare it as Encrypted, or name it in ELSEWHERE"
        return encrypt(self, plaintext, context)

    monkeypatch.setattr(Cipher, "encrypt", checked)
