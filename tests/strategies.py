"""Hypothesis strategies for RMA payloads of document versions 3, 4 and 5, and for the ways to spell one as JSON."""

import json
from collections.abc import Callable
from datetime import UTC
from random import Random
from typing import Any, Literal

from hypothesis import strategies as st

Version = Literal[3, 4, 5]
Strategy = st.SearchStrategy[Any]

OLD_REFUND_TYPES = ("UNEVEN_GC", "EVEN_EXCHANGE", "REFUND", "STANDARD_EXCHANGE")
REFUND_TYPES = ("REFUND", "STANDARD_EXCHANGE", "INSTANT_EXCHANGE", "INSTANT_STORE_CREDIT")
TRACKING_STATUSES = (None, "PRE_TRANSIT", "ACCEPTED", "TRANSIT", "DELIVERED", "RETURNED", "FAILURE")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
int64s = st.one_of(st.integers(0, 100_000), st.integers(-(2**63), 2**63 - 1))
timestamps = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
)
finite_floats = st.floats(allow_nan=False, allow_infinity=False)
json_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)

_refund_financials = st.fixed_dictionaries(
    {},
    optional={f"{whose}_refund_amount_cents": st.none() | int64s for whose in ("estimated", "optoro", "shopper")},
)


def rmas(version: Version | None = None) -> Strategy:
    """Documents as Optoro sends them in `version`, or in any of them."""
    return st.one_of([_rmas(each) for each in ((3, 4, 5) if version is None else (version,))])


def spelled(value: Any, random: Random) -> bytes:
    """One of the many JSON texts that mean `value`: keys in any order, any white space, any escapes."""
    return _spelled(value, random, lambda: random.choice(("", " ", "\n", "\t ", "\r\n"))).encode()


def _rmas(version: Version) -> Strategy:
    items: Strategy = st.lists(_items(version), max_size=3)
    required = {
        "rma_identifier": texts.filter(bool),
        "status": st.sampled_from(("PENDING_EXCHANGE", "CREATED", "REFUNDED", "PARTIAL_REFUND", "CANCELED")) | texts,
        "created_at": timestamps,
        "items": items if version == 5 else items | _items(version),
        "return_method": st.sampled_from(("mail-back", "express-returns", "customer-keep", "home-pickup")),
        "return_shipping_cost_cents": int64s,
        "gift_refund_only": st.booleans(),
    }
    optional: dict[str, Strategy] = {
        "updated_at": timestamps,
        "warehouse_id": texts if version == 5 else texts | st.integers(),
        "receiving_complete": st.booleans(),
        **dict.fromkeys(("giftee_email", "concept", "vendor"), texts),
    }
    if version >= 4:
        required["bonus_credit_amount_cents"] = int64s
    if version == 5:
        optional["customer"] = st.fixed_dictionaries({}, optional={"tags": st.none() | st.lists(texts, max_size=3)})
    return st.fixed_dictionaries(required, optional=_nullable(optional))


def _items(version: Version) -> Strategy:
    statuses = TRACKING_STATUSES if version < 5 else (*TRACKING_STATUSES, "NOT_DROPPED_OFF")
    names = ("order_line_item_identifier", "order_identifier", "return_reason", "sku", "upc")
    optional: dict[str, Strategy] = {
        "is_exchange": st.booleans(),
        "package_tracking_status": st.sampled_from(statuses),
        "receiving_status": st.sampled_from(("PENDING", "RECEIVED", "NOT_RECEIVED")),
        **dict.fromkeys(
            ("secondary_identifier", "exchange_order_identifier", "original_order_identifier", "tracking_number"), texts
        ),
    }
    if version == 5:
        optional["warehouse_receipt_condition"] = texts
    required = {
        **dict.fromkeys(names, texts),
        "refund_financials": _refund_financials,
        "refund_type": st.sampled_from(OLD_REFUND_TYPES if version == 3 else REFUND_TYPES) | texts,
    }
    return st.fixed_dictionaries(required, optional=_nullable(optional))


def _nullable(fields: dict[str, Strategy]) -> dict[str, Strategy]:
    return {name: st.none() | strategy for name, strategy in fields.items()}


def _spelled(value: Any, random: Random, space: Callable[[], str]) -> str:
    if isinstance(value, dict):
        members = [f"{_quoted(key, random)}{space()}:{_spelled(value[key], random, space)}" for key in value]
        random.shuffle(members)
        text = "{" + ",".join(members) + space() + "}"
    elif isinstance(value, list):
        text = "[" + ",".join(_spelled(member, random, space) for member in value) + space() + "]"
    else:
        text = _quoted(value, random) if isinstance(value, str) else json.dumps(value)
    return space() + text + space()


def _quoted(text: str, random: Random) -> str:
    return (
        '"' + "".join(_escaped(character) if random.random() < 0.3 else _plain(character) for character in text) + '"'
    )


def _plain(character: str) -> str:
    return json.dumps(character, ensure_ascii=False)[1:-1]


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
