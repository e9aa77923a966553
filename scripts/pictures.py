"""Take the pictures of `docs/pictures/`: fill a gateway with calls and cases, and photograph its pages in Chromium.

python -m scripts.pictures [--every FOLDER]

Bengali and Hindi need fonts, such as those of Noto: FONTCONFIG_FILE names the configuration that knows them. With --every,
each page of the console is photographed into the folder: wide, on a phone and dark, in each language.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize, expect
from sqlalchemy import update

from app.keys import open_cipher
from config.settings import Settings
from core.types import utc_now
from db.tables import monthly_screen_moves, screen_moves
from tests.support.accessibility import ColorScheme
from tests.support.browser import launch_chromium
from tests.support.case_rows import CaseRows
from tests.support.citizen_steps import apply_for_birth_certificate, register
from tests.support.console import StaffRoom, open_staff_room
from tests.support.console_pages import SAMPLES, Scene, is_whole_page, payments
from tests.support.phone import Phone, build_settings, run_gateway
from web.console.words import CONSOLE_LANGUAGES

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
MAX_BYTES: Final = 150_000
WIDE: Final = (1280, 800)
TALL: Final = (1280, 1450)
PHONE: Final = (360, 720)
KAIOS: Final = (240, 320)
LIVE: Final = "/console/now"
NO_RATE: Final = "…"
RATE_TIMEOUT_MS: Final = 90_000
CALLERS: Final = 12
CASES: Final = 14
TIMES: Final = 173
"""Each move between screens counts as so many, as it would on a day of many callers."""
STATUSES: Final = ("received", "under_review", "approved", "ready", "delivered")
NAMES: Final = ("Rahima Begum", "Karim Uddin", "Nasrin Akter", "Jamal Hossain", "Shirin Sultana", "Rafiq Islam")


@dataclass(frozen=True)
class Picture:
    """A picture of a page as a member of staff sees it; `search` is typed into the search field first."""

    name: str
    path: str
    language: str = "en"
    size: tuple[int, int] = WIDE
    scheme: ColorScheme = "light"
    search: str = ""
    is_signed_in: bool = True


PICTURES: Final = (
    Picture("now", "/console/now"),
    Picture("now-dark-bn", "/console/now", "bn", scheme="dark"),
    Picture("journeys", "/console/journeys", size=TALL),
    Picture("applications-bn", "/console/applications", "bn"),
    Picture("application-phone-hi", "/console/applications/{application}", "hi", PHONE),
    Picture("citizen", "/console/citizens", search="+8801800000001"),
    Picture("payments-dark", "/console/payments/list", scheme="dark"),
    Picture("audit", "/console/audit"),
    Picture("staff-phone-bn", "/console/staff", "bn", PHONE),
    Picture("sign-in-phone", "/console/sign-in", size=PHONE, is_signed_in=False),
    Picture("kaios", "/kaios", size=KAIOS, is_signed_in=False),
)


@asynccontextmanager
async def open_scene(settings: Settings) -> AsyncIterator[Scene]:
    """A gateway that runs with these settings, and its staff."""
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield Scene(url, settings, room)


async def add_calls(url: str, callers: int, first: int = 1) -> None:
    """Let callers register: every fourth one leaves before the end, the others apply, read about a service or track."""
    async with ClientSession() as http:
        for number in range(first, first + callers):
            phone = Phone(http, url, f"+88018000000{number:02}", network=("47001", "47002", "47003")[number % 3])
            name = NAMES[number % len(NAMES)]
            if number % 4 == 0:
                await phone.dial()
                await phone.enter("1", "5", "1", name)
                continue
            await register(phone, name=name)
            match number % 4:
                case 1:
                    await apply_for_birth_certificate(phone)
                case 2:
                    await phone.enter("00", "1", "1", "1")
                case _:
                    await phone.enter("00", "2")
                    await phone.dial()


async def let_callers_dial(url: str) -> None:
    """Let the callers of a minute dial and press one key."""
    async with ClientSession() as http:
        for number in range(CALLERS * 4):
            phone = Phone(http, url, f"+88018000001{number:02}", network="47001")
            await phone.dial()
            await phone.enter("1")


async def multiply_moves(room: StaffRoom) -> None:
    """Make the calls of a few callers those of many."""
    async with room.database.transaction() as transaction:
        for table in (screen_moves, monthly_screen_moves):
            await transaction.execute(update(table).values(times=table.c.times * TIMES))


async def add_cases(scene: Scene) -> dict[str, str]:
    """Add applications, complaints and payments; the number of an application as `application`."""
    rows = CaseRows(scene.room.database, await open_cipher(scene.settings))
    now = utc_now()
    added = [await add_case(rows, place, now) for place in range(CASES)]
    await payments.seed(scene)
    return {"application": added[-1]}


async def add_case(rows: CaseRows, place: int, now: datetime) -> str:
    """Add an application and a complaint about it; the number of the application."""
    at, applicant = now - timedelta(days=20 - place, hours=place), f"+88017110000{place:02}"
    await rows.add_complaint(text="দুই মাস হলো, এখনো সনদ পাইনি।", at=at, level=place % 3)
    return await rows.add_application(
        service=("birth_certificate", "trade_licence")[place % 2],
        status=STATUSES[place % len(STATUSES)],
        msisdn=applicant,
        account=await rows.add_account(applicant, NAMES[place % len(NAMES)]),
        promised=(at + timedelta(days=15)).date(),
        at=at,
    )


async def take(browser: Browser, scene: Scene, picture: Picture, folder: Path) -> None:
    """Photograph a page."""
    context = await browser.new_context(
        viewport=ViewportSize(width=picture.size[0], height=picture.size[1]),
        color_scheme=picture.scheme,
        locale=picture.language,
        reduced_motion="reduce",
    )
    if picture.is_signed_in:
        login = f"nadia-{picture.language}"
        await scene.room.sign_in_chromium(context, "admin", login=login, language=picture.language)
    page = await context.new_page()
    await page.goto(scene.url + picture.path)
    if picture.search:
        await search(page, picture.search)
    if picture.path == LIVE:
        await let_callers_dial(scene.url)
        await expect(page.locator(".card b").first).not_to_have_text(NO_RATE, timeout=RATE_TIMEOUT_MS)
    await page.screenshot(path=folder / f"{picture.name}.png")
    await context.close()


async def search(page: Page, text: str) -> None:
    """Type into the search field of the page, and open what is found."""
    await page.locator("input[type=search]").fill(text)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


def list_every_picture(paths: Sequence[str]) -> Sequence[Picture]:
    """Each page in each form."""
    forms: Sequence[tuple[str, tuple[int, int], ColorScheme]] = (
        ("wide", WIDE, "light"),
        ("dark", WIDE, "dark"),
        ("phone", PHONE, "light"),
    )
    return [
        Picture(f"{place:02}-{name}-{language}", path, language, size, scheme)
        for place, path in enumerate(paths)
        for language in CONSOLE_LANGUAGES
        for name, size, scheme in forms
    ]


async def list_paths(scene: Scene) -> Sequence[str]:
    """The addresses of the pages of the console that need no row."""
    browser = await scene.room.open_browser("admin")
    samples = [sample for samples in SAMPLES.values() for sample in samples if sample.method == "GET"]
    fixed = dict.fromkeys(sample.path for sample in samples if "{" not in sample.path)
    return [path for path in fixed if await is_whole_page(browser, path)]


async def run(every: Path | None) -> None:
    """Fill a gateway, and take the pictures."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with TemporaryDirectory() as folder:
        settings = build_settings(Path(folder))
        async with run_gateway(settings) as url:
            await add_calls(url, CALLERS)
        async with open_scene(settings) as scene, launch_chromium() as browser:
            await multiply_moves(scene.room)
            names = await add_cases(scene)
            await add_calls(scene.url, CALLERS // 2, first=CALLERS + 1)
            pictures = PICTURES if every is None else list_every_picture(await list_paths(scene))
            for picture in pictures:
                shown = replace(picture, path=picture.path.format(**names))
                await take(browser, scene, shown, FOLDER if every is None else every)


def main() -> None:
    """Take the pictures, and name those that are too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=Path, metavar="FOLDER", help="every page of the console, for looking at")
    every = parser.parse_args().every
    (every or FOLDER).mkdir(parents=True, exist_ok=True)
    asyncio.run(run(every))
    large = [file.name for file in FOLDER.glob("*.png") if file.stat().st_size > MAX_BYTES]
    print(f"pictures over {MAX_BYTES:,} octets: {', '.join(large) or 'none'}")  # noqa: T201 - it is a report


if __name__ == "__main__":
    main()
