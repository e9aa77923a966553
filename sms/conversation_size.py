"""The size limit of a page that is sent by SMS."""

from dataclasses import dataclass

from sms.segments import fits_segments


@dataclass(frozen=True, slots=True)
class SegmentLimit:
    """At most `max_segments` SMS segments: 160 or 306 septets in GSM-7, 70 or 134 UTF-16 units in other scripts.

    An SMS shows every script; without `unicode` the recipient asked for Latin letters.
    """

    max_segments: int = 2
    unicode: bool = True

    def fits(self, text: str) -> bool:
        """Whether `text` takes at most `max_segments` segments."""
        return fits_segments(text, self.max_segments)
