"""Finding the line of a key in a TOML text."""

import rtoml

from services.catalogue.load import DATA
from toml_lines import line_of, lines

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


def test_finds_tables_keys_dotted_and_quoted_ones():
    found = lines(SOURCE)

    assert line_of(("top",), found) == 2
    assert line_of(("services", "pan_card"), found) == 4
    assert line_of(("services", "pan_card", "names", "bn"), found) == 7
    assert line_of(("services", "pan_card", "quoted key"), found) == 6
    assert line_of(("services", "pan_card", "fields", "born", "kind"), found) == 19


def test_what_stands_in_a_long_text_or_a_comment_is_no_key():
    found = lines(SOURCE)

    assert line_of(("services", "pan_card", "number"), found) == 16
    assert ("services", "other") not in found
    assert ("a",) not in found


def test_what_is_not_there_is_told_where_it_belongs():
    found = lines(SOURCE)

    assert line_of(("services", "pan_card", "fee"), found) == 4
    assert line_of(("services", "pan_card", "names", "en", "deeper"), found) == 5
    assert line_of(("offices", "mirpur"), found) == 1


def test_knows_a_line_for_every_key_of_our_own_catalogue():
    for path in DATA.glob("*.toml"):
        source = path.read_text(encoding="utf-8")
        found = lines(source)
        for place in places(rtoml.loads(source)):
            last = source.splitlines()[line_of(place, found) - 1]
            assert place[-1] in last, (path.name, place)


def places(tables, above=()):
    for key, value in tables.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))
