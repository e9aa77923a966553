"""What a caller reads who is refused: in a language of their country, on the smallest screen."""

import tomllib
from types import SimpleNamespace
from typing import Any

import pytest

from menus.rendering.localization import LOCALE_CODES
from menus.rendering.paging import ScreenBudget
from sessions.session import Reply
from tests.support.phone import ROOT
from ussd.refusals import BusyReplies

SMALLEST = ScreenBudget(160, 70, unicode=True)
SMALLEST_LATIN = ScreenBudget(160, 70)


class KeyRenderer:
    """A renderer whose texts are their language and key."""

    def locale_for(self, language: str, _: ScreenBudget) -> Any:
        return SimpleNamespace(common={key: f"{language} {key}" for key in ("busy", "busy_go_on")})


@pytest.mark.parametrize(
    ("caller", "starts_session", "text"),
    [
        ("+8801700000001", True, "bn busy"),
        ("+8801700000001", False, "bn busy_go_on"),
        ("+919000000001", True, "hi busy"),
        ("+254700000001", False, "en busy_go_on"),
    ],
)
def test_the_text_is_in_the_language_of_the_country_and_ends_the_call(
    caller: str, starts_session: bool, text: str
) -> None:
    renderer: Any = KeyRenderer()
    replies = BusyReplies(renderer, languages={"+880": "bn", "+91": "hi"}, default_language="en")
    reply = replies.find(caller, SMALLEST, starts_session=starts_session)
    assert reply.reply == Reply(text, ends=True)
    assert reply.handled_as == "shed"
    assert replies.find(caller, SMALLEST, starts_session=starts_session) is reply, "it is built once"


@pytest.mark.parametrize("code", LOCALE_CODES)
@pytest.mark.parametrize("key", ["sorry", "abroad", "unheard", "busy", "busy_go_on", "unsure"])
def test_every_text_that_ends_a_call_fits_on_the_smallest_screen(code: str, key: str) -> None:
    text = tomllib.loads((ROOT / "menus" / "locales" / f"{code}.toml").read_text(encoding="utf-8"))["common"][key]
    assert SMALLEST.fits(text)
    if code == "en" or code.endswith("_Latn"):
        assert SMALLEST_LATIN.fits(text)
