"""Fields that the contract does not name are kept, as JSON text, under where they stood."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ContractViolation
from bridge.optoro.rma import RMA
from bridge.optoro.strict_json import MAX_POINTER_CHARS
from bridge.records import Event
from tests.rma_fields import sample_with, sample_with_text
from tests.samples import SAMPLE, verified
from tests.strategies import json_values, rmas, texts

LEVELS = {
    "top": "",
    "item": "/items/0",
    "refund financials": "/items/0/refund_financials",
    "customer": "/customer",
}


def decode(body: bytes) -> Event:
    return RMA.decode(verified(body))


def additional(body: bytes) -> Any:
    return decode(body).value["additional_fields"]


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS.keys())
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("null", id="null"),
        pytest.param("true", id="boolean"),
        pytest.param('"Ünïcode 😀 \\" \\\\ /"', id="text"),
        pytest.param('"\\u0000\\u001f"', id="control characters"),
        pytest.param("0", id="zero"),
        pytest.param("1.50", id="trailing zero"),
        pytest.param("1E5", id="capital exponent"),
        pytest.param("1e+05", id="padded exponent"),
        pytest.param("-0.0", id="negative zero"),
        pytest.param("1e-400", id="below a double's least"),
        pytest.param("0.1000000000000000055", id="more digits than a double has"),
        pytest.param("18446744073709551616", id="2^64"),
        pytest.param("9" * 4300, id="4300 digits"),
        pytest.param("{}", id="empty object"),
        pytest.param("[]", id="empty list"),
        pytest.param('{"b":[1.0,{"a":null}],"a":1}', id="nested, in its order"),
    ],
)
def test_decode_keeps_an_unknown_field(level: str, text: str) -> None:
    """At each level the field is kept under its JSON Pointer, its numbers spelled as they came."""
    body = sample_with_text(f"{level}/new_field", text)

    assert additional(body) == f'{{"{level}/new_field":{text}}}'


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS.keys())
def test_decode_takes_an_unknown_field_out_of_the_value(level: str) -> None:
    """What is beside the schema does not change what is in it."""
    value = decode(sample_with(f"{level}/new_field", 1)).value
    del value["additional_fields"]
    known = decode(SAMPLE).value

    assert value | {"webhook": None} == known | {"webhook": None}


@pytest.mark.parametrize(
    ("name", "token"),
    [
        pytest.param("a/b", "a~1b", id="slash"),
        pytest.param("a~b", "a~0b", id="tilde"),
        pytest.param("~1", "~01", id="looks escaped"),
        pytest.param("", "", id="empty"),
        pytest.param(" ", " ", id="blank"),
        pytest.param("0", "0", id="looks like an index"),
        pytest.param("ä😀\0\n", "ä😀\0\n", id="odd characters"),
        pytest.param("Status", "Status", id="known name in another case"),
        pytest.param("e\u0301", "e\u0301", id="not normalised"),
        pytest.param("k" * 100_000, "k" * 100_000, id="100 kB"),
    ],
)
def test_decode_escapes_the_name_of_an_unknown_field(name: str, token: str) -> None:
    """Names are tokens of RFC 6901, whole and unambiguous."""
    event = decode(json.dumps(json.loads(SAMPLE) | {name: 1}).encode())

    assert json.loads(event.value["additional_fields"]) == {f"/{token}": 1}
    assert event.unknown_fields == (f"/{token}",)


@pytest.mark.parametrize("name", ["webhook", "additional_fields", "event_id", "received_at", "__proto__", "sku"])
def test_decode_when_an_unknown_field_has_a_name_of_ours(name: str) -> None:
    """A sender's field never takes the place of the bridge's, or of one that stands elsewhere."""
    value = decode(json.dumps(json.loads(SAMPLE) | {name: "theirs"}).encode()).value

    assert json.loads(value["additional_fields"]) == {f"/{name}": "theirs"}
    assert value["webhook"]["webhook"] == "rma"


@pytest.mark.parametrize(
    ("refund_type", "ours"), [("REFUND", None), ("UNEVEN_GC", "UNEVEN_GC")], ids=["kept", "mapped"]
)
def test_decode_when_an_item_has_an_original_refund_type(refund_type: str, ours: str | None) -> None:
    """`original_refund_type` is the bridge's to write; the sender's field of that name is an unknown one."""
    document = json.loads(SAMPLE)
    document["items"][0] |= {"refund_type": refund_type, "original_refund_type": "theirs"}

    value = decode(json.dumps(document).encode()).value

    assert value["items"][0].get("original_refund_type") == ours
    assert json.loads(value["additional_fields"]) == {"/items/0/original_refund_type": "theirs"}


def test_decode_when_items_is_one_object_with_unknown_fields() -> None:
    """Pointers speak of the record's shape: the one object of version 4 is the first of the list."""
    item = json.loads(SAMPLE)["items"][0]

    assert additional(sample_with("/items", item | {"colour": "red"})) == '{"/items/0/colour":"red"}'


