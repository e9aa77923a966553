"""A catalogue that is edited while the gateway runs: taken up whole when it is sound, refused with every fault when not."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from services.catalogue.load import DATA
from services.catalogue.watching import edits, seen
from tests.phone import Phone, running, settings_for
from tests.texting import until

BIRTH = ("1", "1", "1", "1")
"""From the language screen to the birth certificate."""


class Editor:
    """Whoever edits a copy of the catalogue while a gateway runs on it."""

    def __init__(self, phone: Phone, folder: Path) -> None:
        self.phone, self.folder = phone, folder
        self.file = folder / "dncc.toml"

    def writes(self, old: str, new: str) -> None:
        """Put `new` in the place of `old`, in a new file that is renamed, as editors save."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        beside = self.file.with_suffix(".toml~")
        beside.write_text(text.replace(old, new), encoding="utf-8")
        beside.rename(self.file)

    async def edits_ended(self, how: str, least: int = 1) -> None:
        """Return when so many edits were taken up, or refused."""

        async def reached() -> bool:
            async with self.phone.http.get(f"{self.phone.url}/metrics") as response:
                lines = (await response.text()).splitlines()
            wanted = f'ekdial_catalogue_edits_total{{how="{how}"}} '
            return any(float(line.removeprefix(wanted)) >= least for line in lines if line.startswith(wanted))

        await until(reached)


@pytest.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    """An editor beside a gateway."""
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    async with running(settings_for(tmp_path, CATALOGUE__FOLDER=str(folder))) as url, ClientSession() as http:
        yield Editor(Phone(http, url), folder)


async def hears(editor: Editor, number: int) -> str:
    """The birth certificate's screen, as somebody hears it who calls for the first time."""
    caller = Phone(editor.phone.http, editor.phone.url, f"+880170001{number:04}")
    await caller.dials()
    return await caller.types(*BIRTH)


async def test_an_edit_is_heard_a_broken_one_is_not_and_a_mended_one_is(editor: Editor) -> None:
    assert (await hears(editor, 1)).startswith("Birth certificate\n")
    editor.writes('names.en = "Birth certificate"', 'names.en = "Birth paper"')
    await editor.edits_ended("taken")
    assert (await hears(editor, 2)).startswith("Birth paper\n")

    with capture_logs() as logs:
        editor.writes('names.en = "Birth paper"\n', 'names.en = "Birth slip"\nfees = 1\nnumber = "x"\n')
        await editor.edits_ended("refused")
    said = [entry["fault"] for entry in logs if entry["log_level"] == "error" and "fault" in entry]
    assert said
    assert all(":" in fault and "dncc.toml" in fault for fault in said)
    assert (await hears(editor, 3)).startswith("Birth paper\n")

    editor.writes('names.en = "Birth slip"\nfees = 1\nnumber = "x"\n', 'names.en = "Birth slip"\n')
    await editor.edits_ended("taken", 2)
    assert (await hears(editor, 4)).startswith("Birth slip\n")


async def test_what_is_worked_out_from_the_catalogue_is_new_too(editor: Editor) -> None:
    editor.writes('names.en = "Birth certificate"', 'names.en = "Quokka certificate"')
    await editor.edits_ended("taken")
    await editor.phone.dials()
    assert (await editor.phone.types("1", "1", "quokka")).startswith("Quokka certificate\n")
    assert (await editor.phone.types("0", "786552")).startswith("Quokka certificate\n")


async def test_the_menus_are_proved_with_what_was_edited(editor: Editor) -> None:
    """The files are sound, but no phone could show so many papers."""
    papers = "".join(
        f'paper_{n} = {{ en = "{"Paper " * 6}{n}", bn = "কাগজ {n}", hi = "काग़ज़ {n}" }}\n' for n in range(10, 25)
    )
    codes = ", ".join(f'"paper_{n}"' for n in range(10, 25))
    with capture_logs() as logs:
        editor.writes("[documents]\n", f"[documents]\n{papers}\n")
        await editor.edits_ended("taken")
        editor.writes('documents = ["vaccine_card", "parents_id"]', f"documents = [{codes}]")
        await editor.edits_ended("refused")
    assert any("need more than 3 screens" in entry.get("fault", "") for entry in logs)
    assert (await hears(editor, 5)).startswith("Birth certificate\n")


async def test_whoever_stands_at_a_service_that_is_taken_out_is_told_so(editor: Editor) -> None:
    phone = editor.phone
    await phone.dials()
    assert (await phone.types(*BIRTH)).startswith("Birth certificate\n")
    without_it = editor.file.read_text(encoding="utf-8").partition("[services.birth_certificate]")[0]
    editor.file.write_text(without_it, encoding="utf-8")
    await editor.edits_ended("taken")
    assert await phone.types("2") == "This service is no longer offered.\n1 Find another service\n2 Help\n0 Main menu"
    assert (await phone.types("1")).startswith("Find a service\n")
    assert "Birth certificate" not in await phone.types("1")


async def test_a_file_may_come_and_go(editor: Editor) -> None:
    extra = editor.folder / "zoo.toml"
    extra.write_text('[sectors.zoo]\nnames = { en = "Zoo", bn = "চিড়িয়াখানা", hi = "चिड़ियाघर" }\n', encoding="utf-8")
    await editor.edits_ended("taken")
    extra.unlink()
    await editor.edits_ended("taken", 2)
    (editor.folder / "notes.txt").write_text("not ours", encoding="utf-8")
    (editor.folder / ".#dncc.toml").write_text("an editor's own", encoding="utf-8")
    assert (await hears(editor, 6)).startswith("Birth certificate\n")


async def test_a_setting_switches_it_off(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    settings = settings_for(tmp_path, CATALOGUE__FOLDER=str(folder), CATALOGUE__WATCH="false")
    async with running(settings) as url, ClientSession() as http:
        editor = Editor(Phone(http, url), folder)
        editor.writes('names.en = "Birth certificate"', 'names.en = "Birth paper"')
        async with http.get(f"{url}/metrics") as response:
            assert "ekdial_catalogue_edits" not in await response.text()
        assert (await hears(editor, 7)).startswith("Birth certificate\n")


async def test_what_nobody_tells_of_is_found_by_looking(tmp_path: Path) -> None:
    """As on a network's disk; here the folder is not there yet, so that nobody can watch it."""
    folder = tmp_path / "later"
    changes = edits([folder], seen([folder]), every=0.05)
    coming = asyncio.ensure_future(anext(changes))
    folder.mkdir()
    (folder / "one.toml").write_text("", encoding="utf-8")
    async with asyncio.timeout(20):
        assert {Path(name).name for name, *_ in await coming} == {"one.toml"}
    await changes.aclose()


async def test_what_was_edited_while_the_gateway_began_is_noticed(tmp_path: Path) -> None:
    known = seen([tmp_path])
    (tmp_path / "one.toml").write_text("", encoding="utf-8")
    changes = edits([tmp_path], known, every=0.05)
    async with asyncio.timeout(20):
        assert len(await anext(changes)) == 1
    await changes.aclose()
