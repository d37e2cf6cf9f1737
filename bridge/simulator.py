"""An Optoro in small: the webhooks of a return's life, sent over real HTTP as the sender's contract says."""

import base64
import http.client
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 15.0
TENANT: Final = "Modrno"


class Delivery(NamedTuple):
    """One webhook to send: what it is about, for people, and its body."""

    title: str
    body: bytes


class Reply(NamedTuple):
    """What came back, and how many seconds it took."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Sender:
    """Posts deliveries to one URL with HTTP Basic, as Optoro does."""

    url: str
    username: str
    password: str

    def post(self, body: bytes) -> Reply:
        """Return the answer. Raises OSError where there is none."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        started = time.perf_counter()
        try:
            connection.request("POST", parts.path, body, self.headers())
            response = connection.getresponse()
            return Reply(response.status, response.read(), time.perf_counter() - started)
        except http.client.HTTPException as exc:
            raise ConnectionError(f"no HTTP answer: {type(exc).__name__}") from exc
        finally:
            connection.close()

    def headers(self) -> dict[str, str]:
        """Return the request's headers, credentials included."""
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {
            "Authorization": f"Basic {login}",
            "Content-Type": "application/json",
            "X-Optiturn-Id": TENANT,
            "X-Optiturn-Api-Version": "3",
        }


def life_cycle(identifier: str, begins: datetime) -> list[Delivery]:
    """Return the webhooks of one return from its creation to its refund, oldest first."""
    stages: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("the shopper starts a return", {"package_tracking_status": "PRE_TRANSIT"}, {}),
        ("the carrier scans the parcel", {"package_tracking_status": "ACCEPTED"}, {}),
        ("the parcel arrives", {"package_tracking_status": "DELIVERED"}, {}),
        (
            "the warehouse receives it",
            {"receiving_status": "RECEIVED", "warehouse_receipt_condition": "N"},
            {"receiving_complete": True},
        ),
        ("the refund is paid", {}, {"status": "REFUNDED"}),
    )
    deliveries: list[Delivery] = []
    rma = _rma(identifier, begins)
    for number, (title, of_item, of_rma) in enumerate(stages):
        rma["items"][0] |= of_item
        rma |= {**of_rma, "updated_at": _iso(begins + timedelta(hours=20 * number))}
        deliveries.append(Delivery(title, json.dumps(rma).encode()))
    return deliveries


def version_4(identifier: str, begins: datetime) -> Delivery:
    """Return a delivery in the shapes of the v4 page, with a refund type that has since been renamed."""
    rma = _rma(identifier, begins)
    item = rma["items"][0] | {"refund_type": "UNEVEN_GC"}
    del rma["customer"]
    return Delivery(
        "an older shape: one item, a number for the warehouse, a renamed refund type",
        json.dumps(rma | {"items": item, "warehouse_id": 7}).encode(),
    )


def with_new_field(identifier: str, begins: datetime) -> Delivery:
    """Return a delivery with a field that no version of the document names."""
    rma = _rma(identifier, begins) | {"carbon_offset": {"grams": 412.50}}
    return Delivery("a field that is new to us", json.dumps(rma).encode())


def unusable(identifier: str, begins: datetime) -> Delivery:
    """Return a delivery that breaks the contract: an amount that is no number."""
    rma = _rma(identifier, begins)
    rma["items"][0]["refund_financials"]["shopper_refund_amount_cents"] = "ten dollars"
    return Delivery("an event that cannot be used", json.dumps(rma).encode())


def _rma(identifier: str, begins: datetime) -> dict[str, Any]:
    return {
        "rma_identifier": identifier,
        "status": "CREATED",
        "created_at": _iso(begins),
        "updated_at": _iso(begins),
        "items": [
            {
                "order_line_item_identifier": "1",
                "order_identifier": f"order-{identifier}",
                "secondary_identifier": None,
                "return_reason": "Too Small",
                "sku": "SKU-8841",
                "upc": "0885178001234",
                "tracking_number": "1Z403818413131",
                "package_tracking_status": None,
                "receiving_status": "PENDING",
                "refund_financials": {
                    "estimated_refund_amount_cents": 4_995,
                    "optoro_refund_amount_cents": 0,
                    "shopper_refund_amount_cents": 4_995,
                },
                "refund_type": "REFUND",
                "is_exchange": False,
            }
        ],
        "return_method": "mail-back",
        "return_shipping_cost_cents": 650,
        "bonus_credit_amount_cents": 0,
        "receiving_complete": False,
        "gift_refund_only": False,
        "warehouse_id": "7",
        "vendor": "modrno",
        "concept": "outlet",
        "customer": {"tags": ["gold_tier_member"]},
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
