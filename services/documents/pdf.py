"""Renders a minimal PDF, one sheet of lines in Helvetica, for sample documents."""

from collections.abc import Sequence

_ESCAPED = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})
_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
_OBJECTS = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 297] /Contents 4 0 R /Resources %b >>" % _FONT,
)


def render_sheet(lines: Sequence[str]) -> bytes:
    """Return an A6 landscape sheet with these lines of ASCII text (PDF 1.4, ISO 32000-1 §7.5)."""
    text = "".join(f"({line.translate(_ESCAPED)}) Tj T*\n" for line in lines)
    stream = f"BT /F1 14 Tf 20 TL 30 250 Td\n{text}ET".encode("ascii")
    content = b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)
    return _assemble([*_OBJECTS, content])


def _assemble(objects: Sequence[bytes]) -> bytes:
    """Return header, numbered objects, cross-reference table and trailer."""
    whole, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(whole))
        whole += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return whole + end % (count, table, count, len(whole))
