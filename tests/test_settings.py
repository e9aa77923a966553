"""Settings: the defaults that config.toml shows, what overrides them, and the line a person gets for each mistake."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from configured import read
from faults import Broken
from settings import Network, Settings
from toml_lines import lines

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config.toml"
SOURCE = CONFIG.read_text(encoding="utf-8")
BROKEN = ROOT / "tests" / "broken" / "config"
SECRET = "hunter2 hunter2 hunter2 hunter2 hunter2"
ODD = (
    *("[]", "{}", "[[1]]", "[{ a = 1 }]", "0", "-7", "1.5", "nan", "inf", "true", '""', '"x"', '"\\u0000"'),
    *("1979-05-27", "99999999999999999999", '"' + "9" * 5000 + '"'),
)


def faults_of(path, environment=None):
    with pytest.raises(Broken) as broken:
        read(path, environment or {})
    return str(broken.value).split("\n")


def written(folder, text):
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


# What config.toml shows ----------------------------------------------------------------------------------------------


def keys_of(model, place=()):
    """Every key of the settings that holds no further keys, as the places it stands at."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation, (*place, name))
        else:
            yield (*place, name), field


KEYS = dict(keys_of(Settings))
DEFAULTS = Settings().model_dump()


def test_config_toml_holds_every_default():
    assert read(CONFIG, {}).model_dump() == DEFAULTS


@pytest.mark.parametrize("place", KEYS, ids=".".join)
def test_config_toml_has_every_key_with_a_comment(place):
    found = lines(SOURCE)
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


def test_an_empty_file_is_every_default(tmp_path):
    assert read(written(tmp_path, ""), {}).model_dump() == DEFAULTS


def test_a_file_from_another_editor_is_read_all_the_same(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(("\ufeff" + SOURCE.replace("port = 8080", "port = 8081").replace("\n", "\r\n")).encode())

    assert read(file, {}).server.port == 8081


def test_settings_do_not_change_once_they_are_read():
    settings = read(CONFIG, {})

    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1
    with pytest.raises(ValidationError, match="frozen"):
        settings.server = settings.server


# What overrides it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "read_as"),
    [
        ("EKDIAL_SERVER__PORT", "9000", lambda it: it.server.port == 9000),
        ("EKDIAL_SERVER__VAR", "/srv/ekdial", lambda it: it.server.var == Path("/srv/ekdial")),
        ("EKDIAL_SERVER__PUBLIC_URL", "https://ekdial.example", lambda it: it.server.url == "https://ekdial.example"),
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
            lambda it: it.ussd.networks == {"47000": Network(unicode=True)},
        ),
        ("EKDIAL_LANGUAGES__OFFERED", '["hi", "en"]', lambda it: it.languages.offered == ("hi", "en")),
        ("EKDIAL_MENU__MAIN", '{"1": "track"}', lambda it: it.menu.main == {"1": "track"}),
        ("EKDIAL_AFRICASTALKING__ALLOWED_IPS", "[]", lambda it: it.africastalking.allowed_ips == ()),
        ("EKDIAL_AFRICASTALKING__USERNAME", "12", lambda it: it.africastalking.username == "12"),
        ("EKDIAL_SIMULATOR__ENABLED", "False", lambda it: it.simulator.enabled is False),
        ("EKDIAL_SIMULATOR__ENABLED", "auto", lambda it: it.simulator.enabled == "auto"),
    ],
)
def test_a_variable_overrides_the_file(variable, value, read_as):
    assert read_as(read(CONFIG, {variable: value}))


def test_a_variable_leaves_the_keys_beside_it_as_the_file_has_them(tmp_path):
    file = written(tmp_path, '[server]\nhost = "127.0.0.2"\nport = 81\n')

    server = read(file, {"EKDIAL_SERVER__PORT": "82"}).server

    assert (server.host, server.port) == ("127.0.0.2", 82)


def test_a_table_from_the_environment_replaces_that_of_the_file():
    assert list(read(CONFIG, {"EKDIAL_USSD__NETWORKS": "{}"}).ussd.networks) == []


def test_the_environment_of_the_process_counts_unless_another_is_given(monkeypatch):
    monkeypatch.setenv("EKDIAL_SERVER__PORT", "9001")

    assert read(CONFIG).server.port == 9001
    assert read(CONFIG, {}).server.port == 8080


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path):
    (tmp_path / "key").write_text(f"{SECRET}\n")

    settings = read(CONFIG, {"EKDIAL_KEYS__SECRET_FILE": str(tmp_path / "key")})

    assert settings.keys.secret.get_secret_value() == SECRET


def test_other_peoples_variables_and_those_of_the_tests_are_left_alone():
    others = {"EKDIALLER": "x", "PATH": "/bin", "EKDIAL_TEST_REDIS_URL": "redis://x"}

    assert read(CONFIG, others).model_dump() == DEFAULTS


