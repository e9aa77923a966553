"""Dialects of USSD over SMPP: a table with one row for each that was met, and rows of an operator from config.toml.

The operations are values of `ussd_service_op` (SMPP 5.0, 4.8.4.64; 3.4 leaves them to the vendor). `its_session_info` is a
number of the session, a sequence of seven bits, and a bit that says that the session has ended. docs/providers/smpp.md says
where each row is from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

PSSD_INDICATION, PSSR_INDICATION, USSR_REQUEST = 0, 1, 2
PSSR_RESPONSE, USSR_CONFIRM, USSN_CONFIRM = 17, 18, 19
VENDOR_END, VENDOR_ABORT = 32, 0x81

SessionField = Literal["session_number", "session_info", "message_reference", "msisdn"]
CodeField = Literal["text", "destination"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One row: which operations say what, and where the session and the dialled code are.

    `session`: the first octet of `its_session_info`, its first 15 bits, `user_message_reference`, or nothing beside the
    number. With `end_flag` the last bit of `its_session_info` says that a session has ended, both ways. `dialled_in` are
    the fields that may have the code, the likeliest first. `answers_first`: the key press is acknowledged after its screen
    was submitted, not at once.
    """

    dials: frozenset[int] = frozenset({PSSD_INDICATION, PSSR_INDICATION})
    answers: frozenset[int] = frozenset({USSR_CONFIRM})
    aborts: frozenset[int] = frozenset()
    confirms: frozenset[int] = frozenset({USSN_CONFIRM})
    goes_on: int = USSR_REQUEST
    ends: int = PSSR_RESPONSE
    session: SessionField = "session_number"
    end_flag: bool = True
    dialled_in: Sequence[CodeField] = ("text", "destination")
    gsm7_coding: int = 0
    answers_first: bool = False


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "standard": Dialect(),
        "mica": Dialect(
            dials=frozenset({PSSR_INDICATION}),
            aborts=frozenset({VENDOR_ABORT}),
            session="message_reference",
            end_flag=False,
            dialled_in=("text",),
        ),
        "sixdee": Dialect(dials=frozenset({PSSR_INDICATION}), aborts=frozenset({VENDOR_ABORT}), session="session_info"),
        "huawei": Dialect(dials=frozenset({PSSR_INDICATION}), session="msisdn", end_flag=False),
        "vendor32": Dialect(ends=VENDOR_END, session="msisdn", end_flag=False),
    }
)
