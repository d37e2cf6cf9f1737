"""The event id: the same delivery has the same id whoever computes it, whenever, in any language.

The algorithm is part of the consumers' contract (docs/event-id.md) and never changes.
"""

import hashlib
import json
from typing import Any

from bridge.errors import ContractViolation
from bridge.optoro.strict_json import infinite_number

ID_LENGTH = 32

_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=float
).encode


def canonical_json(value: Any) -> str:
    """Return the one spelling of a parsed document.

    Keys sorted by code point, no white space, the fewest escapes, no Unicode normalisation, integers as digits, other
    numbers as Python's shortest `repr` of the double. Raises ContractViolation (`number_out_of_range`) for a number
    beyond the range of a double.
    """
    try:
        return _encode(value)
    except ValueError:
        path = infinite_number(value)
        raise ContractViolation("number_out_of_range", "beyond the range of a double", path=path) from None


def event_id(webhook: str, tenant: str | None, canonical: str) -> str:
    """Return the 32 hex digits that identify a delivery; `canonical` comes from canonical_json."""
    return hashlib.sha256(f"{webhook}\n{tenant or ''}\n{canonical}".encode()).hexdigest()[:ID_LENGTH]


def raw_event_id(body: bytes) -> str:
    """Return the id of bytes that have no reading as JSON."""
    return "raw-" + hashlib.sha256(body).hexdigest()[:ID_LENGTH]
