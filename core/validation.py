"""The two results of validating what a person typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Valid:
    """An answer in the form in which it is stored."""

    value: Any


@dataclass(frozen=True, slots=True)
class Invalid:
    """A rejected answer. `reason` is a key of the locales' `[refused]` table, `facts` fill that text's placeholders."""

    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)
