"""Generate catalogues as large as a country's, as TOML files."""

from pathlib import Path

PER_DEPARTMENT = 50
WITH_A_FORM = 10

_SECTOR = '[sectors.sector_{n}]\nnames = {{ en = "Sector {n}", bn = "খাত {n}", hi = "क्षेत्र {n}" }}\n'
_DEPARTMENT = """[department]
country = "BD"
names = {{ en = "Department {n}", bn = "বিভাগ {n}", hi = "विभाग {n}" }}

[offices.office_{n}]
names = {{ en = "Office {n}", bn = "দপ্তর {n}", hi = "कार्यालय {n}" }}
"""
_SERVICE = """
[services.service_{n}]
number = {n}
names.en = "Licence number {n}"
names.bn = "লাইসেন্স নম্বর {n}"
names.hi = "लाइसेंस नंबर {n}"
names.bn_Latn = "Licence number {n}"
names.hi_Latn = "Licence nambar {n}"
sector = "sector_{sector}"
office = "office_{department}"
fee = 5000
currency = "BDT"
days = 7
documents = ["photo"]
channels = [{channels}]
"""
_FIELD = """
[services.service_{n}.fields.answer_{field}]
kind = "text"
labels.en = "Type answer {field}"
labels.bn = "উত্তর {field} দিন"
labels.hi = "जवाब {field} लिखें"
labels.bn_Latn = "Uttor {field} din"
labels.hi_Latn = "Jawab {field} likhen"
"""


def write_catalogue(folder: Path, services: int, sectors: int = 20) -> Path:
    """Fill `folder` with departments of fifty services each; every tenth service has a form for phones."""
    shared = '[documents]\nphoto = { en = "Photo", bn = "ছবি", hi = "फ़ोटो" }\n'
    (folder / "shared.toml").write_text(shared + "".join(_SECTOR.format(n=n) for n in range(sectors)), encoding="utf-8")
    for department in range(-(-services // PER_DEPARTMENT)):
        first = department * PER_DEPARTMENT + 1
        numbers = range(first, min(first + PER_DEPARTMENT, services + 1))
        text = _DEPARTMENT.format(n=department) + "".join(_service(n, department, n % sectors) for n in numbers)
        (folder / f"department_{department}.toml").write_text(text, encoding="utf-8")
    return folder


def _service(n: int, department: int, sector: int) -> str:
    if n % WITH_A_FORM:
        return _SERVICE.format(n=n, department=department, sector=sector, channels='"web"')
    service = _SERVICE.format(n=n, department=department, sector=sector, channels='"ussd", "sms", "kaios", "web"')
    return service + "".join(_FIELD.format(n=n, field=field) for field in range(1, 4))
