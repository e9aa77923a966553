"""Finding the line of a key in a TOML text."""

import rtoml

from core.toml_source import find_line, index_key_lines
from services.catalogue.loader import DATA_FOLDER

SOURCE = """\
# a = 1
top = 1

[services.pan_card]  # a heading
names.en = "PAN card"
"quoted key" = 2
names . bn = "প্যান [কার্ড]"
documents = [
    "photo",
    "a = b",
]
notes = \"\"\"
number = 7
[services.other]
\"\"\"
number = 106

[ services . pan_card . fields . born ]
kind = "date"
"""


def test_tables_and_keys_are_found_dotted_and_quoted_too():
    found = index_key_lines(SOURCE)

    assert find_line(("top",), found) == 2
    assert find_line(("services", "pan_card"), found) == 4
    assert find_line(("services", "pan_card", "names", "bn"), found) == 7
    assert find_line(("services", "pan_card", "quoted key"), found) == 6
    assert find_line(("services", "pan_card", "fields", "born", "kind"), found) == 19


def test_multi_line_strings_and_comments_contain_no_keys():
    found = index_key_lines(SOURCE)

    assert find_line(("services", "pan_card", "number"), found) == 16
    assert ("services", "other") not in found
    assert ("a",) not in found


def test_a_missing_key_has_the_line_of_the_table_above():
    found = index_key_lines(SOURCE)

    assert find_line(("services", "pan_card", "fee"), found) == 4
    assert find_line(("services", "pan_card", "names", "en", "deeper"), found) == 5
    assert find_line(("offices", "mirpur"), found) == 1


def test_every_key_of_the_catalogue_has_a_line():
    for path in DATA_FOLDER.glob("*.toml"):
        source = path.read_text(encoding="utf-8")
        found = index_key_lines(source)
        for place in places(rtoml.loads(source)):
            last = source.splitlines()[find_line(place, found) - 1]
            assert place[-1] in last, (path.name, place)


def places(tables, above=()):
    for key, value in tables.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))
