"""Settings: the defaults in config.toml, the variables that override them, and the message for each mistake."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from app.settings import load_settings
from config.embedded import EmbeddedStoreError, read_secret
from config.renamed import RENAMED_SETTINGS
from config.settings import NetworkSettings, Settings
from config.systems import DepartmentSettings
from core.errors import ValidationFailedError
from core.toml_source import index_key_lines
from providers.africastalking.settings import AfricasTalkingSettings
from providers.registry import PROVIDERS
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config.toml"
SOURCE = CONFIG.read_text(encoding="utf-8")
BROKEN = ROOT / "tests" / "broken" / "config"
SECRET = "hunter2 hunter2 hunter2 hunter2 hunter2"
TOKEN, OTHER_TOKEN = (f"{WEBHOOK_TOKEN}-{number}" for number in (1, 2))
PUBLIC = {f"EKDIAL_{key}": value for key, value in PUBLIC_SETTINGS.items()} | {"EKDIAL_KEYS__SECRET": SECRET}
ODD = (
    *("[]", "{}", "[[1]]", "[{ a = 1 }]", "0", "-7", "1.5", "nan", "inf", "true", '""', '"x"', '"\\u0000"'),
    *("1979-05-27", "99999999999999999999", '"' + "9" * 5000 + '"'),
)


def list_problems(path, environment=None):
    with pytest.raises(ValidationFailedError) as broken:
        load_settings(path, environment or {})
    return str(broken.value).split("\n")


def write_config(folder, text):
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


# What config.toml shows ----------------------------------------------------------------------------------------------


def setting_keys(model, place=()):
    """Every key path that is not a table, with its field."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_keys(field.annotation, (*place, name))
        else:
            yield (*place, name), field


KEYS = dict(setting_keys(type(load_settings(CONFIG, {}))))
DEFAULTS = type(load_settings(CONFIG, {}))().model_dump()


def test_config_toml_holds_every_default():
    assert load_settings(CONFIG, {}).model_dump() == DEFAULTS


@pytest.mark.parametrize("place", KEYS, ids=".".join)
def test_config_toml_has_every_key_with_a_comment(place):
    found = index_key_lines(SOURCE)
    assert place in found, "it is not there"
    line = found[place]
    above, own = SOURCE.split("\n")[line - 2 : line]
    assert "#" in own.rpartition('"')[2] or above.startswith("#"), own


def test_config_toml_has_nothing_but_settings():
    def leaves(tables, place=()):
        for key, value in tables.items():
            here = (*place, key)
            yield from leaves(value, here) if isinstance(value, dict) and here not in KEYS else [here]

    assert set(leaves(tomllib.loads(SOURCE))) == set(KEYS)


def test_an_empty_file_gives_every_default(tmp_path):
    assert load_settings(write_config(tmp_path, ""), {}).model_dump() == DEFAULTS


def test_a_file_with_a_byte_order_mark_and_crlf_is_read(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(("\ufeff" + SOURCE.replace("port = 8080", "port = 8082").replace("\n", "\r\n")).encode())

    assert load_settings(file, {}).server.port == 8082


def test_settings_cannot_be_changed():
    settings = load_settings(CONFIG, {})

    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1
    with pytest.raises(ValidationError, match="frozen"):
        settings.server = settings.server


# What overrides it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "read_as"),
    [
        ("EKDIAL_SERVER__PORT", "9000", lambda it: it.server.port == 9000),
        ("EKDIAL_SERVER__DATA_DIR", "/srv/ekdial", lambda it: it.server.data_dir == Path("/srv/ekdial")),
        ("EKDIAL_SERVER__LOG_LEVEL", "debug", lambda it: it.server.log_level == "debug"),
        ("EKDIAL_USSD__UNICODE", "true", lambda it: it.ussd.unicode is True),
        ("EKDIAL_USSD__DEADLINE", "4.5", lambda it: it.ussd.deadline == 4.5),
        (
            "EKDIAL_USSD__SERVICE_CODES",
            '["*999#", "*998*1#"]',
            lambda it: it.ussd.service_codes == ("*999#", "*998*1#"),
        ),
        (
            "EKDIAL_USSD__NETWORKS",
            '{"47000": {"unicode": true}}',
            lambda it: it.ussd.networks == {"47000": NetworkSettings(unicode=True)},
        ),
        ("EKDIAL_LANGUAGES__OFFERED", '["hi", "en"]', lambda it: it.languages.offered == ("hi", "en")),
        ("EKDIAL_MENU__MAIN", '{"1": "track"}', lambda it: it.menu.main == {"1": "track"}),
        ("EKDIAL_WEBHOOKS__ALLOWED_IPS", "[]", lambda it: it.webhooks.allowed_ips == ()),
        (
            "EKDIAL_PROVIDERS__AFRICASTALKING__USERNAME",
            "12",
            lambda it: it.provider_section(AfricasTalkingSettings).username == "12",
        ),
        ("EKDIAL_SIMULATOR__ENABLED", "False", lambda it: it.simulator.enabled is False),
        ("EKDIAL_SIMULATOR__ENABLED", "auto", lambda it: it.simulator.enabled == "auto"),
    ],
)
def test_a_variable_overrides_the_file(variable, value, read_as):
    assert read_as(load_settings(CONFIG, {variable: value}))


