"""A catalogue that is edited while the gateway runs: taken up whole when it is sound, refused with every fault when not."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from services.catalogue.loader import DATA_FOLDER
from services.catalogue.watcher import fingerprint_files, watch_edits
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.sms_phone import wait_until

BIRTH = ("1", "1", "1", "1")
"""From the language screen to the birth certificate."""


class CatalogueEditor:
    """Whoever edits a copy of the catalogue while a gateway runs on it."""

    def __init__(self, phone: Phone, folder: Path) -> None:
        self.phone, self.folder = phone, folder
        self.file = folder / "dncc.toml"

    def replace_text(self, old: str, new: str) -> None:
        """Put `new` in the place of `old`, in a new file that is renamed, as editors save."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        beside = self.file.with_suffix(".toml~")
        beside.write_text(text.replace(old, new), encoding="utf-8")
        beside.rename(self.file)

    async def wait_for_reload(self, how: str, minimum: int = 1) -> None:
        """Return when so many edits were taken up, or refused."""

        async def reached() -> bool:
            async with self.phone.http.get(f"{admin_url(self.phone.url)}/metrics") as response:
                lines = (await response.text()).splitlines()
            wanted = f'ekdial_catalogue_edits_total{{outcome="{how}"}} '
            return any(float(line.removeprefix(wanted)) >= minimum for line in lines if line.startswith(wanted))

        await wait_until(reached)


@pytest.fixture
async def editor(tmp_path: Path) -> AsyncIterator[CatalogueEditor]:
    """An editor beside a gateway."""
    folder = Path(shutil.copytree(DATA_FOLDER, tmp_path / "data"))
    async with run_gateway(build_settings(tmp_path, CATALOGUE__FOLDER=str(folder))) as url, ClientSession() as http:
        yield CatalogueEditor(Phone(http, url), folder)


async def first_screen(editor: CatalogueEditor, number: int) -> str:
    """The birth certificate's screen, as somebody hears it who calls for the first time."""
    caller = Phone(editor.phone.http, editor.phone.url, f"+880170001{number:04}")
    await caller.dial()
    return await caller.enter(*BIRTH)


async def test_an_edit_is_heard_a_broken_one_is_not_and_a_mended_one_is(editor: CatalogueEditor) -> None:
    assert (await first_screen(editor, 1)).startswith("Birth certificate\n")
    editor.replace_text('names.en = "Birth certificate"', 'names.en = "Birth paper"')
    await editor.wait_for_reload("taken")
    assert (await first_screen(editor, 2)).startswith("Birth paper\n")

    with capture_logs() as logs:
        editor.replace_text('names.en = "Birth paper"\n', 'names.en = "Birth slip"\nfees = 1\nnumber = "x"\n')
        await editor.wait_for_reload("refused")
    said = [entry["problem"] for entry in logs if entry["event"] == "catalogue_edit_rejected"]
    assert said
    assert all(":" in problem and "dncc.toml" in problem for problem in said)
    assert (await first_screen(editor, 3)).startswith("Birth paper\n")

    editor.replace_text('names.en = "Birth slip"\nfees = 1\nnumber = "x"\n', 'names.en = "Birth slip"\n')
    await editor.wait_for_reload("taken", 2)
    assert (await first_screen(editor, 4)).startswith("Birth slip\n")


async def test_what_is_worked_out_from_the_catalogue_is_new_too(editor: CatalogueEditor) -> None:
    editor.replace_text('names.en = "Birth certificate"', 'names.en = "Quokka certificate"')
    await editor.wait_for_reload("taken")
    await editor.phone.dial()
    assert (await editor.phone.enter("1", "1", "quokka")).startswith("Quokka certificate\n")
    assert (await editor.phone.enter("0", "786552")).startswith("Quokka certificate\n")


