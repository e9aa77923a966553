"""Parse JSON that another system wrote."""

import json
from collections.abc import Mapping
from typing import Any


def parse_json_object(body: bytes | str) -> Mapping[str, Any] | None:
    """The JSON object; None for any other text, also one with thousands of brackets or digits."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
