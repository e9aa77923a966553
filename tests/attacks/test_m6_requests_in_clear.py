"""M6: nothing that carries a secret or personal data leaves this machine without encryption, whatever setting it is in."""

import json
import re
from typing import Annotated, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.settings import load_settings
from core.errors import ValidationFailedError
from tests.support.phone import ROOT

CONFIG = ROOT / "config.toml"
FAR = "http://system.example.org/v1"
SECTIONS = type(load_settings(CONFIG, {}))


def text_settings(model: type[BaseModel], above: tuple[str, ...] = ()):
    """Every setting of text, with its key path and default; `one` stands for the key of a table of tables."""
    for name, field in model.model_fields.items():
        yield from _text_settings(field.annotation, (*above, name), field.default)


def _text_settings(annotation, key_path, default):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from text_settings(annotation, key_path)
    elif get_origin(annotation) is Annotated:
        yield from _text_settings(get_args(annotation)[0], key_path, default)
    elif getattr(get_origin(annotation), "__name__", "") == "Mapping":
        yield from _text_settings(get_args(annotation)[1], (*key_path, "one"), None)
    elif annotation is str:
        yield key_path, default


URLS = [
    key_path
    for key_path, default in text_settings(SECTIONS)
    if re.search(r"(^|_)(url|address)$", key_path[-1]) or "://" in str(default)
]


def list_problem_keys(tmp_path, key_path, value):
    *section, key = key_path
    file = tmp_path / "config.toml"
    file.write_text(f"[{'.'.join(section)}]\n{key} = {json.dumps(value)}\n")
    try:
        load_settings(file, {})
    except ValidationFailedError as refused:
        return [problem.key for problem in refused.problems if "encryption" in problem.problem]
    return []


def test_m6_the_settings_with_an_address_are_found():
    """The search below sees them all: of each kind of table one, and the provider's."""
    assert {
        ("server", "public_url"),
        ("documents", "base_url"),
        ("departments", "one", "url"),
        ("payments", "daraja", "base_url"),
        ("payments", "billers", "one", "url"),
        ("providers", "africastalking", "base_url"),
        ("links", "kaios"),
    } <= set(URLS)


@pytest.mark.parametrize("key_path", URLS, ids=".".join)
@pytest.mark.parametrize("url", [FAR, "http://127.0.0.1@system.example.org", "http://localhost.example.org:80"])
def test_m6_an_address_in_clear_is_refused(key_path, url, tmp_path):
    assert list_problem_keys(tmp_path, key_path, url) == [".".join(key_path)]


@pytest.mark.parametrize("key_path", [one for one in URLS if one != ("server", "public_url")], ids=".".join)
@pytest.mark.parametrize(
    "url", ["https://system.example.org/v1", "http://127.0.0.1:9000", "http://[::1]", "http://localhost"]
)
def test_m6_https_and_this_machine_are_accepted(key_path, url, tmp_path):
    assert list_problem_keys(tmp_path, key_path, url) == []


@pytest.mark.parametrize("host", ["smtp.example.org", "192.0.2.25"])
def test_m6_mail_in_clear_is_refused(host, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(f'[mail]\nhost = "{host}"\nsecurity = "none"\nsender = "no-reply@example.org"\n')
    with pytest.raises(ValidationFailedError) as refused:
        load_settings(file, {})
    assert "mail.security" in [problem.key for problem in refused.value.problems]
