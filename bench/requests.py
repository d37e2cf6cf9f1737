"""The requests of the load: RMAs of a fixed size, each with identifiers of its own, drawn from a seed."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

PATH: Final = "/webhooks/rma"
USERNAME: Final = "optoro"
PASSWORD: Final = "benchmark"
NUMBER_DIGITS: Final = 8

_VARIANTS: Final = 64
_PLACEHOLDER: Final = "#" * NUMBER_DIGITS
_REASONS: Final = ("Too Small", "Too Large", "Defective", "Changed Mind", "Wrong Item")
_STATUSES: Final = ("CREATED", "REFUNDED", "PARTIAL_REFUND")


@dataclass(frozen=True)
class Series:
    """One series of events: `name` begins every identifier, `seed` draws the rest, `items` is the RMA's size."""

    name: str
    seed: int
    items: int = 1

    def identifier(self, number: int) -> str:
        """Return the `rma_identifier` of one event, which is also its record's key."""
        return f"{self.name}-{number:0{NUMBER_DIGITS}d}"

    def requests(self, host: str) -> Callable[[int], bytes]:
        """Return the function that gives the whole request, head and body, of event `number`."""
        draw = random.Random(f"{self.name} {self.seed}")
        variants = [_split(_request(self, draw, host)) for _ in range(_VARIANTS)]

        def request(number: int) -> bytes:
            return (b"%08d" % number).join(variants[number % _VARIANTS])

        return request


def _request(series: Series, draw: random.Random, host: str) -> bytes:
    body = json.dumps(_rma(series, draw), separators=(",", ":")).encode()
    credentials = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\nuser-agent: bench\r\naccept: */*\r\n"
        f"authorization: Basic {credentials}\r\ncontent-type: application/json\r\n"
        f"x-optiturn-id: acme\r\nx-optiturn-api-version: 3\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _split(request: bytes) -> list[bytes]:
    return request.split(_PLACEHOLDER.encode())


def _rma(series: Series, draw: random.Random) -> dict[str, Any]:
    created = f"2026-0{draw.randint(1, 9)}-{draw.randint(10, 28)}T{draw.randint(10, 23)}:39:42.025Z"
    return {
        "rma_identifier": f"{series.name}-{_PLACEHOLDER}",
        "status": draw.choice(_STATUSES),
        "created_at": created,
        "updated_at": created,
        "items": [_item(draw, position) for position in range(1, series.items + 1)],
        "return_method": "mail-back",
        "return_shipping_cost_cents": draw.randint(0, 999),
        "receiving_complete": False,
        "gift_refund_only": False,
        "giftee_email": "testemail@domain.com",
        "warehouse_id": str(draw.randint(1, 9)),
        "vendor": "modrno",
        "concept": "concept",
        "customer": {"tags": ["gold_tier_member"]},
    }


def _item(draw: random.Random, position: int) -> dict[str, Any]:
    cents = draw.randint(100, 99_999)
    return {
        "order_line_item_identifier": str(position),
        "order_identifier": f"o{_PLACEHOLDER}",
        "secondary_identifier": f"soi{draw.randint(10_000, 99_999)}",
        "return_reason": draw.choice(_REASONS),
        "sku": f"Sku{draw.randint(1_000, 9_999)}",
        "upc": f"UPC{draw.randint(1_000, 9_999)}",
        "tracking_number": f"1Z{draw.randint(10**11, 10**12 - 1)}",
        "package_tracking_status": "PRE_TRANSIT",
        "receiving_status": "PENDING",
        "refund_financials": {
            "estimated_refund_amount_cents": cents,
            "optoro_refund_amount_cents": 0,
            "shopper_refund_amount_cents": cents,
        },
        "refund_type": "REFUND",
        "warehouse_receipt_condition": "N",
        "is_exchange": draw.random() < 0.5,  # noqa: PLR2004
    }
