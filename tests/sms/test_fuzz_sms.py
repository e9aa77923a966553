"""A few thousand texts and callbacks that nobody would write; `python -m tests.fuzz` tries as many as there is time for."""

import sys
from random import Random

import pytest

from tests.fuzz import SHOWN, TARGETS, Found, Target, main, tried

INPUTS = 1000
SEED = 2026


@pytest.mark.parametrize("name", TARGETS)
async def test_whatever_is_sent_is_read_or_refused(name):
    did = await tried(TARGETS[name], SEED, lambda number: number < INPUTS)

    sys.stdout.write(f"{name}: {did.inputs} inputs tried, the slowest {did.slowest * 1000:.1f} ms\n")
    assert did.inputs == INPUTS


async def test_what_fails_is_told_with_all_it_takes_to_do_it_again():
    async def check(made):
        assert made != "c" * 1000

    with pytest.raises(Found, match=rf"^seed 7, input \d+: 'c{{{SHOWN}}}': AssertionError"):
        await tried(Target(lambda random: random.choice("abc") * 1000, check), 7, lambda number: number < 1000)


async def test_the_same_seed_makes_the_same_inputs():
    made = {
        seed: [target.make(Random(f"{seed}/{number}")) for target in TARGETS.values() for number in range(20)]
        for seed in (1, 2)
    }

    again = [target.make(Random(f"1/{number}")) for target in TARGETS.values() for number in range(20)]
    assert made[1] == again != made[2]


def test_the_program_says_what_it_tried(capsys):
    assert main(["--seconds", "0.3", "--seed", "5"]) == 0

    said = capsys.readouterr().out.split("\n")
    assert said[0] == "seed 5"
    assert [line.split(":")[0] for line in said[1:-1]] == list(TARGETS)