def test_a_variable_leaves_the_other_keys_of_its_table_alone(tmp_path):
    file = write_config(tmp_path, '[server]\nhost = "127.0.0.2"\nport = 81\n')

    server = load_settings(file, {"EKDIAL_SERVER__PORT": "82"}).server

    assert (server.host, server.port) == ("127.0.0.2", 82)


def test_a_table_from_the_environment_replaces_that_of_the_file():
    assert list(load_settings(CONFIG, {"EKDIAL_USSD__NETWORKS": "{}"}).ussd.networks) == []


def test_the_environment_of_the_process_is_the_default(monkeypatch):
    monkeypatch.setenv("EKDIAL_SERVER__PORT", "9001")

    assert load_settings(CONFIG).server.port == 9001
    assert load_settings(CONFIG, {}).server.port == 8080


def test_a_secret_is_read_from_the_file_that_a_variable_names(tmp_path):
    (tmp_path / "key").write_text(f"{SECRET}\n")

    settings = load_settings(CONFIG, {"EKDIAL_KEYS__SECRET_FILE": str(tmp_path / "key")})

    assert settings.keys.secret.get_secret_value() == SECRET


AROUND = ["\ufeff{}", "{}\r\n", "\ufeff{}\r\n\r\n", " \t{} ", "\u200b{}\u2060", "\n{}\ufeff"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    ("variable", "value", "read_setting"),
    [
        ("EKDIAL_KEYS__SECRET", SECRET, lambda it: it.keys.secret.get_secret_value()),
        ("EKDIAL_KEYS__FORMER", json.dumps([f"\ufeff{SECRET} "]), lambda it: it.keys.former[0].get_secret_value()),
        ("EKDIAL_WEBHOOKS__TOKENS", TOKEN, lambda it: it.webhooks.first_token),
        ("EKDIAL_WEBHOOKS__TOKENS", f"{OTHER_TOKEN} \r\n\ufeff{TOKEN} ", lambda it: it.webhooks.secret_tokens[1]),
        ("EKDIAL_WEBHOOKS__TOKENS", f'["\\ufeff{TOKEN} "]', lambda it: it.webhooks.first_token),
        ("EKDIAL_DATABASE__URL", "sqlite+aiosqlite:///x.db", lambda it: it.database.url.get_secret_value()),
        ("EKDIAL_SERVER__PORT", "8089", lambda it: str(it.server.port)),
        ("EKDIAL_SERVER__HOST", "127.0.0.2", lambda it: it.server.host),
        ("EKDIAL_USSD__SERVICE_CODES", '["*999#\\r\\n"]', lambda it: it.ussd.service_codes[0]),
    ],
)
def test_what_nobody_sees_around_a_value_is_no_part_of_it(variable, value, read_setting, around, tmp_path):
    file = tmp_path / "value"
    file.write_bytes(around.format(value).encode())
    expected = {"KEYS__FORMER": SECRET, "WEBHOOKS__TOKENS": TOKEN, "USSD__SERVICE_CODES": "*999#"}
    for environment in ({variable: around.format(value)}, {f"{variable}_FILE": str(file)}):
        given = read_setting(load_settings(CONFIG, environment))
        assert given == expected.get(variable.removeprefix("EKDIAL_"), value)


