"""Our schemas through time: the releases that are, and the ones that somebody might try to make."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final

from fastavro import schemaless_reader

from bridge.avro.schemas import Schema, load_schema, parse_schema, released_schemas, schema_names
from tests.avro_values import complete, reference_bytes

RMA: Final = "returns.rma.v1-value"
STATUS: Final = {"type": "enum", "name": "Status", "symbols": ["OPEN", "CLOSED"]}


@dataclass(frozen=True)
class Version:
    """A version of one of our schemas; `label` tells a release from the schema being worked on."""

    label: str
    schema: Schema

    def __str__(self) -> str:
        return self.label


def versions(name: str) -> list[Version]:
    """The releases in order, and the working schema behind them."""
    released = [Version(f"{name} {number}", schema) for number, schema in enumerate(released_schemas(name), 1)]
    return [*released, Version(f"{name} working", load_schema(name))]


def pairs() -> Iterator[tuple[Version, Version]]:
    """Every version with every version of the same schema, itself included."""
    for name in schema_names():
        yield from ((one, other) for one in versions(name) for other in versions(name))


def read_back(writer: Schema, reader: Schema, value: Any) -> Any:
    """What the reference makes of `value` that was written with one schema and is read with another.

    Logical types are left out: Python's own dates reach less far than a long.
    """
    return schemaless_reader(BytesIO(reference_bytes(writer, value)), _plain(writer.text), _plain(reader.text))


def what_the_reader_knows(writer: Schema, reader: Schema, value: Any) -> Any:
    """`value` without the fields that only the writer has, and with the defaults of those that only the reader has."""
    return complete(reader, complete(writer, value))


@cache
def _plain(text: str) -> Any:
    def without(document: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in document.items() if key != "logicalType"}

    return parse_schema(json.dumps(json.loads(text, object_hook=without))).parsed


@dataclass(frozen=True)
class Attempt:
    """A change of the RMA's schema, made in place; `before` is made first, where the schema lacks what it takes."""

    name: str
    change: Callable[[Any], None]
    before: Callable[[Any], None] = lambda _document: None

    def __str__(self) -> str:
        return self.name

    def history(self, subject: str = RMA) -> tuple[Schema, Schema]:
        """The schema before and after."""
        old = json.loads(load_schema(RMA).text)
        self.before(old)
        new = copy.deepcopy(old)
        self.change(new)
        return parse_schema(json.dumps(old), subject=subject), parse_schema(json.dumps(new), subject=subject)


def field(document: Any, name: str) -> Any:
    [found] = [each for each in document["fields"] if each["name"] == name]
    return found


def item(document: Any) -> Any:
    return field(document, "items")["type"]["items"]


def added(name: str, kind: Any, **more: Any) -> Callable[[Any], None]:
    return lambda document: document["fields"].append({"name": name, "type": kind, "doc": "New.", **more})


def removed(name: str) -> Callable[[Any], None]:
    return lambda document: document["fields"].remove(field(document, name))


def retyped(name: str, kind: Any) -> Callable[[Any], None]:
    return lambda document: field(document, name).update(type=kind)


def renamed(name: str, to: str, **more: Any) -> Callable[[Any], None]:
    return lambda document: field(document, name).update(name=to, **more)


def inside(change: Callable[[Any], None]) -> Callable[[Any], None]:
    """The change in the record of an item."""
    return lambda document: change(item(document))


def _with_symbols(*symbols: str) -> Callable[[Any], None]:
    return lambda document: field(document, "state").update(type=STATUS | {"symbols": list(symbols)})


def _without_default(document: Any) -> None:
    del field(document, "vendor")["default"]


ALLOWED: Final = (
    Attempt("optional field added", added("colour", ["null", "string"], default=None)),
    Attempt("optional field removed", removed("vendor")),
    Attempt("optional field added to an item", inside(added("colour", ["null", "string"], default=None))),
    Attempt("optional field removed from an item", inside(removed("tracking_number"))),
    Attempt(
        "optional record added",
        added("parcel", ["null", {"type": "record", "name": "Parcel", "fields": []}], default=None),
    ),
    Attempt("fields in another order", lambda document: document["fields"].reverse()),
    Attempt("documentation changed", lambda document: document.update(doc="Other words.")),
)

FORBIDDEN: Final = (
    Attempt("required field removed", removed("status")),
    Attempt("required field removed from an item", inside(removed("sku"))),
    Attempt("required field removed as an alias", renamed("status", "state", aliases=["status"])),
    Attempt("required field renamed", renamed("status", "state")),
    Attempt("field added without a default", added("colour", "string")),
    Attempt("field added to an item without a default", inside(added("colour", "string"))),
    Attempt("nullable field added without a default", added("colour", ["null", "string"])),
    Attempt("type changed", retyped("status", "long")),
    Attempt("type widened", retyped("return_shipping_cost_cents", "double")),
    Attempt("type changed in an item", inside(retyped("refund_type", "boolean"))),
    Attempt("optional type changed", retyped("vendor", ["null", "long"])),
    Attempt("required field made nullable", retyped("status", ["null", "string"])),
    Attempt(
        "optional field made required", lambda document: field(document, "vendor").update(type="string", default="")
    ),
    Attempt("text made an enum", retyped("status", STATUS)),
    Attempt("symbol added to an enum", _with_symbols("OPEN", "CLOSED", "LOST"), before=added("state", STATUS)),
    Attempt("symbol removed from an enum", _with_symbols("OPEN"), before=added("state", STATUS)),
    Attempt("record renamed", lambda document: document.update(name="Return")),
    Attempt("record of an item renamed", inside(lambda record: record.update(name="ReturnItem"))),
    Attempt("list made a single record", lambda document: field(document, "items").update(type=item(document))),
)

UNSEEN_BY_REGISTRIES: Final = (
    Attempt(
        "milliseconds made microseconds", retyped("created_at", {"type": "long", "logicalType": "timestamp-micros"})
    ),
    Attempt("time made a number", retyped("created_at", "long")),
    Attempt(
        "scale of a decimal changed",
        retyped("price", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}),
        before=added("price", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
    ),
)
