"""The converter: Confluent's framing, fastavro's bytes, and one error for whatever does not fit."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.avro.converter import AvroConverter, decode, schema_id
from bridge.avro.schemas import load_schema, parse_schema
from bridge.errors import ConversionFailed
from tests.avro_values import complete, reference_bytes, values

SCHEMA = load_schema("returns.rma.v1-value")
CONVERTER = AvroConverter(SCHEMA, 7)
GOLDEN = json.loads((Path(__file__).parent / "payloads" / "rma_spec5_created.json").read_text()) | {
    "created_at": 1535643582025,
    "updated_at": 1535643582025,
    "webhook": {
        "event_id": "0123456789abcdef0123456789abcdef",
        "webhook": "rma",
        "tenant": "Modrno",
        "received_at": 1763881842025,
    },
    "additional_fields": '{"/colour":"röd"}',
}
GOLDEN_BYTES = bytes.fromhex(
    "00000000070e726d61313233340e4352454154454492f9ebb7b1590292f9ebb7b1590202310c6f31323334350210736f"
    "6931323334350212656f6964323334353602106f6f69643334353612546f6f20536d616c6c02010e536b75313233340e"
    "55504331323334021c315a34303338313834313331333102165052455f5452414e534954020e50454e44494e4702d00f"
    "020002d00f0c524546554e440002024e00126d61696c2d6261636bc801020000022874657374656d61696c40646f6d61"
    "696e2e636f6d0202310200020e636f6e63657074020c6d6f64726e6f02020220676f6c645f746965725f6d656d626572"
    "0040303132333435363738396162636465663031323334353637383961626364656606726d61020c4d6f64726e6f00d2"
    "d5e7f8d56602247b222f636f6c6f7572223a2272c3b664227d"
)


def _with(**changes: Any) -> dict[str, Any]:
    return {**GOLDEN, **changes}


def _with_item(**changes: Any) -> dict[str, Any]:
    return _with(items=[GOLDEN["items"][0], {**GOLDEN["items"][0], **changes}])


def test_encode_gives_the_golden_bytes_when_the_record_is_fixed() -> None:
    """A fixed record has these bytes for ever: consumers have them on disk."""
    assert CONVERTER.encode(GOLDEN) == GOLDEN_BYTES


@given(values(SCHEMA))
def test_encode_equals_fastavro_when_the_value_fits(value: dict[str, Any]) -> None:
    """Any value of the schema has the frame and exactly the reference's bytes."""
    assert CONVERTER.encode(value) == b"\x00\x00\x00\x00\x07" + reference_bytes(SCHEMA, value)


@given(values(SCHEMA))
def test_decode_returns_the_value_when_it_was_encoded(value: dict[str, Any]) -> None:
    """decode(encode(x)) is x, absent optional keys being null."""
    assert decode(CONVERTER.encode(value), {7: SCHEMA.text}.__getitem__) == complete(SCHEMA, value)


