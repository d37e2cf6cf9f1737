"""ISO 8601 date-times to epoch milliseconds: what is read, what is cut, what is refused."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from bridge.errors import ContractViolation
from bridge.optoro.fields import timestamp_millis
from bridge.optoro.headers import rfc3339
from bridge.optoro.rma import RMA
from tests.rma_fields import of_kind, sample_with, sample_with_text
from tests.samples import verified

SAMPLE_MS = 1_535_643_582_025
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        pytest.param("2018-08-30T15:39:42.025Z", SAMPLE_MS, id="as Optoro writes them"),
        pytest.param("2018-08-30T15:39:42.025", SAMPLE_MS, id="no zone is UTC"),
        pytest.param("2018-08-30T15:39:42", SAMPLE_MS - 25, id="no fraction, no zone"),
        pytest.param("2018-08-30T15:39:42Z", SAMPLE_MS - 25, id="no fraction"),
        pytest.param("2018-08-30T17:39:42.025+02:00", SAMPLE_MS, id="east of Greenwich"),
        pytest.param("2018-08-30T05:09:42.025-10:30", SAMPLE_MS, id="west, half an hour"),
        pytest.param("2018-08-31T15:38:42.025+23:59", SAMPLE_MS, id="greatest offset"),
        pytest.param("2018-08-30T15:39:42.025-00:00", SAMPLE_MS, id="minus zero offset"),
        pytest.param("2018-08-30T15:39:42.1Z", SAMPLE_MS + 75, id="one digit is tenths"),
        pytest.param("2018-08-30T15:39:42.02Z", SAMPLE_MS - 5, id="two digits are hundredths"),
        pytest.param("2018-08-30T15:39:42.025999Z", SAMPLE_MS, id="microseconds are cut, not rounded"),
        pytest.param("2018-08-30T15:39:42.025999999Z", SAMPLE_MS, id="nanoseconds are cut"),
        pytest.param("1970-01-01T00:00:00Z", 0, id="epoch"),
        pytest.param("1969-12-31T23:59:59.999Z", -1, id="before the epoch"),
        pytest.param("1969-12-31T23:59:59.9999Z", -1, id="cut towards the past"),
        pytest.param("2020-02-29T00:00:00Z", 1_582_934_400_000, id="leap day"),
        pytest.param("0001-01-01T00:00:00Z", -62_135_596_800_000, id="first millisecond"),
        pytest.param("9999-12-31T23:59:59.999Z", 253_402_300_799_999, id="last millisecond"),
        pytest.param("0001-01-01T00:00:00-05:30", -62_135_577_000_000, id="first day, west"),
    ],
)
def test_timestamp_millis_when_it_is_a_date_time(text: str, milliseconds: int) -> None:
    """A date-time is the milliseconds since the epoch, in UTC."""
    assert timestamp_millis(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2018-08-30 15:39:42Z", id="space for T"),
        pytest.param("2018-08-30t15:39:42z", id="lower case"),
        pytest.param("1535643582", id="epoch seconds as text"),
        pytest.param("1535643582025", id="epoch milliseconds as text"),
        pytest.param("2018-08-30", id="date only"),
        pytest.param("15:39:42Z", id="time only"),
        pytest.param("2018-08-30T15:39Z", id="no seconds"),
        pytest.param("20180830T153942Z", id="basic format"),
        pytest.param("2018-W35-4T15:39:42Z", id="week date"),
        pytest.param("2016-12-31T23:59:60Z", id="leap second"),
        pytest.param("2018-08-30T24:00:00Z", id="hour 24"),
        pytest.param("2018-02-29T00:00:00Z", id="no such day"),
        pytest.param("2018-13-01T00:00:00Z", id="no such month"),
        pytest.param("0000-01-01T00:00:00Z", id="year 0"),
        pytest.param("10000-01-01T00:00:00Z", id="year 10000"),
        pytest.param("-001-01-01T00:00:00Z", id="negative year"),
        pytest.param("0001-01-01T00:00:00+05:30", id="before year 1 in UTC"),
        pytest.param("9999-12-31T23:59:59-00:01", id="after year 9999 in UTC"),
        pytest.param("2018-08-30T15:39:42.Z", id="point without digits"),
        pytest.param("2018-08-30T15:39:42,025Z", id="comma for point"),
        pytest.param("2018-08-30T15:39:42.0250000000Z", id="ten digits"),
        pytest.param("2018-08-30T15:39:42+02", id="offset without minutes"),
        pytest.param("2018-08-30T15:39:42+0200", id="offset without colon"),
        pytest.param("2018-08-30T15:39:42+24:00", id="offset of a day"),
        pytest.param("2018-08-30T15:39:42+02:60", id="offset of 60 minutes"),
        pytest.param("2018-08-30T15:39:42 UTC", id="named zone"),
        pytest.param("2018-08-30T15:39:42Z ", id="space behind"),
        pytest.param("2018-08-30T15:39:42Z\n", id="line feed behind"),
        pytest.param("٢٠١٨-08-30T15:39:42Z", id="digits of another script"),
        pytest.param("", id="empty"),
    ],
)
@pytest.mark.parametrize("pointer", of_kind("timestamp"))
def test_decode_when_a_timestamp_is_none(pointer: str, text: str) -> None:
    """What is no full ISO 8601 date-time that exists is refused, never guessed at."""
    with pytest.raises(ContractViolation) as caught:
        RMA.decode(verified(sample_with(pointer, text)))

    assert (caught.value.code, caught.value.path) == ("field_not_a_timestamp", pointer)


@pytest.mark.parametrize("text", ["1535643582", "1535643582.025", "true", "[]", "{}"])
@pytest.mark.parametrize("pointer", of_kind("timestamp"))
def test_decode_when_a_timestamp_is_no_text(pointer: str, text: str) -> None:
    """A number is no timestamp, whichever unit it might be in."""
    with pytest.raises(ContractViolation) as caught:
        RMA.decode(verified(sample_with_text(pointer, text)))

    assert (caught.value.code, caught.value.path) == ("field_not_a_timestamp", pointer)


offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets))  # noqa: DTZ001, bounds are naive
def test_timestamp_millis_agrees_with_datetime(moment: datetime) -> None:
    """Any moment in any offset is the integer that exact arithmetic gives, microseconds cut."""
    expected = (moment - EPOCH) // timedelta(milliseconds=1)

    assert timestamp_millis(moment.isoformat()) == expected


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_rfc3339_is_read_back(milliseconds: int) -> None:
    """Every timestamp that is read can be written as RFC 3339, and means the same."""
    assert timestamp_millis(rfc3339(milliseconds)) == milliseconds


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", fullmatch=True))
def test_timestamp_millis_of_any_text(text: str) -> None:
    """Any text is milliseconds within the years 1 to 9999, or refused as no timestamp."""
    with suppress(PydanticCustomError):
        assert -62_135_596_800_000 <= timestamp_millis(text) <= 253_402_300_799_999


def test_decode_keeps_both_timestamps_apart() -> None:
    """`created_at` and `updated_at` are read on their own."""
    body = json.loads(sample_with("/updated_at", "2018-08-30T15:39:43Z"))

    value = RMA.decode(verified(json.dumps(body).encode())).value

    assert (value["created_at"], value["updated_at"]) == (SAMPLE_MS, SAMPLE_MS + 975)
