"""The RMA webhook: document versions 3, 4 and 5 as one contract.

Required is what every version requires. The v4 page draws `items` as one object and shows `warehouse_id` as a number:
both are accepted and stored as v5 has them.
"""

from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from bridge.optoro.contract import Contract
from bridge.optoro.fields import STRICT, Int64, Many, NonEmptyText, OneOrMany, TextOrInteger, TimestampMillis

RENAMED_REFUND_TYPES: Final = {"UNEVEN_GC": "INSTANT_STORE_CREDIT", "EVEN_EXCHANGE": "INSTANT_EXCHANGE"}


class RefundFinancials(TypedDict):
    """Amounts in integer cents."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    estimated_refund_amount_cents: NotRequired[Int64 | None]
    optoro_refund_amount_cents: NotRequired[Int64 | None]
    shopper_refund_amount_cents: NotRequired[Int64 | None]


class RmaItem(TypedDict):
    """One returned item."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    order_line_item_identifier: str
    order_identifier: str
    secondary_identifier: NotRequired[str | None]
    exchange_order_identifier: NotRequired[str | None]
    original_order_identifier: NotRequired[str | None]
    return_reason: str
    is_exchange: NotRequired[bool | None]
    sku: str
    upc: str
    tracking_number: NotRequired[str | None]
    package_tracking_status: NotRequired[str | None]
    receiving_status: NotRequired[str | None]
    refund_financials: RefundFinancials
    refund_type: str
    warehouse_receipt_condition: NotRequired[str | None]


class Customer(TypedDict):
    """Since version 5."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    tags: NotRequired[Many[str] | None]


class Rma(TypedDict):
    """A return merchandise authorisation at one moment of its life."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    rma_identifier: NonEmptyText
    status: str
    created_at: TimestampMillis
    updated_at: NotRequired[TimestampMillis | None]
    items: OneOrMany[RmaItem]
    return_method: str
    return_shipping_cost_cents: Int64
    bonus_credit_amount_cents: NotRequired[Int64 | None]
    gift_refund_only: bool
    giftee_email: NotRequired[str | None]
    warehouse_id: NotRequired[TextOrInteger | None]
    receiving_complete: NotRequired[bool | None]
    concept: NotRequired[str | None]
    vendor: NotRequired[str | None]
    customer: NotRequired[Customer | None]


def _map_renamed_refund_types(rma: dict[str, Any]) -> None:
    for item in rma["items"]:
        new_name = RENAMED_REFUND_TYPES.get(item["refund_type"])
        if new_name is not None:
            item["original_refund_type"], item["refund_type"] = item["refund_type"], new_name


RMA: Final = Contract(
    webhook="rma",
    model=Rma,
    key_field="rma_identifier",
    time_fields=("updated_at", "created_at"),
    normalise=_map_renamed_refund_types,
)
