"""The room that a page has in an SMS: so many segments, counted as they are sent."""

from dataclasses import dataclass

from sms.segments import counted


@dataclass(frozen=True, slots=True)
class Segments:
    """At most so many segments: 160 or 306 septets where all is GSM-7, 70 or 134 UTF-16 units where it is not."""

    most: int = 2
    unicode = True  # an SMS shows every script

    def holds(self, text: str) -> bool:
        """Whether `text` takes no more."""
        return counted(text).segments <= self.most
