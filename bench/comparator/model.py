"""The RMA as a team would model it: pydantic's defaults, the field names of the Avro record."""

from datetime import datetime

from pydantic import BaseModel


class RefundFinancials(BaseModel):
    """Amounts in integer cents."""

    estimated_refund_amount_cents: int | None = None
    optoro_refund_amount_cents: int | None = None
    shopper_refund_amount_cents: int | None = None


class RmaItem(BaseModel):
    """One returned item."""

    order_line_item_identifier: str
    order_identifier: str
    secondary_identifier: str | None = None
    exchange_order_identifier: str | None = None
    original_order_identifier: str | None = None
    return_reason: str
    is_exchange: bool | None = None
    sku: str
    upc: str
    tracking_number: str | None = None
    package_tracking_status: str | None = None
    receiving_status: str | None = None
    refund_financials: RefundFinancials
    refund_type: str
    warehouse_receipt_condition: str | None = None


class Customer(BaseModel):
    """Since version 5."""

    tags: list[str] | None = None


class Rma(BaseModel):
    """A return merchandise authorisation."""

    rma_identifier: str
    status: str
    created_at: datetime
    updated_at: datetime | None = None
    items: list[RmaItem]
    return_method: str
    return_shipping_cost_cents: int
    bonus_credit_amount_cents: int | None = None
    gift_refund_only: bool
    giftee_email: str | None = None
    warehouse_id: str | None = None
    receiving_complete: bool | None = None
    concept: str | None = None
    vendor: str | None = None
    customer: Customer | None = None
