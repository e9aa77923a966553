"""The settings of binds, and what they refuse."""

import pytest
from pydantic import SecretStr

from config.loader import load_settings
from core.errors import ValidationFailedError
from providers.registry import SETTINGS_MODELS
from providers.smpp.settings import BindSettings, SmppSettings
from tests.support.smsc_programs import ROOT

BIND = """
[providers.smpp.binds.robi]
host = "smsc.example.org"
"""


def load(tmp_path, text, **environment):
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment, provider_models=SETTINGS_MODELS)


def find_problems(tmp_path, text, **environment):
    with pytest.raises(ValidationFailedError) as refused:
        load(tmp_path, text, **environment)
    return "\n".join(map(str, refused.value.problems))


def test_a_bind_needs_a_host_and_has_defaults_for_the_rest(tmp_path):
    smpp = load(tmp_path, BIND).provider_section(SmppSettings)
    assert smpp.binds == {"robi": BindSettings(host="smsc.example.org")}
    assert "a bind has no host; write the address of the SMSC" in find_problems(
        tmp_path, "[providers.smpp.binds.robi]\n"
    )


def test_the_commented_example_of_config_toml_has_every_key_with_its_default(tmp_path):
    lines = (ROOT / "config.toml").read_text(encoding="utf-8").split("\n")
    begins = lines.index("# [providers.smpp.binds.robi]")
    example = []
    for line in lines[begins:]:
        if not line.startswith("# "):
            break
        example.append(line.removeprefix("# "))
    bind = load(tmp_path, "\n".join(example)).provider_section(SmppSettings).binds["robi"]
    keys = {line.partition(" = ")[0] for line in example[1:]}
    assert keys == set(BindSettings.model_fields)
    differing = {key for key in keys if getattr(bind, key) != getattr(BindSettings(), key)}
    assert differing <= {"host", "tls_ca", "source_ton", "source_npi"}, (
        "the example shows another value than the default"
    )


def test_passwords_come_from_the_environment_a_line_each(tmp_path):
    text = BIND + BIND.replace("robi", "grameen").replace("smsc", "gp") + 'password = "own"\n'
    smpp = load(tmp_path, text, EKDIAL_PROVIDERS__SMPP__PASSWORDS="robi=a=b\n").provider_section(SmppSettings)
    assert (smpp.find_password("robi"), smpp.find_password("grameen")) == ("a=b", "own")
    assert "a=b" not in repr(smpp)


@pytest.mark.parametrize("line", ["banglalink=hunter2", "hunter2", "robi hunter2"])
def test_a_password_for_no_bind_is_refused_and_not_shown(tmp_path, line):
    problems = find_problems(tmp_path, BIND, EKDIAL_PROVIDERS__SMPP__PASSWORDS=line)
    assert "a line is for no bind; write name=password on each line" in problems
    assert "hunter2" not in problems


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('system_id = "sixteen letters!"', "SMPP has no room for it; write 15 ASCII letters"),
        ('system_id = "আমার"', "SMPP has no room for it; write 15 ASCII letters"),
        ('sender = "a name of more than 20"', "SMPP has no room for it; write 20 ASCII letters"),
        ("window = 0", "this is too small; write 1 or more"),
        ('mode = "both"', "this is not one of what it may be"),
        ('shift_tables = ["ta"]', "this is not one of what it may be"),
        ('hots = "x"', "there is no such setting; did you mean host?"),
        ("source_ton = 8", "this is too large; write 7 or less"),
        ("response_timeout = 0", "this is too small; write more than 0"),
        ('country_code = "+880"', "this is not a calling code; write 880"),
        ('network = "Robi"', "this is not a network; write its code, 47002"),
        ('account = "a/b"', "this is not the name of an account; write robi"),
    ],
    ids=range(12),
)
def test_what_does_not_fit_is_refused(tmp_path, line, problem):
    assert problem in find_problems(tmp_path, f"{BIND}{line}\n")


def test_a_name_of_a_bind_is_a_word(tmp_path):
    assert "'Robi-1' is not the name of a bind" in find_problems(tmp_path, BIND.replace("robi", '"Robi-1"'))


@pytest.mark.parametrize(
    "rest", ["", f'{BIND}mode = "receiver"\n', f"{BIND}sms = false\n"], ids=["none", "receiver", "USSD"]
)
def test_sending_by_smpp_needs_a_bind_that_submits(tmp_path, rest):
    assert "no bind sends SMS" in find_problems(tmp_path, f'[sms]\nprovider = "smpp"\n{rest}')


def test_a_password_is_not_shown():
    assert "s3cret" not in repr(BindSettings(password=SecretStr("s3cret")))