def test_decode_orders_unknown_fields() -> None:
    """The pointers are sorted by code point, so equal messages have equal text."""
    document = json.loads(SAMPLE)
    document |= {"zebra": 1, "apple": 2, "customer": {"tags": [], "tier": "gold"}}
    document["items"][0] |= {"colour": "red", "b": 3}

    event = decode(json.dumps(document).encode())

    assert event.unknown_fields == ("/apple", "/customer/tier", "/items/0/b", "/items/0/colour", "/zebra")
    assert list(json.loads(event.value["additional_fields"])) == list(event.unknown_fields)


def test_decode_when_nothing_is_unknown() -> None:
    """Without unknown fields there is no text."""
    event = decode(SAMPLE)

    assert "additional_fields" not in event.value
    assert event.unknown_fields == ()


@given(rmas(), st.dictionaries(texts.map(lambda name: f"x-{name}"), json_values, max_size=4))
def test_decode_keeps_any_unknown_fields(document: dict[str, Any], unknown: dict[str, Any]) -> None:
    """Whatever JSON it is, a consumer that parses the text has the value that the sender wrote."""
    event = decode(json.dumps(document | unknown).encode())

    kept = json.loads(event.value.get("additional_fields", "{}"))
    assert kept == {"/" + name.replace("~", "~0").replace("/", "~1"): value for name, value in unknown.items()}


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS.keys())
def test_decode_when_an_unknown_number_is_beyond_a_double(level: str) -> None:
    """A number that most readers would take for infinity is refused by its place."""
    with pytest.raises(ContractViolation) as caught:
        decode(sample_with_text(f"{level}/n", '{"a":[0,-1e999],"b":1e999}'))

    assert (caught.value.code, caught.value.path) == ("number_out_of_range", f"{level}/n/a/1")


def nested(levels: int, *, objects: bool) -> str:
    before, after = ('{"a":', "}") if objects else ("[", "]")
    return before * levels + "0" + after * levels


@pytest.mark.parametrize("objects", [False, True], ids=["lists", "objects"])
@pytest.mark.parametrize(
    ("level", "around"), [("", 1), ("/items/0", 3), ("/customer", 2)], ids=["top", "item", "customer"]
)
def test_decode_when_an_unknown_field_is_32_levels_deep(level: str, around: int, objects: bool) -> None:
    """32 containers inside each other, the document's own counted, are accepted."""
    text = nested(32 - around, objects=objects)

    assert additional(sample_with_text(f"{level}/deep", text)) == f'{{"{level}/deep":{text}}}'


@pytest.mark.parametrize("objects", [False, True], ids=["lists", "objects"])
@pytest.mark.parametrize(
    ("level", "around"), [("", 1), ("/items/0", 3), ("/customer", 2)], ids=["top", "item", "customer"]
)
def test_decode_when_an_unknown_field_is_33_levels_deep(level: str, around: int, objects: bool) -> None:
    """The 33rd level is refused by its place."""
    below = 32 - around

    with pytest.raises(ContractViolation) as caught:
        decode(sample_with_text(f"{level}/deep", nested(below + 1, objects=objects)))

    assert (caught.value.code, caught.value.path) == ("too_deep", f"{level}/deep" + ("/a" if objects else "/0") * below)


def test_refusal_when_a_name_is_very_long() -> None:
    """A path is cut, so that no name makes a header that Kafka will not take."""
    with pytest.raises(ContractViolation) as caught:
        decode(sample_with_text(f"/{'k' * 100_000}", nested(40, objects=False)))

    assert caught.value.path == "/" + "k" * (MAX_POINTER_CHARS - 1)


def test_refusal_is_the_same_for_every_order_of_keys() -> None:
    """Of two faults the same one is named however the sender orders its keys."""
    deep = nested(40, objects=False)
    bodies = [sample_with_text("/x", f'0,"{one}":{deep},"{two}":{deep}') for one, two in ("ab", "ba")]
    paths = set()
    for body in bodies:
        with pytest.raises(ContractViolation) as caught:
            decode(body)
        paths.add(caught.value.path)

    assert len(paths) == 1