# The line for each mistake -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted(path.name for path in BROKEN.iterdir()))
def test_a_broken_file_says_where_what_is_wrong_and_what_would_be_right(case, monkeypatch):
    monkeypatch.chdir(BROKEN)
    source = (BROKEN / case).read_text(encoding="utf-8").split("\n")
    expected = [line.removeprefix("# ") for line in source if line.startswith(f"# {case}:")]

    assert expected, "the file does not say what is expected"
    assert faults_of(Path(case)) == expected


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
            "EKDIAL_SERVER: there is no such setting; did you mean EKDIAL_SERVER__VAR?",
        ),
        ({"EKDIAL_SERVER__PORT": "abc"}, "EKDIAL_SERVER__PORT: this is not a whole number; write one such as 300"),
        ({"EKDIAL_SERVER__PORT": ""}, "EKDIAL_SERVER__PORT: this is not a whole number; write one such as 300"),
        (
            {"EKDIAL_LANGUAGES__OFFERED": "en,bn"},
            'EKDIAL_LANGUAGES__OFFERED: this is not JSON; write lists and tables as JSON, such as ["en", "bn"]',
        ),
        (
            {"EKDIAL_LANGUAGES__OFFERED": '["en", "fr"]'},
            "EKDIAL_LANGUAGES__OFFERED.1: this is not one of what it may be; write 'en', 'bn' or 'hi'",
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
                "EKDIAL_AFRICASTALKING__CALLBACK_TOKEN": "",
            },
            "EKDIAL_AFRICASTALKING__CALLBACK_TOKEN: the gateway would listen on 10.0.0.1 and take callbacks from anyone; give a callback_token, or listen on 127.0.0.1",
        ),
    ],
)
def test_a_wrong_variable_is_named(environment, line):
    assert faults_of(CONFIG, environment) == [f"environment: {line}"]


def test_a_secrets_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")

    (said,) = faults_of(CONFIG, {"EKDIAL_KEYS__SECRET_FILE": str(tmp_path / "key")})

    assert said == f"environment: EKDIAL_KEYS__SECRET_FILE: {tmp_path}/key is not a text file; save it as UTF-8"


def test_everything_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, '[server]\nport = 65536\n\n[languages]\ndefault = "ta"\n\n[sms]\nparalel = 4\n')

    assert [line.split("; ")[0] for line in faults_of(file, {"EKDIAL_X": "1", "EKDIAL_USSD__VOUCHES": "maybe"})] == [
        "config.toml:2: server.port: this is too large",
        "config.toml:5: languages.default: this is not one of what it may be",
        "config.toml:8: sms.paralel: there is no such setting",
        "environment: EKDIAL_USSD__VOUCHES: this is neither true nor false",
        "environment: EKDIAL_X: there is no such setting",
    ]


