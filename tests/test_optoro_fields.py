"""Every field takes its own type and nothing else: no coercion, no null where a value is required."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.errors import ContractViolation
from bridge.optoro.rma import RMA
from tests.rma_fields import FIELDS, MISSING, at, of_kind, sample_with, sample_with_text
from tests.samples import verified

ALIEN = {  # JSON texts by type; what a kind takes is left out below
    "boolean": "true",
    "integer": "1",
    "fraction": "1.5",
    "whole fraction": "1.0",
    "exponent": "1e2",
    "text": '"1535643582025"',
    "true as text": '"true"',
    "object": "{}",
    "list": "[]",
    "list of a text": '["x"]',
}
OWN: dict[str, set[str]] = {
    "text": {"text", "true as text"},
    "integer": {"integer"},
    "boolean": {"boolean"},
    "timestamp": set(),
    "text or integer": {"text", "true as text", "integer"},
    "object": {"object"},
    "object or list": {"list", "object"},
    "list": {"list", "list of a text"},
}
# A required part of the part itself is what these miss.
INCOMPLETE = {("/items", "object"), ("/items/0", "object"), ("/items", "list of a text")}


def refusal(body: bytes) -> tuple[str, str]:
    with pytest.raises(ContractViolation) as caught:
        RMA.decode(verified(body))
    return caught.value.code, caught.value.path


def _coercions() -> Iterator[Any]:
    for field in FIELDS:
        for name in sorted(ALIEN.keys() - OWN[field.kind]):
            if (field.pointer, name) not in INCOMPLETE:
                yield pytest.param(field.pointer, name, id=f"{name} for {field.pointer}")


@pytest.mark.parametrize(("pointer", "alien"), list(_coercions()))
def test_decode_when_a_field_has_another_type(pointer: str, alien: str) -> None:
    """A value of another type is refused where it stands, never made to fit."""
    code, path = refusal(sample_with_text(pointer, ALIEN[alien]))

    assert path == pointer
    assert code in {"field_wrong_type", "field_not_a_timestamp"}


def test_decode_when_an_item_is_no_object() -> None:
    """A list of anything but items is refused at the first that is none."""
    assert refusal(sample_with("/items", ["x"])) == ("field_wrong_type", "/items/0")


@pytest.mark.parametrize("pointer", [field.pointer for field in FIELDS if field.required])
def test_decode_when_a_required_field_is_null(pointer: str) -> None:
    """Null is no value for a required field."""
    assert refusal(sample_with(pointer, None)) == ("field_null", pointer)


@pytest.mark.parametrize("pointer", [field.pointer for field in FIELDS if not field.required])
def test_decode_when_an_optional_field_is_null(pointer: str) -> None:
    """Null for an optional field is kept as null."""
    assert at(RMA.decode(verified(sample_with(pointer, None))).value, pointer) is None


@pytest.mark.parametrize(
    "pointer", [field.pointer for field in FIELDS if field.required and not field.pointer.endswith("/0")]
)
def test_decode_when_a_required_field_is_missing(pointer: str) -> None:
    """A required field that is missing is named by where it should stand."""
    assert refusal(sample_with(pointer, MISSING)) == ("field_missing", pointer)


@pytest.mark.parametrize("pointer", [field.pointer for field in FIELDS if not field.required])
def test_decode_when_an_optional_field_is_missing(pointer: str) -> None:
    """An optional field may be missing."""
    *_, name = pointer.rpartition("/")
    value = RMA.decode(verified(sample_with(pointer, MISSING))).value

    assert name not in at(value, pointer[: -len(name) - 1])


@pytest.mark.parametrize("pointer", [pointer for pointer in of_kind("text") if pointer != "/rma_identifier"])
def test_decode_when_a_text_is_empty(pointer: str) -> None:
    """The empty text is a text, for every field but the key."""
    assert at(RMA.decode(verified(sample_with(pointer, ""))).value, pointer) == ""


def test_decode_when_the_key_is_empty() -> None:
    """An empty `rma_identifier` keys nothing, so it is refused."""
    assert refusal(sample_with("/rma_identifier", "")) == ("field_empty", "/rma_identifier")


@pytest.mark.parametrize("pointer", of_kind("integer"))
@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1], ids=str)
def test_decode_when_an_integer_fits_64_bits(pointer: str, number: int) -> None:
    """Every 64-bit integer is kept exactly, also where a double could not hold it."""
    assert at(RMA.decode(verified(sample_with(pointer, number))).value, pointer) == number


@pytest.mark.parametrize("pointer", of_kind("integer"))
@pytest.mark.parametrize(
    "number", [-(2**63) - 1, 2**63, 2**64, 10**4_299], ids=["below", "2^63", "2^64", "4300 digits"]
)
def test_decode_when_an_integer_is_above_64_bits(pointer: str, number: int) -> None:
    """An integer that Avro's long cannot hold is refused, never wrapped or rounded."""
    assert refusal(sample_with(pointer, number)) == ("field_out_of_range", pointer)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true", b"1.5"], ids=bytes.decode)
def test_decode_when_the_document_is_no_object(body: bytes) -> None:
    """JSON that is no object is refused as a whole."""
    assert refusal(body) == ("not_an_object", "")


def test_decode_when_much_is_wrong() -> None:
    """The first fault in the order of the contract is named, and how many more there are."""
    with pytest.raises(ContractViolation, match=r"^Field required \(and 6 more\)$") as caught:
        RMA.decode(verified(b"{}"))

    assert caught.value.path == "/rma_identifier"


def test_refusal_when_items_is_one_object() -> None:
    """Paths speak of the record's shape: the one object of version 4 is the first of the list."""
    assert refusal(sample_with("/items", {"sku": 1})) == ("field_missing", "/items/0/order_line_item_identifier")
