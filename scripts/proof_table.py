"""Write the table of acts into docs/threat-model.md: `python scripts/proof_table.py`. `--check` compares and exits 1."""

import asyncio
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

PAGE: Final = ROOT / "docs" / "threat-model.md"
BEGIN: Final = "<!-- acts: written by scripts/proof_table.py -->\n"
END: Final = "<!-- end of acts -->\n"


def read_table() -> str:
    """The table in the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def build_table() -> str:
    """The table of the menu with the default settings."""
    from app.bootstrap import build_checked_menu
    from app.settings import load_settings
    from menus.validation.proof_table import render_proof_table

    menu = asyncio.run(build_checked_menu(load_settings(ROOT / "config.toml", {}))).menu
    return render_proof_table(menu)


def main() -> int:
    """Write or compare the table; the exit status."""
    table = build_table()
    if "--check" in sys.argv[1:]:
        return int(table != read_table())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