def test_what_nobody_sees_around_a_text_in_the_file_is_no_part_of_it(tmp_path):
    file = write_config(
        tmp_path, f'[keys]\nsecret = "\\uFEFF{SECRET}\\r\\n"\n[webhooks]\ntokens = [" {TOKEN}\\uFEFF"]\n'
    )
    settings = load_settings(file, {})
    assert settings.keys.secret.get_secret_value() == SECRET
    assert settings.webhooks.secret_tokens == (TOKEN,)


def test_the_stored_key_is_read_like_every_secret(tmp_path):
    settings = load_settings(CONFIG, {"EKDIAL_SERVER__DATA_DIR": str(tmp_path)})
    (tmp_path / "secret").write_bytes(f"\ufeff{SECRET}\r\n".encode())
    assert read_secret(settings) == SECRET
    (tmp_path / "secret").write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(EmbeddedStoreError, match="is damaged"):
        read_secret(settings)


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (TOKEN, (TOKEN,)),
        (f"{TOKEN}\n{OTHER_TOKEN}\n", (TOKEN, OTHER_TOKEN)),
        (f'["{TOKEN}", "{OTHER_TOKEN}"]', (TOKEN, OTHER_TOKEN)),
        ("", ()),
    ],
)
def test_webhook_tokens_in_a_variable_are_lines_or_json(value, tokens):
    assert load_settings(CONFIG, {"EKDIAL_WEBHOOKS__TOKENS": value}).webhooks.secret_tokens == tokens


def test_webhook_tokens_that_are_broken_json_are_reported_without_their_text():
    (line,) = list_problems(CONFIG, {"EKDIAL_WEBHOOKS__TOKENS": '["hunter2'})

    assert line == (
        'environment: EKDIAL_WEBHOOKS__TOKENS: this is not JSON; write one token a line, or a list such as ["token"]'
    )


def test_other_variables_and_those_of_the_tests_are_ignored():
    others = {"EKDIALLER": "x", "PATH": "/bin", "EKDIAL_TEST_REDIS_URL": "redis://x"}

    assert load_settings(CONFIG, others).model_dump() == DEFAULTS


SMS_PROVIDERS = " or ".join(sorted(repr(name) for name, entry in PROVIDERS.items() if entry.list_members is None))


# The line for each mistake -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted(path.name for path in BROKEN.iterdir()))
def test_a_broken_file_is_reported_with_place_problem_and_fix(case, monkeypatch):
    monkeypatch.chdir(BROKEN)
    source = (BROKEN / case).read_text(encoding="utf-8").split("\n")
    expected = [
        line.removeprefix("# ").replace("{sms_providers}", SMS_PROVIDERS)
        for line in source
        if line.startswith(f"# {case}:")
    ]

    assert expected, "the file does not say what is expected"
    assert list_problems(Path(case)) == expected


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {"EKDIAL_REDIS__ULR": "memory://"},
            "EKDIAL_REDIS__ULR: there is no such setting; did you mean EKDIAL_REDIS__URL?",
        ),
        (
            {"EKDIAL_SECRET_FILE": "/nowhere"},
            "EKDIAL_SECRET_FILE: there is no such setting; did you mean EKDIAL_KEYS__SECRET?",
        ),
        (
            {"EKDIAL_HOME": "/srv"},
            "EKDIAL_HOME: there is no such setting; take it out, or see config.toml for what there is",
        ),
        (
            {"EKDIAL_SERVER": '{"port": 1}'},
            "EKDIAL_SERVER: there is no such setting; did you mean EKDIAL_SERVER__PORT?",
        ),
        ({"EKDIAL_SERVER__PORT": "abc"}, "EKDIAL_SERVER__PORT: this is not a whole number; write one such as 300"),
        ({"EKDIAL_SERVER__PORT": ""}, "EKDIAL_SERVER__PORT: this is not a whole number; write one such as 300"),
        (
            {"EKDIAL_LANGUAGES__OFFERED": "en,bn"},
            'EKDIAL_LANGUAGES__OFFERED: this is not JSON; write lists and tables as JSON, such as ["en", "bn"]',
        ),
        (
            {"EKDIAL_LANGUAGES__OFFERED": '["en", "fr"]'},
            "EKDIAL_LANGUAGES__OFFERED.1: there is no such language; write 'en', 'bn' or 'hi', or add its files languages/XX.toml, menus/locales/XX.toml and sms/keywords/words/XX.toml (docs/how-to/add-a-language.md)",
        ),
        (
            {"EKDIAL_MENU__MAIN": "5"},
            "EKDIAL_MENU__MAIN: this is not a table; write its keys under a [header]",
        ),
        (
            {"EKDIAL_USSD__NETWORKS": '{"63903": {"septets": 182}}'},
            "EKDIAL_USSD__NETWORKS.63903.septets: there is no such setting; did you mean screen_septets?",
        ),
        (
            {"EKDIAL_KEYS__SECRET_FILE": "/nowhere/key"},
            "EKDIAL_KEYS__SECRET_FILE: /nowhere/key: No such file or directory; name a file that can be read",
        ),
        (
            {"EKDIAL_KEYS__SECRET_FILE": "/nowhere/key", "EKDIAL_KEYS__SECRET": SECRET},
            "EKDIAL_KEYS__SECRET_FILE: EKDIAL_KEYS__SECRET is given too; give one of the two",
        ),
        (
            {
                "EKDIAL_SERVER__HOST": "10.0.0.1",
                "EKDIAL_KEYS__SECRET": SECRET,
                "EKDIAL_WEBHOOKS__TOKENS": "[]",
            },
            "EKDIAL_WEBHOOKS__TOKENS: the gateway would listen on 10.0.0.1, and would accept webhooks from anyone; give a token: python server.py keys generate-secret prints a fresh one",
        ),
    ],
)
def test_a_wrong_variable_is_reported_by_its_name(environment, line):
    assert list_problems(CONFIG, environment) == [f"environment: {line}"]


