"""H5: a gateway behind a proxy listens on loopback and is public all the same: it must not start without its guards."""

import json

import pytest

from app.settings import load_settings
from core.errors import ValidationFailedError
from tests.support.phone import PUBLIC_SETTINGS, ROOT
from tests.support.program import SECRET, run_program

GUARDED = {**PUBLIC_SETTINGS, "KEYS__SECRET": SECRET}
"""A gateway behind a proxy with all its guards."""
REAL_SMS = {"SMS__PROVIDER": "africastalking", "PROVIDERS__AFRICASTALKING__API_KEY": "a key"}
PUBLIC_GATEWAYS = {
    "behind a proxy": GUARDED,
    "behind a proxy, with real SMS": GUARDED | REAL_SMS,
    "on every address": {"SERVER__HOST": "0.0.0.0", **GUARDED},  # noqa: S104 - refused below
    "on an address, without a proxy": {
        "SERVER__HOST": "192.0.2.1",
        "WEBHOOKS__TOKENS": PUBLIC_SETTINGS["WEBHOOKS__TOKENS"],
        "KEYS__SECRET": SECRET,
    },
}
WEAK = ["x", "a" * 32, "ab" * 32, "k3y" * 10]


def load(values):
    return load_settings(ROOT / "config.toml", {f"EKDIAL_{name}": value for name, value in values.items()})


def problem_keys(values):
    """The keys of the settings for which the gateway does not start."""
    with pytest.raises(ValidationFailedError) as refused:
        load(values)
    return [problem.key for problem in refused.value.problems]


@pytest.fixture(params=PUBLIC_GATEWAYS.values(), ids=PUBLIC_GATEWAYS.keys())
def public(request):
    """Each way in which a gateway is public."""
    return request.param


def test_h5_a_guarded_public_gateway_starts(public):
    assert load(public).is_public


def test_h5_without_a_token(public):
    assert problem_keys({**public, "WEBHOOKS__TOKENS": ""}) == ["EKDIAL_WEBHOOKS__TOKENS"]


@pytest.mark.parametrize("weak", WEAK)
def test_h5_with_a_weak_token_beside_a_good_one(public, weak):
    tokens = [PUBLIC_SETTINGS["WEBHOOKS__TOKENS"], weak]
    assert problem_keys({**public, "WEBHOOKS__TOKENS": json.dumps(tokens)}) == ["EKDIAL_WEBHOOKS__TOKENS.1"]


def test_h5_without_a_secret(public):
    assert problem_keys({**public, "KEYS__SECRET": ""}) == ["EKDIAL_KEYS__SECRET"]


@pytest.mark.parametrize("weak", WEAK)
def test_h5_with_a_weak_secret(public, weak):
    assert problem_keys({**public, "KEYS__SECRET": weak}) == ["EKDIAL_KEYS__SECRET"]


@pytest.mark.parametrize("weak", WEAK)
def test_h5_weak_tokens_and_secrets_are_refused_in_development_too(weak):
    given = {"WEBHOOKS__TOKENS": weak, "KEYS__SECRET": weak}
    assert problem_keys(given) == ["EKDIAL_KEYS__SECRET", "EKDIAL_WEBHOOKS__TOKENS.0"]


def test_h5_without_https(public):
    for url in ("http://ekdial.example", "http://127.0.0.1"):
        assert "EKDIAL_SERVER__PUBLIC_URL" in problem_keys({**public, "SERVER__PUBLIC_URL": url})


def test_h5_without_trusted_proxies():
    assert problem_keys({**GUARDED, "WEBHOOKS__TRUSTED_PROXIES": "[]"}) == ["EKDIAL_WEBHOOKS__TRUSTED_PROXIES"]


def test_h5_with_the_simulator(public):
    assert problem_keys({**public, "SIMULATOR__ENABLED": "true"}) == ["EKDIAL_SIMULATOR__ENABLED"]
    assert not load(public).is_simulator_enabled


def test_h5_real_sms_alone_make_a_gateway_public():
    assert {"server.public_url", "webhooks.tokens", "keys.secret"} == set(problem_keys(REAL_SMS))


def test_h5_the_defaults_are_not_public():
    settings = load({})
    assert not settings.is_public
    assert settings.is_simulator_enabled


@pytest.mark.slow
def test_h5_check_and_serve_end_with_one_line_for_each_fault(tmp_path):
    wrong = {"SERVER__PUBLIC_URL": "http://ekdial.example", "SIMULATOR__ENABLED": "true", "SERVER__PORT": "0"}
    ended = [run_program(tmp_path, command, **wrong) for command in ("check", "serve")]

    assert [(one.returncode, one.stdout) for one in ended] == [(2, ""), (2, "")]
    assert ended[0].stderr == ended[1].stderr
    keys = ["keys.secret", "webhooks.tokens", "trusted_proxies", "SERVER__PUBLIC_URL", "SIMULATOR__ENABLED"]
    lines = ended[0].stderr.splitlines()
    assert len(lines) == len(keys)
    for key in keys:
        assert sum(f"{key}: " in line for line in lines) == 1, key