async def test_the_menus_are_proved_with_what_was_edited(editor: CatalogueEditor) -> None:
    """The files are sound, but no phone could show so many papers."""
    papers = "".join(
        f'paper_{n} = {{ en = "{"Paper " * 6}{n}", bn = "কাগজ {n}", hi = "काग़ज़ {n}" }}\n' for n in range(10, 25)
    )
    codes = ", ".join(f'"paper_{n}"' for n in range(10, 25))
    with capture_logs() as logs:
        editor.replace_text("[documents]\n", f"[documents]\n{papers}\n")
        await editor.wait_for_reload("taken")
        editor.replace_text('documents = ["vaccine_card", "parents_id"]', f"documents = [{codes}]")
        await editor.wait_for_reload("refused")
    assert any("need more than 3 screens" in entry.get("problem", "") for entry in logs)
    assert (await first_screen(editor, 5)).startswith("Birth certificate\n")


async def test_whoever_stands_at_a_service_that_is_taken_out_is_told_so(editor: CatalogueEditor) -> None:
    phone = editor.phone
    await phone.dial()
    assert (await phone.enter(*BIRTH)).startswith("Birth certificate\n")
    without_it = editor.file.read_text(encoding="utf-8").partition("[services.birth_certificate]")[0]
    editor.file.write_text(without_it, encoding="utf-8")
    await editor.wait_for_reload("taken")
    assert await phone.enter("2") == "This service is no longer offered.\n1 Find another service\n2 Help\n0 Main menu"
    assert (await phone.enter("1")).startswith("Find a service\n")
    assert "Birth certificate" not in await phone.enter("1")


async def test_who_is_not_signed_in_is_not_sent_to_register_for_a_service_that_is_gone(editor: CatalogueEditor) -> None:
    """Field report, section 5: first the registration, then the news that the service is gone."""
    phone = editor.phone
    await phone.dial()
    assert "\n1 Apply" in await phone.enter(*BIRTH)
    without_it = editor.file.read_text(encoding="utf-8").partition("[services.birth_certificate]")[0]
    editor.file.write_text(without_it, encoding="utf-8")
    await editor.wait_for_reload("taken")
    assert (await phone.enter("1")).startswith("This service is no longer offered.\n1 Find another service\n")


async def test_a_file_may_come_and_go(editor: CatalogueEditor) -> None:
    extra = editor.folder / "zoo.toml"
    extra.write_text('[sectors.zoo]\nnames = { en = "Zoo", bn = "চিড়িয়াখানা", hi = "चिड़ियाघर" }\n', encoding="utf-8")
    await editor.wait_for_reload("taken")
    extra.unlink()
    await editor.wait_for_reload("taken", 2)
    (editor.folder / "notes.txt").write_text("not ours", encoding="utf-8")
    (editor.folder / ".#dncc.toml").write_text("an editor's own", encoding="utf-8")
    assert (await first_screen(editor, 6)).startswith("Birth certificate\n")


async def test_a_setting_switches_it_off(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA_FOLDER, tmp_path / "data"))
    settings = build_settings(tmp_path, CATALOGUE__FOLDER=str(folder), CATALOGUE__WATCH="false")
    async with run_gateway(settings) as url, ClientSession() as http:
        editor = CatalogueEditor(Phone(http, url), folder)
        editor.replace_text('names.en = "Birth certificate"', 'names.en = "Birth paper"')
        async with http.get(f"{admin_url(url)}/metrics") as response:
            assert "ekdial_catalogue_edits" not in await response.text()
        assert (await first_screen(editor, 7)).startswith("Birth certificate\n")


async def test_what_nobody_tells_of_is_found_by_looking(tmp_path: Path) -> None:
    """As on a network's disk; here the folder is not there yet, so that nobody can watch it."""
    folder = tmp_path / "later"
    changes = watch_edits([folder], fingerprint_files([folder]), interval=0.05)
    coming = asyncio.ensure_future(anext(changes))
    folder.mkdir()
    (folder / "one.toml").write_text("", encoding="utf-8")
    async with asyncio.timeout(20):
        assert {Path(name).name for name, *_ in await coming} == {"one.toml"}
    await changes.aclose()


async def test_what_was_edited_while_the_gateway_began_is_noticed(tmp_path: Path) -> None:
    known = fingerprint_files([tmp_path])
    (tmp_path / "one.toml").write_text("", encoding="utf-8")
    changes = watch_edits([tmp_path], known, interval=0.05)
    async with asyncio.timeout(20):
        assert len(await anext(changes)) == 1
    await changes.aclose()
