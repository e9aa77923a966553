"""Finding 5.3 of the field report: `docs/editing.md` has a whole service to copy, and names every key of a service and a field."""

import re
import shutil
from pathlib import Path

import pytest

from core.errors import ValidationFailedError
from services.catalogue.loader import load_catalogue
from services.catalogue.rules import KINDS_BY_KEY
from services.catalogue.schema import FieldSchema, ServiceSchema

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/editing.md").read_text(encoding="utf-8")
SERVICE = next(
    block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[services.death_certificate]" in block
)


def table_rows(header: str) -> list[list[str]]:
    """The cells of the rows below a header of the page."""
    table = PAGE.split(header + "\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[1:]]


def list_keys(rows: list[list[str]]) -> set[str]:
    return {key for row in rows for key in re.findall(r"`(\w+)`", row[0])}


def load_with_page(folder: Path, text: str):
    shutil.copytree(ROOT / "services/catalogue/data", folder)
    (folder / "wards.toml").write_text(text, encoding="utf-8")
    return load_catalogue(folder)


def test_the_service_of_the_page_is_a_service(tmp_path: Path) -> None:
    catalogue = load_with_page(tmp_path / "data", SERVICE)

    service = catalogue.services["death_certificate"]
    assert (service.number, service.office, service.sector) == (1101, "ward_office", "family")
    assert [field.name for field in service.fields] == ["deceased", "died"]
    assert service.documents[0]["hi"] == "अस्पताल की पर्ची"
    assert [level.code for level in catalogue.departments["wards"].escalation_levels] == ["grievance"]


def test_a_date_says_which_dates_are_right(tmp_path: Path) -> None:
    """A date of death in 2030 passed, because a date without `when` took any."""
    with pytest.raises(ValidationFailedError) as refused:
        load_with_page(tmp_path / "data", SERVICE.replace('when = "past"\n', ""))

    assert "services.death_certificate.fields.died.when: is missing" in str(refused.value)


def test_the_table_has_every_key_of_a_service() -> None:
    rows = table_rows("| key | needed | what it is |")

    assert list_keys(rows) == set(ServiceSchema.model_fields)
    needed = list_keys([row for row in rows if row[1] == "yes"])
    assert needed == {name for name, field in ServiceSchema.model_fields.items() if field.is_required()}


def test_the_table_has_every_key_of_a_field_and_its_kinds() -> None:
    rows = table_rows("| key | for which kinds | what it is |")

    assert list_keys(rows) == set(FieldSchema.model_fields)
    for row in rows:
        for key in list_keys([row]):
            kinds = set(row[1].split(", ")) - {"all"}
            assert kinds == set(KINDS_BY_KEY.get(key, ())), key
