"""The values of `command_status`: names of SMPP 3.4, section 5.1.3, and what each means for a message that was submitted."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from services.messaging.outcomes import Rejected, Retry, SendOutcome, Suspended, Unknown

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RBINDFAIL: Final = 0x0D
RINVPASWD: Final = 0x0E
RINVSYSID: Final = 0x0F
RMSGQFUL: Final = 0x14
RINVSYSTYP: Final = 0x53
RTHROTTLED: Final = 0x58
RX_T_APPN: Final = 0x64
RX_P_APPN: Final = 0x65

OutcomeBuilder = Callable[[str], SendOutcome]
RETRY_UP_TO_FOUR: Final = partial(Retry, max_attempts=4)
PAUSE_ALL: Final = partial(Retry, pauses_all=True)

STATUSES: Final[Mapping[int, tuple[str, OutcomeBuilder]]] = {
    RINVMSGLEN: ("RINVMSGLEN", Rejected),
    RINVCMDLEN: ("RINVCMDLEN", Rejected),
    RINVCMDID: ("RINVCMDID", Suspended),  # the SMSC does not know submit_sm: the account receives only
    0x04: ("RINVBNDSTS", Suspended),  # bound as a receiver
    RALYBND: ("RALYBND", Retry),
    0x06: ("RINVPRTFLG", Rejected),
    0x07: ("RINVREGDLVFLG", Suspended),  # every message has this flag: the setting is wrong for this SMSC
    RSYSERR: ("RSYSERR", RETRY_UP_TO_FOUR),
    0x0A: ("RINVSRCADR", Suspended),  # the sender is not registered: no message of it passes
    0x0B: ("RINVDSTADR", Rejected),
    0x0C: ("RINVMSGID", Rejected),
    RBINDFAIL: ("RBINDFAIL", Retry),
    RINVPASWD: ("RINVPASWD", Suspended),
    RINVSYSID: ("RINVSYSID", Suspended),
    0x11: ("RCANCELFAIL", Rejected),
    0x13: ("RREPLACEFAIL", Rejected),
    RMSGQFUL: ("RMSGQFUL", PAUSE_ALL),
    0x15: ("RINVSERTYP", Suspended),
    0x33: ("RINVNUMDESTS", Rejected),
    0x34: ("RINVDLNAME", Rejected),
    0x40: ("RINVDESTFLAG", Rejected),
    0x42: ("RINVSUBREP", Rejected),
    0x43: ("RINVESMCLASS", Suspended),  # it does not take the header of a long message: the setting is wrong
    0x44: ("RCNTSUBDL", Rejected),
    0x45: ("RSUBMITFAIL", RETRY_UP_TO_FOUR),
    0x48: ("RINVSRCTON", Suspended),
    0x49: ("RINVSRCNPI", Suspended),
    0x50: ("RINVDSTTON", Suspended),
    0x51: ("RINVDSTNPI", Suspended),
    RINVSYSTYP: ("RINVSYSTYP", Suspended),
    0x54: ("RINVREPFLAG", Rejected),
    0x55: ("RINVNUMMSGS", Rejected),
    RTHROTTLED: ("RTHROTTLED", PAUSE_ALL),
    0x61: ("RINVSCHED", Suspended),
    0x62: ("RINVEXPIRY", Suspended),  # the form of validity_period: the setting is wrong
    0x63: ("RINVDFTMSGID", Rejected),
    RX_T_APPN: ("RX_T_APPN", RETRY_UP_TO_FOUR),
    RX_P_APPN: ("RX_P_APPN", Rejected),
    0x66: ("RX_R_APPN", Rejected),
    0x67: ("RQUERYFAIL", Rejected),
    0xC0: ("RINVOPTPARSTREAM", Suspended),  # this and the next four: a vendor's parameter that this SMSC does not take
    0xC1: ("ROPTPARNOTALLWD", Suspended),
    0xC2: ("RINVPARLEN", Suspended),
    0xC3: ("RMISSINGOPTPARAM", Suspended),
    0xC4: ("RINVOPTPARAMVAL", Suspended),
    0xFE: ("RDELIVERYFAILURE", Rejected),
    0xFF: ("RUNKNOWNERR", RETRY_UP_TO_FOUR),
}
"""Outcomes by `command_status`. An SMSC that answers with an error has not taken the message."""

VENDOR_STATUSES: Final = range(0x400, 0x500)


def name_status(status: int) -> str:
    """Return the name of a status, for logs and reasons."""
    if status == ROK:
        return "ROK"
    if status in STATUSES:
        return STATUSES[status][0]
    return "RVENDOR" if status in VENDOR_STATUSES else "RRESERVED"


def outcome_from_status(status: int) -> SendOutcome:
    """Return what an answer other than ROK means for the message.

    A vendor's own status says that the SMSC refused, and not whether it ever will take the message: it is tried again
    a few times. A reserved one says nothing.
    """
    if status in STATUSES:
        name, build = STATUSES[status]
        return build(name)
    return RETRY_UP_TO_FOUR(name_status(status)) if status in VENDOR_STATUSES else Unknown(name_status(status))