@pytest.mark.parametrize("schema_number", [0, 1, 7, 2**31 - 1], ids=str)
def test_schema_id_is_in_the_frame_when_encoded(schema_number: int) -> None:
    """The id a converter was made with can be read back from its payloads."""
    assert schema_id(AvroConverter(SCHEMA, schema_number).encode(GOLDEN)) == schema_number


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param({}, "/rma_identifier", id="empty"),
        pytest.param(None, "", id="null"),
        pytest.param([], "", id="array for the record"),
        pytest.param(_with(colour="red"), "", id="unknown key"),
        pytest.param(_with_item(colour="red"), "/items/1", id="unknown key in an item"),
        pytest.param(_with(status=None), "/status", id="null for required"),
        pytest.param(_with(status=3), "/status", id="number for string"),
        pytest.param(_with(status=b"x"), "/status", id="bytes for string"),
        pytest.param(_with(warehouse_id=1), "/warehouse_id", id="number for optional string"),
        pytest.param(_with(status="\ud800"), "/status", id="lone surrogate"),
        pytest.param(_with(return_shipping_cost_cents=True), "/return_shipping_cost_cents", id="boolean for long"),
        pytest.param(_with(return_shipping_cost_cents=1.0), "/return_shipping_cost_cents", id="float for long"),
        pytest.param(_with(return_shipping_cost_cents="1"), "/return_shipping_cost_cents", id="string for long"),
        pytest.param(_with(return_shipping_cost_cents=2**63), "/return_shipping_cost_cents", id="too large"),
        pytest.param(_with(bonus_credit_amount_cents=-(2**63) - 1), "/bonus_credit_amount_cents", id="too small"),
        pytest.param(_with(bonus_credit_amount_cents=False), "/bonus_credit_amount_cents", id="boolean for optional"),
        pytest.param(_with(gift_refund_only=1), "/gift_refund_only", id="number for boolean"),
        pytest.param(_with(gift_refund_only=None), "/gift_refund_only", id="null for boolean"),
        pytest.param(_with(items={}), "/items", id="object for array"),
        pytest.param(_with(items=()), "/items", id="tuple for array"),
        pytest.param(_with(items=[None]), "/items/0", id="null item"),
        pytest.param(_with(customer={"tags": "gold"}), "/customer/tags", id="string for array"),
        pytest.param(_with(customer={"tags": [None]}), "/customer/tags/0", id="null tag"),
        pytest.param(_with(customer=[]), "/customer", id="array for optional record"),
        pytest.param(_with_item(refund_financials=None), "/items/1/refund_financials", id="null for record"),
        pytest.param(_with_item(sku=7), "/items/1/sku", id="second item"),
    ],
)
def test_encode_refuses_with_the_path_when_a_value_does_not_fit(value: Any, path: str) -> None:
    """Whatever does not fit is a ConversionFailed that names the place."""
    with pytest.raises(ConversionFailed) as caught:
        CONVERTER.encode(value)
    assert (caught.value.code, caught.value.path) == ("encode_failed", path)


def test_encode_quotes_no_payload_when_it_refuses() -> None:
    """Neither the message nor the chain of the error holds the value."""
    with pytest.raises(ConversionFailed) as caught:
        CONVERTER.encode(_with(status="secret\ud800"))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


_JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOLDEN, "x"]), inner, max_size=5),
    max_leaves=10,
)


@given(st.sampled_from([field["name"] for field in SCHEMA.parsed["fields"]]), _JSON_LIKE)
def test_encode_gives_bytes_or_conversion_failed_when_a_field_is_anything(name: str, anything: Any) -> None:
    """No other exception leaves the converter, and what it takes is what fastavro writes."""
    value = _with(**{name: anything})
    try:
        payload = CONVERTER.encode(value)
    except ConversionFailed:
        return
    assert payload[5:] == reference_bytes(SCHEMA, value)


def test_encode_refuses_when_a_recursive_value_is_too_deep() -> None:
    """Depth beyond the interpreter's is a refusal as well."""
    tree = parse_schema(
        '{"type":"record","name":"T","fields":[{"name":"next","type":["null","T"],"default":null}]}', subject="tree"
    )
    value: dict[str, Any] = {}
    for _ in range(50_000):
        value = {"next": value}
    with pytest.raises(ConversionFailed):
        AvroConverter(tree, 1).encode(value)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\x00\x00", id="short frame"),
        pytest.param(b"\x01" + GOLDEN_BYTES[1:], id="other magic byte"),
        pytest.param(GOLDEN_BYTES[:-1], id="cut"),
        pytest.param(GOLDEN_BYTES + b"\x00", id="trailing byte"),
        pytest.param(GOLDEN_BYTES[:5] + b"\xff" * 40, id="no record"),
    ],
)
def test_decode_refuses_when_the_payload_is_not_the_schemas(payload: bytes) -> None:
    """A consumer hears decode_failed, whatever is wrong with the bytes."""
    with pytest.raises(ConversionFailed) as caught:
        decode(payload, lambda _: SCHEMA.text)
    assert caught.value.code == "decode_failed"
