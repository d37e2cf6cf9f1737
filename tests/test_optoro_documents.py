"""Documents of versions 3, 4 and 5 become one shape, and every accepted one fits the schema."""

import json
from typing import Any

import pytest
from hypothesis import given

from bridge.avro.converter import AvroConverter, decode
from bridge.avro.schemas import load_schema
from bridge.optoro.fields import timestamp_millis
from bridge.optoro.rma import RMA
from bridge.testing import NOW_MS
from tests.rma_fields import at, sample_with
from tests.samples import PAYLOADS, SAMPLE, verified
from tests.strategies import rmas

SCHEMA = load_schema("returns.rma.v1-value")
MAPPED = {"UNEVEN_GC": "INSTANT_STORE_CREDIT", "EVEN_EXCHANGE": "INSTANT_EXCHANGE"}


def value_of(body: bytes) -> dict[str, Any]:
    return RMA.decode(verified(body)).value


def as_stored(document: dict[str, Any]) -> dict[str, Any]:
    """The document after the normalisations that the consumers' page lists."""
    stored = dict(document)
    items = stored["items"] if isinstance(stored["items"], list) else [stored["items"]]
    stored["items"] = [_item_as_stored(item) for item in items]
    if isinstance(stored.get("warehouse_id"), int):
        stored["warehouse_id"] = str(stored["warehouse_id"])
    for name in ("created_at", "updated_at"):
        if stored.get(name) is not None:
            stored[name] = timestamp_millis(stored[name])
    return stored


def _item_as_stored(item: dict[str, Any]) -> dict[str, Any]:
    old = item["refund_type"]
    return item | {"refund_type": MAPPED[old], "original_refund_type": old} if old in MAPPED else item


@given(rmas())
def test_decode_of_any_version_keeps_everything(document: dict[str, Any]) -> None:
    """The value is the document, normalised, and what is known of the delivery; nothing else changes."""
    value = value_of(json.dumps(document).encode())

    webhook = value.pop("webhook")
    assert value == as_stored(document)
    assert webhook.keys() == {"event_id", "webhook", "tenant", "api_version", "received_at"}


@given(rmas())
def test_decoded_value_of_any_version_fits_the_schema(document: dict[str, Any]) -> None:
    """What the contract accepts, the converter takes and a consumer reads back."""
    value = value_of(json.dumps(document).encode())

    read = decode(AvroConverter(SCHEMA, 1).encode(value), lambda _: SCHEMA.text)

    assert {name: read[name] for name in ("rma_identifier", "status", "created_at", "webhook")} == {
        name: value[name] for name in ("rma_identifier", "status", "created_at", "webhook")
    }
    assert len(read["items"]) == len(value["items"])


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_decode_of_a_sample(path: Any) -> None:
    """Every payload in the repository is accepted, fits the schema, and is keyed by its RMA."""
    event = RMA.decode(verified(path.read_bytes()))

    AvroConverter(SCHEMA, 1).encode(event.value)
    assert event.key == json.loads(path.read_bytes())["rma_identifier"]


def test_decode_when_items_is_one_object() -> None:
    """The one object of the version 4 page is stored as a list of one."""
    item = json.loads(SAMPLE)["items"][0]

    assert value_of(sample_with("/items", item))["items"] == [item]


def test_decode_when_there_are_no_items() -> None:
    """An empty list of items is accepted."""
    assert value_of(sample_with("/items", []))["items"] == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param(1, "1", id="integer"),
        pytest.param("007", "007", id="text keeps its zeros"),
        pytest.param("", "", id="empty text"),
        pytest.param(-5, "-5", id="negative"),
        pytest.param(2**64, "18446744073709551616", id="above 64 bits"),
        pytest.param(None, None, id="null"),
    ],
)
def test_decode_warehouse_id(sent: object, stored: object) -> None:
    """A number is stored as its digits, a text as it is."""
    assert value_of(sample_with("/warehouse_id", sent))["warehouse_id"] == stored


@pytest.mark.parametrize(
    ("sent", "stored", "original"),
    [
        pytest.param("UNEVEN_GC", "INSTANT_STORE_CREDIT", "UNEVEN_GC", id="uneven gift card"),
        pytest.param("EVEN_EXCHANGE", "INSTANT_EXCHANGE", "EVEN_EXCHANGE", id="even exchange"),
        pytest.param("INSTANT_EXCHANGE", "INSTANT_EXCHANGE", None, id="new name"),
        pytest.param("STORE_PIZZA", "STORE_PIZZA", None, id="name nobody knows"),
        pytest.param("uneven_gc", "uneven_gc", None, id="other case"),
        pytest.param("", "", None, id="empty"),
    ],
)
def test_decode_refund_type(sent: str, stored: str, original: str | None) -> None:
    """The two old names are mapped with the original beside them; any other stays, with nothing beside it."""
    item = value_of(sample_with("/items/0/refund_type", sent))["items"][0]

    assert (item["refund_type"], item.get("original_refund_type")) == (stored, original)


@pytest.mark.parametrize(
    "pointer", ["/status", "/return_method", "/items/0/package_tracking_status", "/items/0/receiving_status"]
)
def test_decode_when_a_vocabulary_has_grown(pointer: str) -> None:
    """A word that no document lists is kept as it is."""
    assert at(value_of(sample_with(pointer, "BRAND_NEW")), pointer) == "BRAND_NEW"


def test_decode_says_how_the_event_came() -> None:
    """The delivery's facts come from the request's headers and clock, whatever the document's version."""
    request = verified(SAMPLE, tenant="Modrno")

    event = RMA.decode(request)

    assert event.value["webhook"] == {
        "event_id": event.event_id,
        "webhook": "rma",
        "tenant": "Modrno",
        "api_version": "3",
        "received_at": NOW_MS,
    }


@pytest.mark.parametrize(
    ("updated_at", "occurred_at_ms"),
    [
        pytest.param("2018-08-31T00:00:00.001Z", 1_535_673_600_001, id="updated"),
        pytest.param(None, 1_535_643_582_025, id="null, so created"),
        pytest.param(..., 1_535_643_582_025, id="absent, so created"),
        pytest.param("1970-01-01T00:00:00Z", 0, id="updated at the epoch, a false number"),
    ],
)
def test_decode_tells_when_it_occurred(updated_at: object, occurred_at_ms: int) -> None:
    """The event's time is `updated_at`, else `created_at`."""
    assert RMA.decode(verified(sample_with("/updated_at", updated_at))).occurred_at_ms == occurred_at_ms


@pytest.mark.parametrize(
    "identifier", ["r", " ", "\0", "rma/1?ä😀", "x" * 100_000], ids=["short", "blank", "NUL", "odd", "long"]
)
def test_decode_keys_the_event_by_its_rma(identifier: str) -> None:
    """Any text but the empty one is a key, unchanged."""
    event = RMA.decode(verified(sample_with("/rma_identifier", identifier)))

    assert (event.key, event.value["rma_identifier"]) == (identifier, identifier)
