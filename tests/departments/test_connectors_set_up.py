"""Connectors as they are set: by file and by environment, each department's own; mistakes told in a line, secrets never."""

import base64
import json
from pathlib import Path

import pytest

from assembly.lifecycle import checked
from configured import read
from faults import Broken
from tests.fakes.department_server import SECRET
from tests.phone import ROOT, settings_for

HERE = {"url": "http://127.0.0.1:9000/ekdial", "token": "hunter2", "secret": SECRET}


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults_of(path: Path, environment: dict[str, str]) -> str:
    with pytest.raises(Broken) as broken:
        read(path, environment)
    return str(broken.value)


def test_without_any_every_department_uses_the_built_in_registry():
    assert read(ROOT / "config.toml", {}).departments == {}


def test_one_can_be_set_in_the_file_and_another_in_the_environment(tmp_path):
    file = written(tmp_path, '[departments.dncc]\nurl = "https://registry.example.org"\ntoken = "t"\nparallel = 9\n')
    departments = read(file, {"EKDIAL_DEPARTMENTS__LAND": json.dumps(HERE)}).departments
    assert {code: connector.url for code, connector in departments.items()} == {
        "dncc": "https://registry.example.org",
        "land": "http://127.0.0.1:9000/ekdial",
    }
    assert departments["dncc"].parallel == 9
    assert departments["land"].secrets == (SECRET,)


def test_a_file_of_the_environment_can_hold_one(tmp_path):
    kept = tmp_path / "dncc.json"
    kept.write_text(json.dumps(HERE))
    departments = read(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC_FILE": str(kept)}).departments
    assert departments["dncc"].token.get_secret_value() == "hunter2"


def test_the_commented_example_of_config_toml_is_one(tmp_path):
    lines = (ROOT / "config.toml").read_text(encoding="utf-8").split("\n")
    begins = lines.index(next(line for line in lines if line.startswith("# [departments.dncc]")))
    example = [line.removeprefix("# ") for line in lines[begins : begins + 9]]
    file = written(tmp_path, "\n".join(example).replace('token = ""', 'token = "t"'))
    connector = read(file, {}).departments["dncc"]
    assert (connector.deadline, connector.parallel, connector.poll_minutes) == (10.0, 4, 0)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "url: nothing can be delivered without it; write the https:// address of its system"),
        ({**HERE, "url": "http://registry.example.org"}, "url: what citizens wrote would go out in clear; write an"),
        ({**HERE, "url": "ftp://x"}, "url: 'ftp://x' is not an address; write one that begins with https://"),
        (
            {"url": "https://x.example"},
            "EKDIAL_DEPARTMENTS__DNCC: its system could not know us from anybody else; give",
        ),
        ({**HERE, "secret": "hunter2"}, "secret: this is not a secret to sign with; write whsec_ and Base64"),
        ({**HERE, "secret": "", "former_secret": SECRET}, "former_secret: there is none after it; write it as secret"),
        ({**HERE, "deadline": 0}, "deadline: this is too small; write more than 0"),
        ({**HERE, "parallel": 51}, "parallel: this is too large; write 50 or less"),
        ({**HERE, "ulr": "x"}, "ulr: there is no such setting; did you mean url?"),
        ([], "EKDIAL_DEPARTMENTS__DNCC: this is not a table; write its keys under a [header]"),
    ],
)
def test_a_mistake_is_told_where_it_is_and_no_secret_with_it(given, line):
    said = faults_of(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": json.dumps(given)})
    assert line in said
    assert "hunter2" not in said


def test_what_is_no_json_and_what_is_no_code_is_told():
    assert "this is not JSON" in faults_of(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": "{hunter2"})
    assert "there is no such setting" in faults_of(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__A__B": "{}"})


def test_a_code_that_cannot_be_one_is_told_with_its_line(tmp_path):
    file = written(tmp_path, '[departments."DN CC"]\nurl = "https://x.example"\ntoken = "t"\n')
    assert "config.toml:1: " in faults_of(file, {})


def test_its_secrets_are_not_shown():
    settings = read(ROOT / "config.toml", {"EKDIAL_DEPARTMENTS__DNCC": json.dumps(HERE)})
    secret = SECRET.removeprefix("whsec_")
    for said in (repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in said
        assert secret not in said
    assert base64.b64decode(secret)


async def test_a_department_that_the_catalogue_does_not_have_is_told_before_the_gateway_starts(tmp_path):
    settings = settings_for(tmp_path, DEPARTMENTS__DNNC=json.dumps(HERE))
    with pytest.raises(Broken, match=r"there is no department 'dnnc'.*did you mean dncc"):
        await checked(settings)
