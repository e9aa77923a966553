"""Each fault of a row, of its sample and of its settings is one line: file, line, key, what is wrong, what would be right."""

from pathlib import Path

import pytest

from app.settings import load_settings
from config.settings import Settings
from core.errors import CommandError, ValidationFailedError
from menus.rendering.paging import ScreenBudget
from providers import registry
from providers.json_http.checks import check_row, find_row_problems
from providers.json_http.provider_rows import find_rows
from tests.support.phone import ROOT, build_settings
from ussd.provider import ShortCodeConfig

ROW = """\
[settings]
api_key = ""

[ussd]
format = "json"
input = "newest"

[ussd.request]
session = "call"
caller = "from"
text = "body.typed"
state = "kind"

[ussd.states]
first = "new"
next = "goes_on"
gone = "released"

[ussd.reply]
goes_on = { show = "{text}", more = true }
ends = { show = "{text}", more = false }
"""
SAMPLE = """\
service_codes = ["*700#"]

[[step]]
request = '{"call": "c1", "from": "254722000001", "kind": "first"}'
event = "dials"
session = "c1"
caller = "+254722000001"
screen = "Hello"
reply = '{"show":"Hello","more":true}'

[[step]]
request = '{"call": "c1", "from": "254722000001", "kind": "next", "body": {"typed": "1"}}'
event = "types"
session = "c1"
caller = "+254722000001"
text = "1"
screen = "Bye"
ends = true
reply = '{"show":"Bye","more":false}'
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a row and its sample, which is the current one."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, ROW, SAMPLE)
    return tmp_path


def write(folder: Path, row: str, sample: str) -> None:
    (folder / "acme.toml").write_text(row, encoding="utf-8")
    (folder / "acme.ussd.toml").write_text(sample, encoding="utf-8")


def list_problems(folder: Path) -> list[str]:
    return [str(problem) for problem in check_row(folder / "acme.toml")]


async def test_the_row_of_these_tests_is_valid(folder: Path) -> None:
    assert list_problems(folder) == []


FIX = "mend the one that is wrong"
ROW_FAULTS = {
    'format = "json"|format = "xml"': "acme.toml:5: ussd.format: this is not one of what it may be; write 'json', 'form' or 'query'",
    'format = "json"|': "acme.toml:4: ussd.format: this key is missing; add it",
    'input = "newest"|inputs = "newest"': "acme.toml:4: ussd.input: this key is missing; add it",
    'session = "call"|session = ""': "acme.toml:9: ussd.request.session: this key is empty; name the field",
    'session = "call"|session = "a call"': 'acme.toml:9: ussd.request.session: this is not the name of a field; write its name, or names with dots such as "payload.response"',
    'session = "call"|session = 7': "acme.toml:9: ussd.request.session: this is not text; put it in quotes",
    'state = "kind"|': "acme.toml:8: ussd.request.state: nothing tells a new session from one that goes on; name the field that does",
    'first = "new"|first = "begins"': "acme.toml:15: ussd.states.first: this is not one of what it may be; write 'new', 'goes_on', 'ended', 'released' or 'failed'",
    'first = "new"|': 'acme.toml:14: ussd.states: no value means new; add one such as value = "new"',
    'more = true|more = "{tekst}"': "acme.toml:20: ussd.reply.goes_on: {tekst} is no placeholder; write {text}, {metadata}, or {request.NAME} for a field of the request",
    'show = "{text}", more = true|more = true': "acme.toml:20: ussd.reply.goes_on: the reply does not show the screen; put {text} where the screen belongs",
    'ends = { show = "{text}", more = false }|': "acme.toml:19: ussd.reply.ends: this key is missing; add it",
    'api_key = ""|api_key = 1': "acme.toml:2: settings.api_key: this is not text; put it in quotes",
    'api_key = ""|enabled = "true"': "acme.toml:2: settings.enabled: this cannot be the name of a setting; use small letters, such as api_key",
    "[ussd.states]|[ussd.statuses]": "acme.toml:14: ussd.statuses: there is no such setting; did you mean states?",
    "[settings]|[setings]": "acme.toml:1: setings: there is no such table; did you mean settings?",
    'format = "json"|format = "form"': "acme.toml:11: ussd.request.text: a form has no fields in fields; write a name without a dot",
    'input = "newest"|input = "dialled_path"': "acme.toml:8: ussd.request.service_code: a dialled path begins with the code; name the field that has the code",
    'input = "newest"|input = "newest"\ncaller = "national"': 'acme.toml:4: ussd.country: only national numbers need their country; write it with caller = "national", or leave it out',
    'input = "newest"|input = "newest"\ncaller = "national"\ncountry = "Kenya"': "acme.toml:8: ussd.country: there is no such country; write its two letters, such as KE",
    'input = "newest"|input = "newest"\nvouched_networks = ["mtn"]': "acme.toml:9: ussd.request.network: vouched_networks needs it; name the field that has the network",
    "[ussd.reply]|[ussd.screen]\nseptets = 900\n[ussd.reply]": "acme.toml:20: ussd.screen.septets: this is too large; write 182 or less",
    "[ussd.reply]|[ussd.reply]\nstatus = 500": "acme.toml:20: ussd.reply.status: this is too large; write 299 or less",
    '[ussd.reply]|[ussd.reply]\ncontent_type = "html"': "acme.toml:20: ussd.reply.content_type: this is not a content type; write one such as application/json",
    "[ussd.reply]|[ussd.reply": "acme.toml:19: is not TOML",
}


@pytest.mark.parametrize("edit", ROW_FAULTS)
async def test_a_fault_of_a_row_is_told_with_its_line(edit: str, folder: Path) -> None:
    old, _, new = edit.partition("|")
    assert old in ROW
    write(folder, ROW.replace(old, new, 1), SAMPLE)
    assert any(line.startswith(ROW_FAULTS[edit]) for line in list_problems(folder)), list_problems(folder)


SAMPLE_FAULTS = {
    '"more":true|"more": true': """acme.ussd.toml:3: step 1: the row gives reply = '{"show":"Hello","more":true}', and the sample says '{"show":"Hello","more": true}'; """
    + FIX,
    'text = "1"|text = "2"': f"acme.ussd.toml:11: step 2: the row gives text = '1', and the sample says '2'; {FIX}",
    'event = "types"|event = "dials"': f"acme.ussd.toml:11: step 2: the row gives event = 'types', and the sample says 'dials'; {FIX}",
    'caller = "+254722000001"|caller = "+254722000002"': f"acme.ussd.toml:3: step 1: the row gives caller = '+254722000001', and the sample says '+254722000002'; {FIX}",
    '"kind": "next"|"kind": "later"': "acme.ussd.toml:11: step 2: the row does not read the request: kind is missing, or none of the values that the provider documents.; mend the row or the request",
    '"typed": "1"}}|"typed": "1"}': "acme.ussd.toml:11: step 2: the request is not in the format of the row: ",
    'request = \'{"call": "c1", "from": "254722000001", "kind": "first"}\'|request = \'[]\'': "acme.ussd.toml:3: step 1: the request is not in the format of the row: it is not a JSON object; write it as the provider sends it",
    "ends = true|": f"""acme.ussd.toml:11: step 2: the row gives reply = '{{"show":"Bye","more":true}}', and the sample says '{{"show":"Bye","more":false}}'; {FIX}""",
    'service_codes = ["*700#"]|': "acme.ussd.toml:1: service_codes: this key is missing; add it",
    'session = "c1"|': "acme.ussd.toml:3: step.0.session: this key is missing; add it",
    "ends = true|end = true": "acme.ussd.toml:11: step.1.end: there is no such setting; did you mean ends?",
}


@pytest.mark.parametrize("edit", SAMPLE_FAULTS)
async def test_what_a_row_does_otherwise_than_its_sample_says_is_told_with_its_line(edit: str, folder: Path) -> None:
    old, _, new = edit.partition("|")
    assert old in SAMPLE
    write(folder, ROW, SAMPLE.replace(old, new, 1))
    assert any(line.startswith(SAMPLE_FAULTS[edit]) for line in list_problems(folder)), list_problems(folder)


async def test_a_sample_must_have_a_dial_an_input_and_an_end(folder: Path) -> None:
    write(folder, ROW, SAMPLE[: SAMPLE.rindex("[[step]]")])
    assert list_problems(folder) == [
        "acme.ussd.toml: there is no step that types; add one",
        "acme.ussd.toml: there is no step whose screen ends the session; add one",
    ]


async def test_a_row_without_a_sample_is_told_so(folder: Path) -> None:
    (folder / "acme.ussd.toml").unlink()
    assert list_problems(folder) == [
        "acme.toml:4: ussd: there is no sample acme.ussd.toml beside it, which proves it; add one as docs/providers/json.md shows"
    ]


async def test_a_row_without_a_channel_and_one_with_a_bad_name_are_told_so(folder: Path) -> None:
    (folder / "acme.toml").write_text("", encoding="utf-8")
    assert list_problems(folder) == ["acme.toml:1: there is neither [ussd] nor [sms]; add one of them"]
    (folder / "Acme-GH.toml").write_text(ROW, encoding="utf-8")
    assert [str(it) for it in check_row(folder / "Acme-GH.toml")] == [
        "Acme-GH.toml: this is no name for a row; use small letters, digits and single underscores, such as acme_gh.toml"
    ]


def load(tmp_path: Path, **variables: str) -> Settings:
    return load_settings(ROOT / "config.toml", {f"EKDIAL_{name}": value for name, value in variables.items()})


async def test_a_setting_of_a_row_is_read_from_the_environment_and_never_shown(folder: Path) -> None:
    settings = load(
        folder,
        PROVIDERS__JSON__FOLDER=str(folder),
        PROVIDERS__JSON__ACME__ENABLED="true",
        PROVIDERS__JSON__ACME__API_KEY="hunter2",
    )
    assert "hunter2" not in repr(settings)
    section = settings.provider_section(registry.PROVIDERS["json"].settings)
    assert section.rows["acme"].values["api_key"].get_secret_value() == "hunter2"


SETTINGS_FAULTS = {
    "PROVIDERS__JSON__ACME__API_KEYS": "PROVIDERS__JSON__ACME__API_KEYS: there is no such setting; did you mean api_key?",
    "PROVIDERS__JSON__ACMEE__API_KEY": "there is no row of this name; add acmee.toml to providers.json.folder, or write one of acme, ",
    "PROVIDERS__JSON__ACME__ENABLED": "PROVIDERS__JSON__ACME__ENABLED: this is neither true nor false; write true or false",
    "PROVIDERS__JSON__ACME__MORE__KEYS": "there is no such setting",
}


@pytest.mark.parametrize("variable", SETTINGS_FAULTS)
async def test_a_fault_of_the_settings_of_a_row_is_told(variable: str, folder: Path) -> None:
    with pytest.raises(ValidationFailedError) as raised:
        load(folder, PROVIDERS__JSON__FOLDER=str(folder), **{variable: "hunter2"})
    assert SETTINGS_FAULTS[variable].lower() in str(raised.value).lower()
    assert "hunter2" not in str(raised.value)


async def test_a_folder_that_cannot_be_read_is_told(folder: Path) -> None:
    with pytest.raises(ValidationFailedError, match="this folder cannot be read; name a folder that exists"):
        load(folder, PROVIDERS__JSON__FOLDER=str(folder / "nowhere"))


async def test_a_row_of_ones_own_replaces_the_built_in_one_and_can_be_checked(folder: Path) -> None:
    (folder / "hubtel.toml").write_text(ROW, encoding="utf-8")
    assert find_rows(str(folder))["hubtel"] == folder / "hubtel.toml"
    found = find_row_problems(load(folder, PROVIDERS__JSON__FOLDER=str(folder)))
    assert [problem.file for problem in found] == ["hubtel.toml"]


async def test_a_gateway_does_not_start_with_a_row_that_its_sample_contradicts(folder: Path) -> None:
    write(folder, ROW.replace("more = false", "more = true"), SAMPLE)
    settings = build_settings(folder, PROVIDERS__JSON__FOLDER=str(folder), PROVIDERS__JSON__ACME__ENABLED="true")
    entry = next(entry for entry in registry.list_providers(settings) if entry.name == "acme")
    assert entry.build_ussd is not None
    with pytest.raises(ValidationFailedError, match="step 2: the row gives reply"):
        entry.build_ussd(settings, ShortCodeConfig(["*123#"], ScreenBudget(), {}))


async def test_a_row_cannot_have_the_name_of_another_provider(folder: Path) -> None:
    for name in ("sandbox", "json"):
        (folder / f"{name}.toml").write_text(ROW, encoding="utf-8")
        variables = {f"PROVIDERS__JSON__{name.upper()}__ENABLED": "true"}
        with pytest.raises(CommandError, match=f"the name {name} is that of another provider"):
            registry.list_providers(build_settings(folder, PROVIDERS__JSON__FOLDER=str(folder), **variables))
