"""docs/how-to/add-an-sms-row.md, followed to the letter: a provider that nobody wrote code for."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import rtoml

from app.settings import load_settings
from config.settings import Settings
from providers.json_http.checks import find_row_problems
from tests.fakes.sms_http_server import SmsHttpServer, respond
from tests.support.phone import PUBLIC_SETTINGS, ROOT, WEBHOOK_TOKEN, build_settings, run_gateway
from tests.support.sms_phone import wait_until

PAGE = (ROOT / "docs/how-to/add-an-sms-row.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^`([^`\n]+)`:\n\n```toml\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL))
FAULTS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
SAMPLE = rtoml.loads(BLOCKS["rows/acme.sms.toml"])
SECRET = {"EKDIAL_KEYS__SECRET": "a secret for tests that is long enough"}


def write_files(folder: Path, change: tuple[str, str] = ("", "")) -> None:
    """The files of the page; in the row the second text stands for the first."""
    (folder / "rows").mkdir(exist_ok=True)
    for name, text in BLOCKS.items():
        is_row = name == "rows/acme.toml"
        (folder / name).write_text(text.replace(*change, 1) if is_row else text, encoding="utf-8")


def load_page_settings(folder: Path, **secrets: str) -> Settings:
    environment = {f"EKDIAL_{key}": value for key, value in PUBLIC_SETTINGS.items()}
    return load_settings(folder / "config.toml", {**environment, **SECRET, **secrets})


def test_the_page_has_the_three_files():
    assert list(BLOCKS) == ["rows/acme.toml", "rows/acme.sms.toml", "config.toml"]


def test_the_row_of_the_page_is_proved_by_its_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    settings = load_page_settings(tmp_path)
    assert settings.sms.provider == "acme"
    assert find_row_problems(settings) == []


def test_faults_are_the_lines_that_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, ("{text}", "{txt}"))
    settings = load_page_settings(tmp_path)
    assert [*map(str, find_row_problems(settings))] == FAULTS[:1]
    write_files(tmp_path, ('values = ["queued"]', 'values = ["sent"]'))
    assert [*map(str, find_row_problems(settings))] == FAULTS[1:]


def gateway_settings(folder: Path, server: SmsHttpServer) -> Settings:
    """Those of the page, with the fake in the place of the provider."""
    write_files(folder)
    given = rtoml.loads(BLOCKS["config.toml"])
    acme = {**given["providers"]["json"]["acme"], "base_url": server.url}
    return build_settings(
        folder,
        **PUBLIC_SETTINGS,
        SMS__PROVIDER=given["sms"]["provider"],
        PROVIDERS__JSON__FOLDER=str(folder / given["providers"]["json"]["folder"]),
        **{
            f"PROVIDERS__JSON__ACME__{key.upper()}": str(value).lower() if value is True else value
            for key, value in acme.items()
        },
    )


async def test_an_sms_comes_in_its_answer_goes_out_and_is_reported(tmp_path):
    """A whole gateway, over HTTP in both directions."""
    accepted, inbound, report = SAMPLE["answers"][0], SAMPLE["inbound"][0], SAMPLE["reports"][0]
    async with SmsHttpServer() as server:
        server.respond_with(respond(accepted["status"], accepted["body"]))
        settings = gateway_settings(tmp_path, server)
        async with run_gateway(settings) as url, aiohttp.ClientSession() as http:

            async def post(path: str, body: str, content_type: str) -> int:
                headers = {"Content-Type": content_type}
                async with http.post(f"{url}{path}?token={WEBHOOK_TOKEN}", data=body, headers=headers) as response:
                    return response.status

            async def has_answered() -> bool:
                return bool(server.requests) and read_message(tmp_path)[0] is not None

            assert await post("/sms/acme", inbound["body"], "application/json") == 200
            await wait_until(has_answered)
            assert await post("/sms/acme/delivery", report["body"], "application/x-www-form-urlencoded") == 200
            assert read_message(tmp_path) == ("acme/a-7", "delivered", "acme")
    request = server.requests[0]
    assert (request.method, request.path, request.headers["X-Api-Key"]) == ("POST", "/v2/sms", "made-up-key")
    assert request.fields["recipients"] == ["8801712345678"]
    assert request.fields["notify_url"] == f"https://ekdial.example/sms/acme/delivery?token={WEBHOOK_TOKEN}"
    assert re.fullmatch(r"ekdial\d+", request.fields["client_ref"])
    assert "STATUS" in request.fields["message"]["text"]  # the help lists the keywords


def read_message(folder: Path) -> tuple[str | None, str | None, str | None]:
    """The id, the delivery and the provider of the message that the gateway sent."""
    with closing(sqlite3.connect(folder / "ekdial.db")) as database:
        rows = database.execute("SELECT provider_id, delivery, provider FROM messages").fetchall()
    return rows[0] if rows else (None, None, None)


@pytest.mark.parametrize("page", ["exotel", "sslwireless", "infobip", "sms-http"])
def test_the_settings_of_a_page_are_complete_but_for_the_secrets_that_it_names(page, tmp_path):
    text = (ROOT / f"docs/providers/{page}.md").read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0], encoding="utf-8")
    named = re.findall(r"EKDIAL_PROVIDERS__JSON__[A-Z]+__[A-Z_]*[A-Z]|…__API_TOKEN", text)
    secrets = [name.replace("…", named[0].removesuffix("__API_KEY")) for name in named]
    settings = load_page_settings(tmp_path, **dict.fromkeys(filter(is_secret, secrets), "made-up"))
    assert find_row_problems(settings) == []


def is_secret(name: str) -> bool:
    """Whether a page names this variable for a secret that its settings leave out."""
    return not name.endswith("__URL")