def test_settings_that_contradict_each_other_are_all_told():
    environment = {"EKDIAL_SERVER__HOST": "::", "EKDIAL_SMS__PROVIDER": "africastalking", "EKDIAL_REDIS__CLUSTER": "1"}

    said = [line.split(":")[2].strip() for line in faults_of(CONFIG, environment | {"EKDIAL_LANGUAGES__DEFAULT": "bn"})]

    assert sorted(said) == [
        *("africastalking.api_key", "africastalking.callback_token"),
        *("keys.secret", "memory", "server.public_url"),
    ]


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert faults_of(Path("nowhere.toml")) == [
        "nowhere.toml: cannot be read: No such file or directory; name a file that is there"
    ]
    assert faults_of(tmp_path) == [".: cannot be read: Is a directory; name a file that is there"]


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_bytes(b"[server]\n# caf\xe9\n")

    assert faults_of(tmp_path / "config.toml") == ["config.toml:2: is not UTF-8; save the file as UTF-8"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_value_anywhere_is_told_on_its_own_line_in_our_words(odd, tmp_path):
    for number, line in enumerate(SOURCE.split("\n"), 1):
        key, equals, _ = line.partition(" = ")
        if equals and not key.startswith("#"):
            source = SOURCE.split("\n")
            source[number - 1] = f"{key} = {odd}"
            faults = faults_in(written(tmp_path, "\n".join(source)))
            assert not faults or number in {fault.line for fault in faults}, line
            assert not re.search("Input|should|valid", "\n".join(map(str, faults)))


def test_any_line_may_be_lost_and_the_loss_is_told_or_harmless(tmp_path):
    for number in range(len(source := SOURCE.split("\n"))):
        faults = faults_in(written(tmp_path, "\n".join([*source[:number], *source[number + 1 :]])))
        assert all(1 <= fault.line < len(source) for fault in faults)


def faults_in(path):
    """The faults there may be, in a deployment that has its secrets in the environment."""
    try:
        read(path, {"EKDIAL_KEYS__SECRET": SECRET, "EKDIAL_AFRICASTALKING__CALLBACK_TOKEN": "t"})
    except Broken as broken:
        return broken.faults
    return ()


def test_what_somebody_else_finds_wrong_is_said_where_it_was_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_file = read(written(tmp_path, '[menu.main]\n1 = "find"\n3 = "helf"\n'), {})
    by_variable = read(tmp_path / "config.toml", {"EKDIAL_MENU__MAIN": '{"3": "helf"}'})

    said = ("menu", "main", "3"), "'helf' is nothing it can lead to", "choose from help"

    assert str(by_file.fault(*said)) == "config.toml:3: menu.main.3: 'helf' is nothing it can lead to; choose from help"
    assert str(by_variable.fault(*said)) == (
        "environment: EKDIAL_MENU__MAIN.3: 'helf' is nothing it can lead to; choose from help"
    )


# Secrets -------------------------------------------------------------------------------------------------------------

GUARDED = {place for place, field in KEYS.items() if field.annotation is SecretStr}
SECRETS = {
    "EKDIAL_KEYS__SECRET": SECRET,
    "EKDIAL_AFRICASTALKING__API_KEY": "hunter2",
    "EKDIAL_AFRICASTALKING__CALLBACK_TOKEN": "hunter2",
    "EKDIAL_MAIL__PASSWORD": "hunter2",
    "EKDIAL_DOCUMENTS__CLIENT_SECRET": "hunter2",
    "EKDIAL_PAYMENTS__CALLBACK_TOKEN": "hunter2",
    "EKDIAL_PAYMENTS__CONSUMER_KEY": "hunter2",
    "EKDIAL_PAYMENTS__CONSUMER_SECRET": "hunter2",
    "EKDIAL_PAYMENTS__PASSKEY": "hunter2",
    "EKDIAL_REDIS__URL": "redis://ekdial:hunter2@localhost:6379/0",
    "EKDIAL_DATABASE__URL": "postgresql+asyncpg://ekdial:hunter2@localhost/ekdial",
}


def test_every_setting_that_can_hold_a_secret_is_guarded():
    assert {f"EKDIAL_{'__'.join(place).upper()}" for place in GUARDED} == set(SECRETS)


@pytest.mark.parametrize(
    "show", [repr, str, BaseModel.model_dump, BaseModel.model_dump_json], ids=lambda it: it.__name__
)
def test_secrets_are_never_shown(show):
    settings = read(CONFIG, SECRETS)

    assert "hunter2" not in str(show(settings))
    sections = [section for name in Settings.model_fields if isinstance(section := getattr(settings, name), BaseModel)]
    assert "hunter2" not in "".join(str(show(section)) for section in sections)


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize("wrong", ["hunter2", '["hunter2"]', "redis://hunter2:hunter2@[::1", "postgresql://hunter2@x"])
def test_a_secret_that_is_wrong_is_not_shown_either(variable, wrong):
    everything_else = {"EKDIAL_SERVER__PORT": "x", **SECRETS, variable: wrong}

    assert "hunter2" not in "\n".join(faults_of(CONFIG, everything_else))


@pytest.mark.parametrize("value", ['["hunter2"]', "{ hunter2 = 1 }", '"hunter2', "hunter2", '"""hunter2'])
def test_nor_is_one_that_is_wrong_in_the_file(value, tmp_path):
    for section, key in GUARDED:
        said = "\n".join(faults_of(written(tmp_path, f"[{section}]\n{key} = {value}\n")))
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
def test_the_phone_on_the_desk_is_there_where_nobody_else_can_reach_it(host, loopback, url):
    given = {"EKDIAL_SERVER__HOST": host, "EKDIAL_AFRICASTALKING__CALLBACK_TOKEN": "t", "EKDIAL_KEYS__SECRET": SECRET}

    settings = read(CONFIG, given)

    assert (settings.server.loopback, settings.simulated, settings.server.url) == (loopback, loopback, url)
    assert read(CONFIG, {**given, "EKDIAL_SIMULATOR__ENABLED": "true"}).simulated
    assert not read(CONFIG, {**given, "EKDIAL_SIMULATOR__ENABLED": "false"}).simulated
    behind_a_proxy = read(CONFIG, {**given, "EKDIAL_SERVER__PUBLIC_URL": "https://ekdial.example"})
    assert not behind_a_proxy.simulated, "a proxy brings in people from outside"


@pytest.mark.parametrize(
    "url", ["redis://localhost", "rediss://r.example:6380/2", "unix:///run/redis.sock", "redis://:p%40ss@[::1]:6379/0"]
)
def test_a_redis_of_ones_own_wants_a_key(url):
    assert "keys.secret" in faults_of(CONFIG, {"EKDIAL_REDIS__URL": url})[0]
    assert not read(CONFIG, {"EKDIAL_REDIS__URL": url, "EKDIAL_KEYS__SECRET": SECRET}).redis.embedded
