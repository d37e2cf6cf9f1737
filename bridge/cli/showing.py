"""How the demonstration shows one event's way: what was sent, what was answered, what a consumer reads."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bridge.embedded.consumer import ConsumedRecord
from bridge.optoro.headers import rfc3339
from bridge.simulator import Delivery, Reply

_WIDTH: Final = 116
_WHY: Final = ("error-code", "error-path", "__connect.errors.stage", "__connect.errors.exception.message")
_OF_ITEM: Final = ("package_tracking_status", "receiving_status", "refund_type", "original_refund_type")


class Exchange(NamedTuple):
    """A delivery and its answer."""

    delivery: Delivery
    reply: Reply

    @property
    def answer(self) -> dict[str, Any]:
        """Return the answer's body."""
        answer: dict[str, Any] = json.loads(self.reply.body)
        return answer


def show(number: int, exchange: Exchange, record: ConsumedRecord | None, *, in_full: bool) -> None:
    """Print one event's way; `in_full` with every header and field of the record."""
    delivery, reply = exchange
    print(f"\n{number}. {delivery.title}")
    _line("request", f"{len(delivery.body)} bytes: {_gist(json.loads(delivery.body))}")
    _line("answer", f"{reply.status} {reply.body.decode()} after {reply.seconds * 1000:.0f} ms")
    if record is None:
        return
    kind = "dead letter" if isinstance(record.value, bytes) else "record"
    key = (record.key or b"").decode()
    _line(kind, f"{record.topic}, partition {record.partition}, offset {record.offset}, key {key}")
    if isinstance(record.value, bytes):
        _pairs("why", [(name, text) for name, text in _texts(record) if name in _WHY])
        _line("value", f"the sender's {len(record.value)} bytes, untouched")
    elif in_full:
        _pairs("headers", _texts(record))
        _line("value", json.dumps(_without_nulls(record.value), indent=2, ensure_ascii=False))
    else:
        _line("value", _gist(record.value))


def header(record: ConsumedRecord, name: str) -> str:
    """Return a header's text, "" where there is none."""
    return dict(_texts(record)).get(name, "")


def _texts(record: ConsumedRecord) -> list[tuple[str, str]]:
    return [(name, (value or b"").decode()) for name, value in record.headers]


def _gist(rma: Mapping[str, Any]) -> str:
    """Return the fields that tell one moment of a return from the next."""
    items = rma["items"]
    item = items if isinstance(items, dict) else items[0]
    updated = rma["updated_at"]
    amount = item["refund_financials"]["shopper_refund_amount_cents"]
    parts = {
        "status": rma["status"],
        "updated_at": rfc3339(updated) if isinstance(updated, int) else updated,
        "warehouse_id": repr(rma["warehouse_id"]),
        "items": "{one}" if isinstance(items, dict) else f"[{len(items)}]",
        **{name: item[name] for name in _OF_ITEM if item.get(name) is not None},
        **({} if isinstance(amount, int) else {"shopper_refund_amount_cents": repr(amount)}),
        **{name: rma[name] for name in ("carbon_offset", "additional_fields") if rma.get(name)},
    }
    return "  ".join(f"{name}={value}" for name, value in parts.items())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(element) for element in value]
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return value


def _pairs(label: str, pairs: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in pairs)
    _line(label, "\n".join(f"{name:<{width}}  {text}" for name, text in pairs))


def _line(label: str, text: str) -> None:
    lines = [
        wrapped
        for line in text.splitlines()
        for wrapped in (textwrap.wrap(line, _WIDTH) if len(line) > _WIDTH else [line])
    ]
    print(f"   {label:<12}{lines[0]}")
    for line in lines[1:]:
        print(f"   {'':<12}{line}")
