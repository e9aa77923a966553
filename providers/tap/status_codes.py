"""hSenid TAP: every status code with its name, and what it means for an SMS and for a screen.

The platform answers HTTP 200 for failures; the code in the body decides. Codes, and which of four classes each belongs to
(configuration, client, state of the subscriber, transient), are from the vendor's reference pages. What follows from them is
our judgement: nothing here was tried on a live platform.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

ScreenOutcome: TypeAlias = Literal["shown", "not_now", "call_over", "not_allowed", "malformed", "unclear"]
"""What became of a screen that was pushed.

`shown`: the platform took it. `not_now`: it did not, and may a moment later. `call_over`: this caller cannot be shown
anything. `not_allowed`: an operator of the gateway must mend the account. `malformed`: the request was wrong.
`unclear`: it may have been shown.
"""
OutcomeBuilder: TypeAlias = Callable[[str], SendOutcome]


class StatusCode(NamedTuple):
    """The name of a code, the outcome of an SMS, and the outcome of a screen."""

    name: str
    sms: OutcomeBuilder
    screen: ScreenOutcome


StatusCodes: TypeAlias = Mapping[str, StatusCode]

RETRY_FEW: Final = partial(Retry, max_attempts=4)
"""It may have been sent, or may never be: few attempts."""
RETRY_LATER: Final = partial(Retry, pauses_all=True)
HELD: Final = partial(Unknown, needs_attention=True)
"""The platform keeps the message until its administrator has looked at it."""

SUCCESS: Final = "S1000"


def _mend(name: str) -> StatusCode:
    """The account or its provisioning is wrong: nothing more is sent before a person has mended it."""
    return StatusCode(name, Suspended, "not_allowed")


def _refuse(name: str) -> StatusCode:
    """This request is wrong, and stays so."""
    return StatusCode(name, Rejected, "malformed")


def _turn_away(name: str) -> StatusCode:
    """This subscriber cannot be reached."""
    return StatusCode(name, Rejected, "call_over")


def _try_again(name: str) -> StatusCode:
    """The platform failed."""
    return StatusCode(name, RETRY_FEW, "not_now")


STATUS_CODES: Final[StatusCodes] = {
    SUCCESS: StatusCode("Success", Accepted, "shown"),
    "P1003": StatusCode("Pending", Unknown, "malformed"),
    "E1301": _mend("ApplicationNotAllowed"),
    "E1302": _mend("ServiceProviderNotAllowed"),
    "E1303": _mend("AddressNotAllowed"),
    "E1304": _mend("ApplicationNotFound"),
    "E1305": _mend("ApplicationIdInvalid"),
    "E1306": _mend("RoutingKeyInvalid"),
    "E1307": _mend("ServiceProviderNotFound"),
    "E1308": _refuse("ChargingFailed"),
    "E1309": _mend("ServiceNotAllowed"),
    "E1310": _mend("InboundNotAllowed"),
    "E1311": _mend("OutboundNotAllowed"),
    "E1312": _refuse("InvalidRequest"),
    "E1313": _mend("AuthenticationFailed"),
    "E1315": _mend("ServiceNotAvailable"),
    "E1316": StatusCode("ApplicationUnavailable", RETRY_LATER, "not_now"),
    "E1317": _turn_away("NumberInvalidState"),
    "E1318": StatusCode("ApplicationUnavailable", RETRY_LATER, "not_now"),
    "E1319": StatusCode("ApplicationUnavailable", RETRY_LATER, "not_now"),
    "E1322": _mend("SenderNotAllowed"),
    "E1323": _turn_away("RecipientNotAllowed"),  # of the class configuration; others may be allowed
    "E1324": _mend("SubscriptionByHttpNotAllowed"),
    "E1325": _refuse("AddressInvalid"),
    "E1326": StatusCode("InsufficientBalance", RETRY_FEW, "call_over"),  # of the subscriber, who may top up
    "E1327": _mend("ApplicationNotAllowedForPayments"),
    "E1328": _mend("ChargingNotAllowed"),
    "E1329": _mend("ChargeTooHigh"),
    "E1330": _mend("ChargeTooLow"),
    "E1331": _mend("SourceAddressNotAllowed"),
    "E1332": _try_again("DeliveryFailed"),
    "E1333": StatusCode("HeldForApproval", HELD, "not_allowed"),
    "E1334": _refuse("MessageTooLong"),
    "E1335": _refuse("AdvertisementTooLong"),
    "E1336": _mend("NoServiceCodeForCharge"),
    "E1337": _turn_away("SubscriberNotAuthenticated"),
    "E1340": _refuse("InvalidRequest"),
    "E1341": _try_again("DeliveryFailedForAll"),
    "E1342": _turn_away("NumberBlacklisted"),
    "E1343": _turn_away("NumberNotWhitelisted"),
    "E1344": StatusCode("InsufficientBalance", RETRY_FEW, "call_over"),
    "E1351": _turn_away("AlreadyRegistered"),
    "E1356": _turn_away("NotRegistered"),
    "E1357": _turn_away("NotAuthorized"),
    "E1360": _try_again("GatewayError"),
    "E1361": _refuse("GatewayRejected"),
    "E1362": _refuse("InvalidRequest"),
    "E1363": StatusCode("GatewayDidNotAnswer", Unknown, "unclear"),  # it may have sent it
    "E1364": _try_again("GatewayNotReached"),
    "E1365": _turn_away("SubscriptionRequired"),
    "E1366": _try_again("DeliveryFailed"),
    "E1367": _refuse("QosNotSupported"),
    "E1368": _refuse("ServiceTypeNotSupported"),
    "E1370": _refuse("ReservationInvalid"),
    "E1371": _mend("PaymentInstrumentNotAccepted"),
    "E1372": _turn_away("NoPaymentInstrument"),
    "E1373": _turn_away("PayerAccountInvalid"),
    "E1374": _refuse("PayeeAccountInvalid"),
    "E1375": _refuse("TransferNotAllowed"),
    "E1376": _refuse("UnknownChargingError"),
    "E1377": _refuse("PaymentInstrumentInvalid"),
    "E1378": StatusCode("InsufficientBalance", RETRY_FEW, "call_over"),
    "E1379": StatusCode("AlreadyCompleted", Unknown, "malformed"),
    "E1380": _refuse("CurrencyNotSupported"),
    "E1381": _mend("AddressNotAllowedForService"),
    "E1382": _turn_away("PaymentInstrumentNotAllowed"),
    "E1383": _mend("StartingCallsNotAllowed"),
    "E1384": _turn_away("InternationalSmsDisabled"),  # of the class configuration; numbers at home are reached
    "E1387": _mend("MerchantNotFound"),
    "E1400": _try_again("CardManagementUnavailable"),
    "E1401": _refuse("CardTokenInvalid"),
    "E1402": _refuse("CardTokenMismatch"),
    "E1404": _refuse("ChargingFailed"),
    "E1405": _turn_away("ChargingAuthorizationTimedOut"),
    "E1406": _turn_away("ChargingAuthorizationRejected"),
    "E1600": StatusCode("ApplicationUnavailable", RETRY_LATER, "not_now"),
    "E1601": _try_again("UnexpectedError"),
    "E1602": _try_again("DeliveryFailed"),
    "E1603": _try_again("TemporaryError"),
    "E1605": _refuse("ChargingRequestInvalid"),
    "E1606": _refuse("ChargingAmountInvalid"),
    "E1825": _refuse("OperationNotSupported"),
    "E1830": _turn_away("NotForThisNetwork"),
    "E1850": _refuse("CodeInvalid"),
    "E1851": _refuse("CodeExpired"),
    "E1852": _refuse("CodeAttemptsExceeded"),
    "E1853": _refuse("CodeNotRequested"),
    "E1855": _refuse("ReferenceInvalid"),
    "E1856": _refuse("InvalidRequest"),
}
"""As bdapps and Ideamart document them, with the two that only Applink has (E1855, E1856)."""

DAY_LIMIT: Final = "E1319"

LIMIT_CODES: Final[StatusCodes] = {
    "E1308": _refuse("PermanentChargingError"),
    "E1318": StatusCode("SecondLimitExceeded", RETRY_LATER, "not_now"),
    DAY_LIMIT: StatusCode("DayLimitExceeded", RETRY_LATER, "not_allowed"),
    "E1337": StatusCode("DuplicateRequest", Unknown, "malformed"),
}
"""The codes that Applink and mSpace document with another meaning."""


def find_status(codes: StatusCodes, code: str) -> StatusCode:
    """The row of a code. A code that nobody documents may mean that the message was sent."""
    found = codes.get(code)
    if found is not None:
        return found
    known = code if len(code) == len(SUCCESS) and code.isascii() and code.isalnum() else "UnreadableStatus"
    return StatusCode(known, Unknown, "unclear")
