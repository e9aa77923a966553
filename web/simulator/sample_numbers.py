"""Numbers to try in the simulator: what the sandbox issuer, billers and wallet do with each.

`name` is the key of the words in `words.js`. README has the same table, and a test uses every number.
"""

from typing import Final, NamedTuple


class SampleNumber(NamedTuple):
    """A number that somebody without one of their own can type, and the key of the words that say what it is."""

    name: str
    number: str


SAMPLE_NUMBERS: Final = (
    SampleNumber("sampleAadhaar", "234123412346"),
    SampleNumber("sampleNid", "1234567890"),
    SampleNumber("samplePan", "ABCPE1234F"),
    SampleNumber("sampleLpg", "12345678901234567"),
    SampleNumber("sampleBill", "12345671"),
    SampleNumber("sampleRefused", "12345678"),
    SampleNumber("sampleNothingDue", "12345670"),
    SampleNumber("sampleUnknown", "12345679"),
    SampleNumber("sampleWrongPin", "0000"),
    SampleNumber("sampleNoMoney", "9999"),
)
