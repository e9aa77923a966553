"""The conversations that callers play, and the screens that an undisturbed run of each has shown."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

PIN: Final = "4826"
NAME: Final = "Amina Begum"
LANGUAGE_KEY: Final = "1"  # English
BIRTH_CERTIFICATE: Final = ("1", "1", "1", "1", PIN, "1")  # sign in, apply for oneself
FORM_ANSWERS: Final = ("Rahim Uddin", "21112025", "2", "Karim Uddin", "Ayesha Begum")
RESUME_OFFER: Final = "CON You did not finish last time\n1 Go on\n2 Start again"
FAILED_CALL_OFFER: Final = "CON Last time something went wrong on our side\n1 Go on\n2 Start again"
PIN_QUESTION: Final = "CON Type your PIN\n1 I forgot it\n0 <back>"
LANGUAGE_SCREEN: Final = "CON Ekdial: public services\n1 English\n2 Bangla\n3 Hindi"
DRAFT_OFFER: Final = "CON Birth certificate\nYou started this on <date>\n1 Go on\n2 Start again\n0 <back>"
APPLICATION_OFFER: Final = "CON You were applying for\nBirth certificate\n1 Go on\n2 Start again"
DETOURS: Final[Mapping[str, str]] = {
    LANGUAGE_SCREEN: LANGUAGE_KEY,
    RESUME_OFFER: "1",
    FAILED_CALL_OFFER: "1",
    PIN_QUESTION: PIN,
    DRAFT_OFFER: "1",
    APPLICATION_OFFER: "1",
}
"""Screens that a caller who dials again may see on the way back, and the key that goes on."""
NUMBER: Final = "{number}"  # stands for a tracking number among the keys
REFUSALS: Final = (
    re.compile(r"END Sorry, something is wrong on our side\. Nothing was lost\. Please dial again in a minute\."),
    re.compile(r"END Sorry, this call cannot go on\. Please hang up and dial again\."),
    re.compile(r"END Many people are calling just now\. Please dial again in a minute( to carry on)?\."),
    re.compile(r"END Ekhon onek lok call korchen\. Ek minute pore abar dial (korun|kore egiye jan)\."),
    re.compile(r"CON Not possible right now\. Nothing was saved\. Try again in a minute\n.*", re.DOTALL),
    re.compile(r"END We cannot tell yet whether your last answer was saved\. Please dial again and check\."),
)
"""The texts of a refusal in words; a caller who reads one dials again, also where the call could go on. Who is refused unread is told in the country's language."""
_NUMBER_SHOWN = re.compile(r"\b\d{4} \d{4} \d{4}\b")
_DATE_SHOWN = re.compile(r"\b\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*( \d{4})?\b")


@dataclass(frozen=True)
class Script:
    """A conversation in English.

    `keys` are pressed from the main menu on. `caller` is `new` or `registered`. `effect` is the table that has one row for
    the caller afterwards, empty where nothing is recorded. `weight` is its share of all conversations. `told_from` counts
    from the end the screens that say that the effect is there.
    """

    name: str
    caller: str
    keys: tuple[str, ...]
    effect: str
    weight: float
    told_from: int = 1


SCRIPTS: Final = (
    Script("browse", "new", ("1", "1", "1", "2", "0", "0", "0"), "", 20),
    Script(
        "register",
        "new",
        ("5", "1", NAME, PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1"),
        "accounts",
        10,
        told_from=2,
    ),
    Script("apply", "registered", (*BIRTH_CERTIFICATE, *FORM_ANSWERS, "1", PIN), "applications", 20),
    Script("complain", "new", ("4", "1", "3", "5", "1"), "complaints", 20),
    Script("feedback", "new", ("4", "2", "2", "5", "1"), "feedback", 15),
    Script("track", "new", ("2", NUMBER), "", 15),
)


@dataclass(frozen=True)
class RecordedScript:
    """A script with the normalised screens of its undisturbed run: `screens[0]` is the main menu, the next that after the first key."""

    name: str
    caller: str
    keys: tuple[str, ...]
    effect: str
    weight: float
    told_from: int
    screens: tuple[str, ...]

    def find_position(self, screen: str, near: int) -> int | None:
        """The number of keys after which this screen is shown, as close to `near` as possible; None for no such screen."""
        found = [position for position, expected in enumerate(self.screens) if expected == screen]
        return min(found, key=lambda position: (abs(position - near), -position), default=None)

    def to_json(self) -> Mapping[str, object]:
        """The script as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RecordedScript":
        """The script that `to_json` returned."""
        return cls(**dict(values) | {"keys": tuple(values["keys"]), "screens": tuple(values["screens"])})


def normalise_screen(body: str) -> str:
    """The screen with every reference number, date and way back replaced by a sign: a resumed call has no screen to go back to."""
    body = re.sub(r"\n0 (Back|Main menu)\Z", "\n0 <back>", body)
    return _DATE_SHOWN.sub("<date>", _NUMBER_SHOWN.sub("<number>", body))


def is_refusal(body: str) -> bool:
    """True for a screen that asks the caller to try again later."""
    return any(refusal.fullmatch(body) for refusal in REFUSALS)


def find_number(body: str) -> str:
    """The first reference number on a screen, without its blanks; empty if there is none."""
    found = _NUMBER_SHOWN.search(body)
    return found[0].replace(" ", "") if found else ""
