"""What holds for any request at all: 200 or 503 for whoever is who he says he is, and a count for everybody."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import DeliveryFailed, RecordRefused
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC, FakeProducer
from bridge.webhook.body import MAX_BODY_BYTES
from tests.asgi import call, receiving
from tests.door import Bridge, using
from tests.samples import NOT_JSON, SAMPLE, basic, rma

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
EVENTS = st.dictionaries(
    st.sampled_from(["rma_identifier", "status", "items", "created_at", "warehouse_id", "customer", "unknown"]), JSON
).map(lambda fields: rma(**fields))
BODIES = st.binary() | st.text().map(str.encode) | EVENTS | st.sampled_from([SAMPLE, NOT_JSON, SAMPLE[:-9]])


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_post_when_the_body_is_any_bytes(body: bytes) -> None:
    """Any bytes at all of an authenticated sender end in 200, and are stored; with Kafka away, in 503."""

    async def use(bridge: Bridge) -> tuple[int, int]:
        return (await bridge.post(body)).status, len(bridge.producer.stored)

    away = FakeProducer(judge=lambda _record: DeliveryFailed("away"))
    assert using(use) == (200, 1)
    assert using(use, away) == (503, 0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=20).map(str.encode), st.binary(max_size=60))),
    st.sampled_from(["x-optiturn-id", "x-optiturn-api-version", "content-type", "content-encoding"]),
    st.binary(max_size=40),
)
def test_post_when_the_headers_are_any_bytes(headers: list[tuple[bytes, bytes]], name: str, value: bytes) -> None:
    """Whatever else the headers hold, an authenticated event ends in 200, stored once."""
    harmless = [(key, value) for key, value in headers if key not in {b"authorization", b"x-api-key"}]

    async def use(bridge: Bridge) -> tuple[int, int]:
        answer = await bridge.post(headers=[basic(), (name.encode(), value), *harmless])
        return answer.status, len(bridge.producer.stored)

    assert using(use) == (200, 1)


@dataclass
class Traffic:
    """One request of the metrics property, and how it is sent."""

    body: bytes = SAMPLE
    request: dict[str, Any] = field(default_factory=dict)


KINDS = [
    Traffic(),
    Traffic(NOT_JSON),
    Traffic(request={"headers": []}),
    Traffic(request={"method": "GET"}),
    Traffic(bytes(MAX_BODY_BYTES + 1)),
    Traffic(request={"receive": "gone"}),
]


ENDINGS = ("records_produced_total", "dead_letters_total", "requests_refused_total", "requests_failed_total")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["fine", "away", "refusing"])), max_size=12))
def test_metrics_when_any_requests_came(requests: list[tuple[Traffic, str]]) -> None:
    """Received = produced + dead letters + refused + failed, in every mix; produced and dead letters are in Kafka."""
    kafka = ""

    def judge(record: Any) -> DeliveryFailed | RecordRefused | None:
        if kafka == "away":
            return DeliveryFailed("away")
        refused = kafka == "refusing" and record.topic == TOPIC
        return RecordRefused("record_rejected", "no") if refused else None

    async def use(bridge: Bridge) -> None:
        nonlocal kafka
        for traffic, kafka in requests:  # noqa: B007, the judge reads it
            request = {"headers": [basic()]} | traffic.request
            if "receive" in request:
                request["receive"] = receiving({"type": "http.disconnect"})
            await call(bridge.door.app, traffic.body, **request)
        ended = {name: _total(bridge, name) for name in ENDINGS}
        assert bridge.count("requests_received_total") == len(requests) == sum(ended.values())
        assert bridge.count("request_duration_seconds_count") == len(requests)
        assert ended["records_produced_total"] == len(bridge.producer.records())
        assert ended["dead_letters_total"] == len(bridge.producer.records(DEAD_LETTER_TOPIC))

    using(use, FakeProducer(judge=judge))


def _total(bridge: Bridge, name: str) -> float:
    samples = (sample for metric in bridge.door.metrics.registry.collect() for sample in metric.samples)
    return sum(sample.value for sample in samples if sample.name == f"rma_bridge_{name}")
