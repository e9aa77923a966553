"""Forms that upload a file: what a browser sends, and what somebody sends who means harm."""

import pytest

from core.http.webhooks import MAX_FIELDS, BadWebhookError
from web.console.uploads import MAX_FIELD_BYTES, parse_multipart

TYPE = "multipart/form-data; boundary=----formX"


def build_part(disposition, content):
    return f"------formX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def build_body(*parts):
    return b"".join(parts) + b"------formX--\r\n"


FIELD = build_part('name="wallet"', "বিকাশ".encode())


@pytest.mark.parametrize(
    "content",
    [b"a,b\r\n1,2\r\n", b"a\nb", b"\xff\xfe\x00\r\n\r\n", b"", b"--formX\r\n", b"=3D=0A", b"\r\n"],
    ids=["crlf", "lf", "octets", "empty", "half a boundary", "quoted printable", "line end"],
)
def test_the_octets_of_a_file_are_those_that_were_sent(content):
    file = build_part('name="file"; filename="statement.csv"', content)
    assert parse_multipart(TYPE, build_body(FIELD, file)) == ({"wallet": "বিকাশ"}, content)


def test_the_first_of_several_counts():
    twice = build_part('name="wallet"', b"other")
    files = [build_part(f'name="file"; filename="{name}"', name.encode()) for name in ("one", "two")]
    assert parse_multipart(TYPE, build_body(FIELD, twice, *files)) == ({"wallet": "বিকাশ"}, b"one")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", build_body(FIELD), 400),
        ("multipart/form-data; boundary=other", build_body(FIELD), 400),
        (TYPE, b"", 400),
        (TYPE, b"nothing of the kind", 400),
        (TYPE, build_body(*[FIELD] * (MAX_FIELDS + 1)), 400),
        (TYPE, build_body(build_part('name="reason"', b"x" * (MAX_FIELD_BYTES + 1))), 413),
    ],
    ids=["no boundary", "another boundary", "empty", "no parts", "too many parts", "long field"],
)
def test_a_body_that_is_no_form_is_refused(content_type, body, status):
    with pytest.raises(BadWebhookError) as refused:
        parse_multipart(content_type, body)
    assert refused.value.status == status


def test_parts_within_parts_are_no_file():
    inner = "multipart/mixed; boundary=inner"
    nested = (
        f'------formX\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: {inner}\r\n\r\n'
        "--inner\r\nContent-Disposition: attachment; filename=a\r\n\r\nhidden\r\n--inner--\r\n"
    ).encode()
    fields, file = parse_multipart(TYPE, build_body(FIELD, nested))
    assert (fields["wallet"], file) == ("বিকাশ", b"")
