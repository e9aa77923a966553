"""Draw a QR code as SVG within the page: the address in it is a secret, so that no other server may draw it."""

from typing import Final

import segno
from markupsafe import Markup

SCALE: Final = 4
QUIET_ZONE: Final = 4
"""Light squares around the code, as ISO/IEC 18004 asks; a camera needs them on a dark page."""


def draw_qr_code(text: str) -> Markup:
    """The QR code of a text as an SVG element, dark on light in every colour scheme."""
    svg = segno.make(text, error="m", micro=False).svg_inline(
        scale=SCALE, border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(svg)  # nosec B704  # noqa: S704 - shapes alone: segno writes no text of ours
