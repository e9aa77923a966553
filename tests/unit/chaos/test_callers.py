"""The callers of the chaos program: they go on after trouble, and know a wrong screen from a refusal."""

import asyncio
from collections.abc import Sequence

import pytest

from chaos import callers
from chaos.callers import Caller, Tally
from chaos.carrier import KeyPress, ScreenReply
from chaos.checks import Findings, count_requests, find_normal
from chaos.report import find_breaches
from chaos.scripts import DETOURS, LANGUAGE_SCREEN, RESUME_OFFER, RecordedScript, is_refusal, normalise_screen
from menus.rendering.localization import load_locales

MENU, SORRY = "CON Ekdial\n1 Complain", "END Sorry, this call cannot go on. Please hang up and dial again."
QUESTION, RECEIPT = "CON Tell it\n0 Back", "END We have your application. Its number is 1234 5678 9012"
SCRIPT = RecordedScript(
    name="complain",
    caller="new",
    keys=("1", "words"),
    effect="complaints",
    weight=1,
    told_from=1,
    screens=tuple(map(normalise_screen, (MENU, QUESTION, RECEIPT))),
)
UNDISTURBED = (LANGUAGE_SCREEN, MENU, QUESTION, RECEIPT)
RESUMED = (LANGUAGE_SCREEN, MENU, QUESTION, SORRY, RESUME_OFFER, QUESTION, RECEIPT)
BEGUN_AGAIN = (LANGUAGE_SCREEN, MENU, "", LANGUAGE_SCREEN, MENU, QUESTION, RECEIPT)


class PlannedDelivery:
    """Answers each key press with the next body; `pressed` has the paths."""

    def __init__(self, bodies: Sequence[str]) -> None:
        self._bodies = iter(bodies)
        self.pressed: list[str] = []

    async def deliver(self, press: KeyPress) -> ScreenReply:
        self.pressed.append(press.path)
        return ScreenReply(next(self._bodies), "", 0.01)


async def play(monkeypatch: pytest.MonkeyPatch, *bodies: str) -> tuple[Tally, list[str]]:
    monkeypatch.setattr(callers, "REDIAL_WAIT", (0, 0))
    tally, delivery = Tally(), PlannedDelivery(bodies)
    await Caller(
        msisdn="+8801800000000",
        script=SCRIPT,
        number="",
        echoes_metadata=False,
        delivery=delivery,
        tally=tally,
        think_time=0,
        hang_up=asyncio.Event(),
    ).play()
    return tally, delivery.pressed


@pytest.mark.parametrize(
    ("bodies", "paths"),
    [
        (UNDISTURBED, ["", "1", "1*1", "1*1*words"]),
        (RESUMED, ["", "1", "1*1", "1*1*words", "", "1", "1*words"]),
        (BEGUN_AGAIN, ["", "1", "1*1", "", "1", "1*1", "1*1*words"]),
    ],
)
async def test_a_caller_goes_on_until_told(
    monkeypatch: pytest.MonkeyPatch, bodies: Sequence[str], paths: list[str]
) -> None:
    tally, pressed = await play(monkeypatch, *bodies)
    assert pressed == paths
    assert [(it.ended_as, it.told) for it in tally.conversations] == [("done", "123456789012")]


async def test_a_screen_of_another_place_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    tally, _ = await play(monkeypatch, LANGUAGE_SCREEN, QUESTION)
    assert [verdict for *_, verdict in tally.requests] == ["ok", "wrong"]
    assert tally.conversations[0].ended_as == "wrong"


def test_each_text_that_sends_a_caller_away_is_known() -> None:
    locales = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
    common = [
        locales[form].common[name]
        for form, names in (
            ("en", ("sorry", "unheard", "busy", "busy_go_on", "unsure")),
            ("bn_Latn", ("busy", "busy_go_on")),
        )
        for name in names
    ]
    assert [text for text in common if not is_refusal(f"END {text}")] == []
    outage = locales["en"].validation_messages["outage"].source
    assert is_refusal(f"CON {outage}\nType your PIN\n0 Back")


def test_each_offer_to_go_on_is_known() -> None:
    locale = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})["en"]
    for name, facts in (("resume", {}), ("resume_failed", {}), ("resume_form", {"service": "Birth certificate"})):
        texts = locale.screens[name]
        options = [f"{key} {texts.options[option].source}" for key, option in ((1, "go_on"), (2, "afresh"))]
        assert "\n".join((f"CON {locale.render(texts.text, facts)}", *options)) in DETOURS


def test_normal_again_is_a_full_second_without_trouble() -> None:
    tally = Tally(requests=[(10.0, 0.1, "ok"), (10.4, 0.1, "refused"), (11.0, 9.0, "ok"), (12.5, 0.1, "ok")])
    assert find_normal(tally, ended_at=10.0, stopped_at=20.0) == pytest.approx(1.0)
    assert find_normal(tally, ended_at=10.0, stopped_at=11.5) is None


def test_a_row_names_what_no_event_may_cause() -> None:
    found = Findings("an event", normal_after=0.0, twice=2)
    count_requests(found, Tally(requests=[(0.0, 9.0, "ok"), (1.0, 10.0, "lost"), (2.0, 0.1, "refused")]))
    assert list(find_breaches(found)) == ["no: 1 late", "no: 1 lost", "no: 2 twice"]