@pytest.mark.parametrize(("old", "new"), RENAMED_SETTINGS.items(), ids=".".join)
def test_an_old_name_in_the_file_is_refused_with_the_new_one(old, new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old, new = ([part.replace("*", "dncc") for part in path] for path in (old, new))
    write_config(tmp_path, f"[{'.'.join(old[:-1])}]\n{old[-1]} = 1\n")

    line, *_ = list_problems(Path("config.toml"))

    assert line == f"config.toml:2: {'.'.join(old)}: this setting is renamed to {'.'.join(new)}; use that name"


@pytest.mark.parametrize(("old", "new"), RENAMED_SETTINGS.items(), ids=".".join)
@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_an_old_name_in_the_environment_is_refused_with_the_new_one(old, new, suffix):
    if "*" in old:
        variable, value = "EKDIAL_DEPARTMENTS__DNCC", json.dumps({old[-1]: 1})
        expected = f"EKDIAL_DEPARTMENTS__DNCC.{old[-1]}: this setting is renamed to departments.dncc.{new[-1]}"
        suffix = ""
    else:
        variable, value = f"EKDIAL_{'__'.join(old).upper()}{suffix}", "1"
        expected = f"{variable}: this setting is renamed to EKDIAL_{'__'.join(new).upper()}{suffix}"

    assert f"environment: {expected}; use that name" in list_problems(CONFIG, {variable: value})


def test_every_new_name_is_a_setting():
    of_a_department = {("departments", "*", key) for key in DepartmentSettings.model_fields}
    assert {*RENAMED_SETTINGS.values()} <= {*KEYS, *of_a_department}


def test_a_secret_file_that_is_not_text_is_reported(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")

    (said,) = list_problems(CONFIG, {"EKDIAL_KEYS__SECRET_FILE": str(tmp_path / "key")})

    assert said == f"environment: EKDIAL_KEYS__SECRET_FILE: {tmp_path}/key is not a text file; save it as UTF-8"


def test_all_problems_are_reported_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_config(tmp_path, '[server]\nport = 65536\n\n[languages]\ndefault = "ta"\n\n[sms]\nconcurency = 4\n')

    assert [
        line.split("; ")[0]
        for line in list_problems(file, {"EKDIAL_X": "1", "EKDIAL_USSD__CALLER_NUMBER_VERIFIED": "maybe"})
    ] == [
        "config.toml:2: server.port: this is too large",
        "config.toml:5: languages.default: there is no such language",
        "config.toml:8: sms.concurency: there is no such setting",
        "environment: EKDIAL_USSD__CALLER_NUMBER_VERIFIED: this is neither true nor false",
        "environment: EKDIAL_X: there is no such setting",
    ]


def test_all_contradictions_are_reported():
    environment = {"EKDIAL_SERVER__HOST": "::", "EKDIAL_SMS__PROVIDER": "africastalking", "EKDIAL_REDIS__CLUSTER": "1"}

    said = [
        line.split(":")[2].strip() for line in list_problems(CONFIG, environment | {"EKDIAL_LANGUAGES__DEFAULT": "bn"})
    ]

    assert sorted(said) == [
        *("keys.secret", "memory", "providers.africastalking.api_key", "server.public_url", "webhooks.tokens"),
    ]


@pytest.mark.parametrize("topics", ['["arn:aws:sqs:eu-west-1:354285753755:bpt"]', '["bpt_01823072645"]', '[""]'])
def test_bkash_needs_the_topics_of_amazon_sns(topics):
    enabled = {"EKDIAL_PAYMENTS__BKASH__ENABLED": "true"}
    (said,) = list_problems(CONFIG, enabled)
    assert "EKDIAL_PAYMENTS__BKASH__ENABLED: no message would be accepted, as topics is empty" in said
    (said,) = list_problems(CONFIG, {**enabled, "EKDIAL_PAYMENTS__BKASH__TOPICS": topics})
    assert "EKDIAL_PAYMENTS__BKASH__TOPICS" in said
    topic = "arn:aws:sns:ap-southeast-1:354285753755:bpt_01823072645"
    settings = load_settings(CONFIG, {**enabled, "EKDIAL_PAYMENTS__BKASH__TOPICS": json.dumps([topic])})
    assert settings.payments.bkash.topics == (topic,)


def test_a_missing_file_is_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert list_problems(Path("nowhere.toml")) == [
        "nowhere.toml: cannot be read: No such file or directory; name a file that exists"
    ]
    assert list_problems(tmp_path) == [".: cannot be read: Is a directory; name a file that exists"]


def test_a_file_that_is_not_utf8_is_reported_with_the_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_bytes(b"[server]\n# caf\xe9\n")

    assert list_problems(tmp_path / "config.toml") == ["config.toml:2: is not UTF-8; save the file as UTF-8"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_value_is_reported_on_its_line_in_our_words(odd, tmp_path):
    for number, line in enumerate(SOURCE.split("\n"), 1):
        key, equals, _ = line.partition(" = ")
        if equals and not key.startswith("#"):
            source = SOURCE.split("\n")
            source[number - 1] = f"{key} = {odd}"
            faults = problems_in(write_config(tmp_path, "\n".join(source)))
            assert not faults or number in {fault.line for fault in faults}, line
            assert not re.search("Input|should|valid", "\n".join(map(str, faults)))


def test_a_lost_line_is_harmless_or_reported(tmp_path):
    for number in range(len(source := SOURCE.split("\n"))):
        faults = problems_in(write_config(tmp_path, "\n".join([*source[:number], *source[number + 1 :]])))
        assert all(1 <= fault.line < len(source) for fault in faults)


def problems_in(path):
    """The problems of the file, in a deployment that has its secrets in the environment."""
    try:
        load_settings(path, {"EKDIAL_KEYS__SECRET": SECRET, "EKDIAL_WEBHOOKS__TOKENS": TOKEN})
    except ValidationFailedError as broken:
        return broken.problems
    return ()


def test_a_problem_that_other_code_finds_has_the_place_of_the_setting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_file = load_settings(write_config(tmp_path, '[menu.main]\n1 = "find"\n3 = "helf"\n'), {})
    by_variable = load_settings(tmp_path / "config.toml", {"EKDIAL_MENU__MAIN": '{"3": "helf"}'})

    said = ("menu", "main", "3"), "'helf' is not an entry of the main menu", "choose from help"

    assert (
        str(by_file.problem_at(*said))
        == "config.toml:3: menu.main.3: 'helf' is not an entry of the main menu; choose from help"
    )
    assert str(by_variable.problem_at(*said)) == (
        "environment: EKDIAL_MENU__MAIN.3: 'helf' is not an entry of the main menu; choose from help"
    )


# Secrets -------------------------------------------------------------------------------------------------------------

GUARDED = {place for place, field in KEYS.items() if "SecretStr" in str(field.annotation)}
SECRETS = {
    "EKDIAL_KEYS__SECRET": SECRET,
    "EKDIAL_KEYS__FORMER": f'["former {SECRET}"]',
    **{f"EKDIAL_{'__'.join(place).upper()}": "hunter2" for place in sorted(GUARDED) if place[0] == "providers"},
    "EKDIAL_WEBHOOKS__TOKENS": f"hunter2 {TOKEN}",
    "EKDIAL_MAIL__PASSWORD": "hunter2",
    "EKDIAL_DOCUMENTS__CLIENT_SECRET": "hunter2",
    "EKDIAL_PAYMENTS__DARAJA__CONSUMER_KEY": "hunter2",
    "EKDIAL_PAYMENTS__DARAJA__CONSUMER_SECRET": "hunter2",
    "EKDIAL_PAYMENTS__DARAJA__PASSKEY": "hunter2",
    "EKDIAL_REDIS__URL": "redis://ekdial:hunter2@localhost:6379/0",
    "EKDIAL_DATABASE__URL": "postgresql+asyncpg://ekdial:hunter2@localhost/ekdial",
}


def test_every_setting_with_a_secret_is_in_the_list_of_these_tests():
    assert {f"EKDIAL_{'__'.join(place).upper()}" for place in GUARDED} == set(SECRETS)


@pytest.mark.parametrize(
    "show", [repr, str, BaseModel.model_dump, BaseModel.model_dump_json], ids=lambda it: it.__name__
)
def test_secrets_are_never_shown(show):
    settings = load_settings(CONFIG, SECRETS)

    assert "hunter2" not in str(show(settings))
    sections = [section for name in Settings.model_fields if isinstance(section := getattr(settings, name), BaseModel)]
    assert "hunter2" not in "".join(str(show(section)) for section in sections)


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize("wrong", ["hunter2", '["hunter2"]', "redis://hunter2:hunter2@[::1", "postgresql://hunter2@x"])
def test_an_invalid_secret_in_a_variable_is_not_shown(variable, wrong):
    everything_else = {"EKDIAL_SERVER__PORT": "x", **SECRETS, variable: wrong}

    assert "hunter2" not in "\n".join(list_problems(CONFIG, everything_else))


@pytest.mark.parametrize("value", ['["hunter2"]', "{ hunter2 = 1 }", '"hunter2', "hunter2", '"""hunter2'])
def test_an_invalid_secret_in_the_file_is_not_shown(value, tmp_path):
    for *section, key in GUARDED - ({("webhooks", "tokens")} if value == '["hunter2"]' else set()):
        said = "\n".join(list_problems(write_config(tmp_path, f"[{'.'.join(section)}]\n{key} = {value}\n")))
        assert ":2:" in said
        assert "hunter2" not in said


# What follows from them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "loopback", "url"),
    [
        ("127.0.0.1", True, "http://127.0.0.1:8080"),
        ("localhost", True, "http://localhost:8080"),
        ("::1", True, "http://[::1]:8080"),
        ("127.8.9.1", True, "http://127.8.9.1:8080"),
        ("10.0.0.1", False, "http://10.0.0.1:8080"),
        ("::", False, "http://[::]:8080"),
        ("gateway.example", False, "http://gateway.example:8080"),
        ("", False, "http://:8080"),
    ],
)
def test_the_simulator_is_on_only_where_nobody_else_can_reach_it(host, loopback, url):
    given = {"EKDIAL_SERVER__HOST": host, "EKDIAL_WEBHOOKS__TOKENS": TOKEN, "EKDIAL_KEYS__SECRET": SECRET}

    settings = load_settings(CONFIG, given)

    assert (settings.server.is_loopback, settings.is_simulator_enabled, settings.server.url) == (
        loopback,
        loopback,
        url,
    )
    assert not load_settings(CONFIG, {**given, "EKDIAL_SIMULATOR__ENABLED": "false"}).is_simulator_enabled
    behind_a_proxy = load_settings(CONFIG, {**given, **PUBLIC})
    assert not behind_a_proxy.is_simulator_enabled, "a proxy brings in people from outside"


@pytest.mark.parametrize(
    "url", ["redis://localhost", "rediss://r.example:6380/2", "unix:///run/redis.sock", "redis://:p%40ss@[::1]:6379/0"]
)
def test_a_redis_server_needs_a_secret(url):
    assert "keys.secret" in list_problems(CONFIG, {"EKDIAL_REDIS__URL": url})[0]
    assert not load_settings(CONFIG, {"EKDIAL_REDIS__URL": url, "EKDIAL_KEYS__SECRET": SECRET}).redis.is_embedded
