"""A short run of every target of the fuzzing from one seed, and every case that a longer run has found.

`python -m tests.fuzz` tries as many examples as there is time for.
"""

import sys

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.registry import TARGETS
from tests.fuzz.targets import ExampleLimit, Failure, InputTarget, read_cases, shrink, write_case

SEED = "2026"
EXAMPLES = {
    "keywords": 400,
    "segments": 400,
    "callbacks": 400,
    "json": 400,
    "pdus": 400,
    "sms_rows": 400,
    "screens": 60,
    "config": 60,
    "catalogue": 60,
    "walk": 1500,
}
MIN_SCREENS = 100
"""Screens of the menu that the short walk shows at the least; a run of hours shows nearly all."""


@pytest.mark.parametrize("name", TARGETS)
async def test_whatever_is_sent_is_read_or_refused(name):
    result = await TARGETS[name]().run(SEED, ExampleLimit(EXAMPLES[name]))

    sys.stdout.write(f"{name}: {result.examples} examples, {result.seen} seen, {result.notes}\n")
    assert [failure.reason for failure in result.failures] == []
    assert result.examples >= EXAMPLES[name]
    if name == "walk":
        assert int(result.notes[0].split(" ")[0]) >= MIN_SCREENS


@pytest.mark.parametrize(("target", "value"), [pytest.param(*case[1:], id=case[0]) for case in read_cases()])
async def test_what_failed_once_does_not_fail_again(target, value):
    await TARGETS[target]().replay(value)


async def refuse_c(made: str) -> None:
    assert "c" not in made


async def test_a_failure_becomes_a_small_case(tmp_path):
    target = InputTarget(make=lambda random: "ab" * 50 + random.choice("abc") + "ab" * 50, check=refuse_c)

    result = await target.run("7", ExampleLimit(100))

    assert [failure.input for failure in result.failures] == ["c"]
    write_case("keywords", result.failures[0], tmp_path)
    assert [case[1:] for case in read_cases(tmp_path)] == [("keywords", "c")]


async def test_the_smallest_input_that_fails_is_found():
    async def fails(made: list[int]) -> bool:
        return {3, 77} <= set(made)

    assert await shrink(list(range(100)), fails) == [3, 77]


async def test_the_same_seed_makes_the_same_inputs():
    made: list[object] = []

    async def keep(text: object) -> None:
        made.append(text)

    for seed in ("1", "1", "2"):
        await InputTarget(make=lambda random: str(random.random()), check=keep).run(seed, ExampleLimit(5))

    assert made[:5] == made[5:10] != made[10:]


def test_two_failures_of_one_kind_are_one():
    assert Failure("a", "KeyError: 'x' at 7").kind == Failure("b", "KeyError: 'y' at 8").kind


def test_the_program_prints_a_line_for_each_target(capsys, tmp_path):
    assert main(["--examples", "20", "--seed", "5", "--cases", str(tmp_path), "keywords", "json"]) == 0

    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "seed 5"
    assert [line.split()[:2] for line in lines[2:4]] == [["keywords", "20"], ["json", "20"]]
