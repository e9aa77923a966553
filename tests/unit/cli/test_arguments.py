"""The arguments of verbs that act: who does it, and why."""

import argparse
import getpass

import pytest

from cli.arguments import act_parser, build_act


def parse(*arguments, reasons=None):
    return argparse.ArgumentParser(parents=[act_parser(reasons)]).parse_args(arguments)


@pytest.mark.parametrize("flag", ["--why", "--reason"])
def test_both_spellings_of_the_reason_are_one(flag):
    act = build_act(parse(flag, "ticket  4711", "--by", "nadia"))
    assert (act.actor.kind, act.actor.id, act.actor.channel, act.reason) == (
        "staff",
        "nadia",
        "terminal",
        "ticket 4711",
    )


def test_each_act_has_a_key_of_its_own():
    args = parse("--why", "ticket 4711", "--by", "nadia")
    assert build_act(args).idempotency_key != build_act(args).idempotency_key


def test_the_name_is_the_login_where_none_is_given(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "rina")
    assert parse("--why", "ticket 4711").by == "rina"


def test_a_machine_without_logins_asks_for_the_name(monkeypatch, capsys):
    def fail():
        raise OSError("no username")

    monkeypatch.setattr(getpass, "getuser", fail)
    with pytest.raises(SystemExit):
        parse("--why", "ticket 4711")
    assert "required: --by" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--by", "nadia"), "required: --why"),
        (("--why", " ", "--by", "nadia"), "one line of 1 to 120 characters"),
        (("--why", "x" * 121, "--by", "nadia"), "one line of 1 to 120 characters"),
        (("--why", "called from 01711000001", "--by", "nadia"), "names no person"),
        (("--why", "ticket 4711", "--by", ""), "this is no name"),
        (("--why", "ticket 4711", "--by", "x" * 65), "write 64 at most"),
    ],
    ids=["no_reason", "empty_reason", "long_reason", "phone_number", "empty_name", "long_name"],
)
def test_who_and_why_are_needed(arguments, problem, capsys):
    with pytest.raises(SystemExit):
        parse(*arguments)
    assert problem in capsys.readouterr().err


def test_a_verb_may_take_a_few_reasons_alone(capsys):
    reasons = {"outage": "nothing was sent then", "provider": "its portal says so"}
    assert parse("--reason", "outage", reasons=reasons).why == "outage"
    with pytest.raises(SystemExit):
        parse("--why", "because", reasons=reasons)
