"""The parts of a page: what is read, what is chosen, and what is typed."""

import pytest

from web.kaios.page_limit import MAX_LINES, PageLimit
from web.kaios.view import Key, split_options


@pytest.mark.parametrize(
    ("lines", "labels", "text", "options"),
    [
        (["Ekdial", "1 Find", "2 Track"], [("1", "Find"), ("2", "Track")], ["Ekdial"], ["1", "2"]),
        (["1 Find is no option here"], [("1", "Find")], ["1 Find is no option here"], []),
        (["2 of 5", "Name?"], [], ["2 of 5", "Name?"], []),
        (
            ["Yours", "1 Passport", "received", "2 NID"],
            [("1", "Passport\nreceived"), ("2", "NID")],
            ["Yours"],
            ["1", "2"],
        ),
        (["1 Cut"], [("1", "Cut\nhere")], [], ["1"]),
        ([], [("1", "Find")], [], []),
    ],
    ids=["options", "text_like_an_option", "text", "two_lines", "cut", "nothing"],
)
def test_an_option_is_told_from_text(lines, labels, text, options):
    found_text, found_options = split_options(lines, labels)
    assert found_text == text
    assert [one.key for one in found_options] == options
    assert all(isinstance(one, Key) and one.label == dict(labels)[one.key] for one in found_options)


def test_a_page_has_so_many_characters_and_lines():
    limit = PageLimit(100)
    assert limit.unicode
    assert limit.fits("क" * 100)
    assert not limit.fits("x" * 101)
    assert limit.fits("\n".join("x" * MAX_LINES))
    assert not limit.fits("\n".join("x" * (MAX_LINES + 1)))
