"""Optoro's table of the RMA document, as the tests go by it, and the sample with one field changed."""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from tests.samples import SAMPLE

Kind = Literal["text", "integer", "boolean", "timestamp", "text or integer", "object", "object or list", "list"]
MISSING: Any = ...


class Field(NamedTuple):
    pointer: str
    kind: Kind
    required: bool = False


FIELDS = (
    Field("/rma_identifier", "text", required=True),
    Field("/status", "text", required=True),
    Field("/created_at", "timestamp", required=True),
    Field("/updated_at", "timestamp"),
    Field("/items", "object or list", required=True),
    Field("/items/0", "object", required=True),
    Field("/return_method", "text", required=True),
    Field("/return_shipping_cost_cents", "integer", required=True),
    Field("/bonus_credit_amount_cents", "integer"),
    Field("/gift_refund_only", "boolean", required=True),
    Field("/giftee_email", "text"),
    Field("/warehouse_id", "text or integer"),
    Field("/receiving_complete", "boolean"),
    Field("/concept", "text"),
    Field("/vendor", "text"),
    Field("/customer", "object"),
    Field("/customer/tags", "list"),
    Field("/customer/tags/0", "text", required=True),
    Field("/items/0/order_line_item_identifier", "text", required=True),
    Field("/items/0/order_identifier", "text", required=True),
    Field("/items/0/secondary_identifier", "text"),
    Field("/items/0/exchange_order_identifier", "text"),
    Field("/items/0/original_order_identifier", "text"),
    Field("/items/0/return_reason", "text", required=True),
    Field("/items/0/is_exchange", "boolean"),
    Field("/items/0/sku", "text", required=True),
    Field("/items/0/upc", "text", required=True),
    Field("/items/0/tracking_number", "text"),
    Field("/items/0/package_tracking_status", "text"),
    Field("/items/0/receiving_status", "text"),
    Field("/items/0/refund_financials", "object", required=True),
    Field("/items/0/refund_financials/estimated_refund_amount_cents", "integer"),
    Field("/items/0/refund_financials/optoro_refund_amount_cents", "integer"),
    Field("/items/0/refund_financials/shopper_refund_amount_cents", "integer"),
    Field("/items/0/refund_type", "text", required=True),
    Field("/items/0/warehouse_receipt_condition", "text"),
)


def of_kind(*kinds: Kind) -> list[str]:
    return [field.pointer for field in FIELDS if field.kind in kinds]


def sample_with(pointer: str, value: Any) -> bytes:
    """The sample with `value` at `pointer`, MISSING taking away what stands there."""
    document = json.loads(SAMPLE)
    *parents, last = _steps(pointer)
    holder = _at(document, parents)
    if value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return json.dumps(document).encode()


def sample_with_text(pointer: str, text: str) -> bytes:
    """The sample with the JSON `text`, as it is spelled, at `pointer`."""
    return sample_with(pointer, "\0here").replace(b'"\\u0000here"', text.encode("utf-8", "surrogatepass"))


def at(value: Any, pointer: str) -> Any:
    return _at(value, _steps(pointer))


def _at(value: Any, steps: Iterator[str | int] | list[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _steps(pointer: str) -> Iterator[str | int]:
    for token in pointer.split("/")[1:]:
        yield int(token) if token.isdigit() else token.replace("~1", "/").replace("~0", "~")
