"""Write the table of roles into docs/console.md: `python scripts/console_roles.py`. `--check` compares and exits 1."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

PAGE: Final = ROOT / "docs" / "console.md"
BEGIN: Final = "<!-- roles: written by scripts/console_roles.py -->\n"
END: Final = "<!-- end of roles -->\n"
PROOF_TEXTS: Final = {
    "session": "",
    "reason": "a reason",
    "code": "a reason, and a code",
    "own_code": "a code",
}


def read_table() -> str:
    """The table in the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def build_table() -> str:
    """The table of `web.console.access`."""
    return "".join(f"| {' | '.join(row)} |\n" for row in _build_rows())


def _build_rows() -> Iterator[tuple[str, ...]]:
    from services.staff.models import ROLES
    from web.console.access import ACTIONS

    yield ("action", *ROLES, "asks for")
    yield ("---",) * (len(ROLES) + 2)
    for name, action in ACTIONS.items():
        yield (f"`{name}`", *("yes" if role in action.roles else "" for role in ROLES), PROOF_TEXTS[action.proof])


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
