"""Print rows for a person as a table, and for other programs as CSV or JSON."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from core.foreign_text import escape_formula

OutputFormat: TypeAlias = Literal["table", "csv", "json"]


def add_output_format(parser: argparse.ArgumentParser) -> None:
    """Add `--csv` and `--json`; without them, `output` is a table."""
    formats = parser.add_mutually_exclusive_group()
    for name in ("csv", "json"):
        formats.add_argument(
            f"--{name}",
            dest="output",
            action="store_const",
            const=name,
            help=f"write {name.upper()} instead of a table",
        )
    parser.set_defaults(output="table")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[str] = frozenset()) -> None:
    """Print rows under their columns; those of `right` are aligned to the right, as amounts are."""
    cells = [list(columns), *(list(map(_print_safely, row)) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        aligned = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        print("  ".join(aligned).rstrip())


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows as CSV with a header; no cell is read as a formula by a spreadsheet."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_write_cell(row[column]) for column in columns] for row in rows)


def print_json(value: object) -> None:
    """Print one JSON value."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def _write_cell(value: object) -> object:
    return escape_formula(value) if isinstance(value, str) else "" if value is None else value


def _print_safely(cell: str) -> str:
    """The cell without characters that move the cursor of a terminal."""
    return "".join(one if one.isprintable() else "?" for one in cell)
