"""The table of acts in docs/threat-model.md is the one of the menu."""

from menus.model import Form, Step
from menus.validation.proof_table import render_proof_table
from menus.validation.proofs import matters
from scripts.proof_table import read_table
from tests.support.menu_facts import conversation


def test_the_page_has_the_table_of_the_menu() -> None:
    assert read_table() == render_proof_table(conversation().menu), "write it again: python scripts/proof_table.py"


def test_every_act_has_a_row() -> None:
    acts = [
        screen.name for screen in conversation().menu.screen_list if isinstance(screen, Step | Form) and matters(screen)
    ]
    rows = read_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == sorted(acts)
