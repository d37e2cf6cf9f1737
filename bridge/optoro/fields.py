"""The field types of Optoro's documents.

Strict, bounded to what Avro and Java can hold, and without coercion but for the two that the documents call for.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

STRICT: Final = ConfigDict(strict=True, extra="allow")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY: Final = 86_400
_EARLIEST_MS: Final = -62_135_596_800_000
_LATEST_MS: Final = 253_402_300_799_999
# Hours and offsets to the letter: what fromisoformat takes beyond them differs between versions of Python.
_ISO_8601: Final = re.compile(
    r"(?a)(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?"
).fullmatch


def timestamp_millis(value: Any) -> int:
    """Return an ISO 8601 date-time as epoch milliseconds: no zone means UTC, digits beyond milliseconds are cut.

    Years 0001 to 9999 after conversion to UTC, the range every reader can show; a leap second has no epoch value.
    """
    match = _ISO_8601(value) if type(value) is str else None
    if match is None:
        raise PydanticCustomError("timestamp", "Input should be an ISO 8601 date-time")
    seconds, fraction, zone = match.groups()
    try:
        since = datetime.fromisoformat(seconds + ("+00:00" if zone is None or zone == "Z" else zone)) - _EPOCH
    except ValueError:
        raise PydanticCustomError("timestamp", "Input should be a date and time that exist") from None
    milliseconds = (since.days * _SECONDS_PER_DAY + since.seconds) * 1000
    if fraction is not None:
        milliseconds += int(f"{fraction:0<3.3}")
    if not _EARLIEST_MS <= milliseconds <= _LATEST_MS:
        raise PydanticCustomError("timestamp", "Input should be within the years 0001 to 9999 in UTC")
    return milliseconds


def _one_as_list(value: Any) -> Any:
    return [value] if type(value) is dict else value


def _integer_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


Element = TypeVar("Element")

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
NonEmptyText = Annotated[str, Field(min_length=1)]
TimestampMillis = Annotated[int, PlainValidator(timestamp_millis)]
Many = Annotated[list[Element], Field(fail_fast=True)]
"""A list whose first faulty member is the only one reported: a report of all may be hundreds of times their size."""
OneOrMany = Annotated[Many[Element], BeforeValidator(_one_as_list)]
TextOrInteger = Annotated[str, BeforeValidator(_integer_as_text)]
