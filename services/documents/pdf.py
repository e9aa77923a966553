"""The plainest PDF there is: one sheet of lines in Helvetica, for a sample that looks like what it stands for."""

from collections.abc import Sequence

_ESCAPED = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})
_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
_OBJECTS = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 297] /Contents 4 0 R /Resources %b >>" % _FONT,
)


def sheet(lines: Sequence[str]) -> bytes:
    """The octets of an A6 sheet, landscape, with these lines of ASCII text on it (PDF 1.4, ISO 32000-1 §7.5)."""
    said = "".join(f"({line.translate(_ESCAPED)}) Tj T*\n" for line in lines)
    drawn = f"BT /F1 14 Tf 20 TL 30 250 Td\n{said}ET".encode("ascii")
    content = b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn)
    return _put_together([*_OBJECTS, content])


def _put_together(objects: Sequence[bytes]) -> bytes:
    """Header, numbered objects, the table of where each begins, and the trailer."""
    whole, begins = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        begins.append(len(whole))
        whole += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % begin for begin in begins)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return whole + end % (count, table, count, len(whole))
