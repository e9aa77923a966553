"""Settings of departments' own systems, in the file and in the environment."""

import base64
import json
from pathlib import Path

import pytest

from app.bootstrap import build_checked_menu
from app.settings import load_settings
from core.errors import ValidationFailedError
from tests.fakes.department_server import SECRET
from tests.support.phone import ROOT, build_settings

HERE = {"url": "http://127.0.0.1:9000/ekdial", "token": "hunter2", "secret": SECRET}


def write_config(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def list_problems(path: Path, environment: dict[str, str]) -> str:
    with pytest.raises(ValidationFailedError) as broken:
        load_settings(path, environment)
    return str(broken.value)


def test_departments_without_settings_use_the_built_in_registry():
    assert load_settings(ROOT / "config.toml", {}).departments == {}


def test_one_department_is_set_in_the_file_and_another_in_the_environment(tmp_path):
    file = write_config(
        tmp_path, '[departments.dncc]\nurl = "https://registry.example.org"\ntoken = "t"\nconcurrency = 9\n'
    )
    departments = load_settings(file, {"EKDIAL_DEPARTMENTS__LAND": json.dumps(HERE)}).departments
    assert {code: connector.url for code, connector in departments.items()} == {
        "dncc": "https://registry.example.org",
        "land": "http://127.0.0.1:9000/ekdial",
    }
    assert departments["dncc"].concurrency == 9
    assert departments["land"].signing_secrets == (SECRET,)


def test_a_department_is_read_from_the_file_that_a_variable_names(tmp_path):
    kept = tmp_path / "dncc.json"
    kept.write_text(json.dumps(HERE))
    departments = load_settings(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC_FILE": str(kept)}).departments
    assert departments["dncc"].token.get_secret_value() == "hunter2"


def test_the_commented_example_of_config_toml_is_valid(tmp_path):
    lines = (ROOT / "config.toml").read_text(encoding="utf-8").split("\n")
    begins = lines.index(next(line for line in lines if line.startswith("# [departments.dncc]")))
    example = [line.removeprefix("# ") for line in lines[begins : begins + 9]]
    file = write_config(tmp_path, "\n".join(example).replace('token = ""', 'token = "t"'))
    connector = load_settings(file, {}).departments["dncc"]
    assert (connector.deadline, connector.concurrency, connector.poll_minutes) == (10.0, 4, 0)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "url: deliveries need it; write the https:// address of the system"),
        (
            {**HERE, "url": "http://registry.example.org"},
            "url: secrets and the data of citizens would be sent without encryption; write an",
        ),
        ({**HERE, "url": "ftp://x"}, "url: 'ftp://x' is not an address; write one that begins with https://"),
        (
            {"url": "https://x.example"},
            "EKDIAL_DEPARTMENTS__DNCC: the system cannot authenticate us; give",
        ),
        ({**HERE, "secret": "hunter2"}, "secret: this is not a secret to sign with; write whsec_ and Base64"),
        (
            {**HERE, "secret": "", "previous_secret": SECRET},
            "previous_secret: there is no newer secret; write this one as secret",
        ),
        ({**HERE, "deadline": 0}, "deadline: this is too small; write more than 0"),
        ({**HERE, "concurrency": 51}, "concurrency: this is too large; write 50 or less"),
        ({**HERE, "ulr": "x"}, "ulr: there is no such setting; did you mean url?"),
        ([], "EKDIAL_DEPARTMENTS__DNCC: this is not a table; write its keys under a [header]"),
    ],
)
def test_a_mistake_is_reported_with_its_place_and_without_secrets(values, line):
    said = list_problems(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": json.dumps(values)})
    assert line in said
    assert "hunter2" not in said


def test_invalid_json_and_an_invalid_code_are_reported():
    assert "this is not JSON" in list_problems(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": "{hunter2"})
    assert "there is no such setting" in list_problems(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__A__B": "{}"})


def test_an_invalid_department_code_is_reported_with_its_line(tmp_path):
    file = write_config(tmp_path, '[departments."DN CC"]\nurl = "https://x.example"\ntoken = "t"\n')
    assert "config.toml:1: " in list_problems(file, {})


def test_secrets_of_departments_are_never_shown():
    settings = load_settings(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": json.dumps(HERE)})
    secret = SECRET.removeprefix("whsec_")
    for said in (repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in said
        assert secret not in said
    assert base64.b64decode(secret)


async def test_a_department_missing_from_the_catalogue_is_reported_at_start(tmp_path):
    settings = build_settings(tmp_path, DEPARTMENTS__DNNC=json.dumps(HERE))
    with pytest.raises(ValidationFailedError, match=r"there is no department 'dnnc'.*did you mean dncc"):
        await build_checked_menu(settings)
