"""What each stage of the bridge costs by itself: CPU time of the calling thread, in this process, without HTTP.

The stages are the real parts, wired as bridge.app does; only Kafka is librdkafka's mock cluster.
"""

import asyncio
import time
import timeit
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final, NamedTuple

from confluent_kafka import Producer

from bench.requests import Series
from bench.services import Servers, configurations
from bridge.avro.converter import AvroConverter
from bridge.avro.schemas import load_schema
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.kafka.settings import producer_settings
from bridge.optoro.headers import record_headers, verified
from bridge.optoro.identity import canonical_json, event_id
from bridge.optoro.rma import RMA
from bridge.optoro.strict_json import parse
from bridge.pipeline import Pipeline
from bridge.records import Outcome, ProducerRecord, RecordMetadata, VerifiedRequest, WebhookRequest
from bridge.telemetry.metrics import ConnectorMetrics, Metrics
from bridge.webhook.acknowledgement import answers
from bridge.webhook.authentication import authenticate
from bridge.webhook.body import read
from bridge.webhook.endpoint import Door, WebhookEndpoint
from bridge.webhook.keys import authenticators

_TOPIC: Final = "bench"
_NOW_MS: Final = 1_790_000_000_000
_REPEATS: Final = 7
_MANY: Final = 2_000
_KAFKA_CALLS: Final = 1_000
_ACCEPTED: Final = Outcome("accepted", "0" * 32)


class _StoresAtOnce:
    """A producer that costs nothing, so that the rest is seen."""

    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        del deadline
        return RecordMetadata(record.topic, 0, 0)


class _Parts(NamedTuple):
    """One connector's parts, one request, and what becomes of it on the way."""

    authenticators: Any
    request: WebhookRequest
    verified: VerifiedRequest
    converter: AvroConverter
    pipeline: Pipeline
    metrics: ConnectorMetrics
    answer: Callable[[Outcome], Any]


def report(items: int = 1) -> str:
    """Measure every stage and return the table."""
    parts = _parts(items)
    rows = [
        *_stages(parts).items(),
        *asyncio.run(_awaited(parts)).items(),
        ("client.produce (mock cluster)", _produce()),
    ]
    return "\n".join(["CPU µs per call", *(f"{seconds * 1e6:8.2f}  {stage}" for stage, seconds in rows)])


def _parts(items: int) -> _Parts:
    head, _, body = Series("full", 1, items).requests("127.0.0.1:8080")(0).partition(b"\r\n\r\n")
    lines = (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    request = WebhookRequest([(name, value) for name, value in lines], body, _NOW_MS)
    _, connector = configurations(_servers(), _TOPIC)
    methods = authenticators(connector)
    converter = AvroConverter(load_schema("returns.rma.v1-value"), 1)
    letters = DeadLetterQueue("bench.dlq", "bench", _TOPIC)
    return _Parts(
        authenticators=methods,
        request=request,
        verified=verified(request, "optoro"),
        converter=converter,
        pipeline=Pipeline(_TOPIC, RMA, converter, _StoresAtOnce(), letters),
        metrics=ConnectorMetrics(Metrics(), "bench"),
        answer=answers([method.challenge for method in methods], Random(1)),
    )


def _servers() -> Servers:
    return Servers("127.0.0.1:1", "http://127.0.0.1:1", ())


def _stages(parts: _Parts) -> dict[str, float]:
    document = parse(parts.request.body)
    canonical = canonical_json(document)
    event = RMA.decode(parts.verified)
    stages: dict[str, Callable[[], Any]] = {
        "authenticate": lambda: authenticate(parts.authenticators, parts.request.headers),
        "verified: the sender's headers": lambda: verified(parts.request, "optoro"),
        "parse": lambda: parse(parts.request.body),
        "canonical_json": lambda: canonical_json(document),
        "event_id": lambda: event_id("rma", "acme", canonical),
        "parse and validate": lambda: RMA._validate(parse(parts.request.body)),  # noqa: SLF001
        "decode: all from bytes to Event": lambda: RMA.decode(parts.verified),
        "encode": lambda: parts.converter.encode(event.value),
        "record_headers": lambda: record_headers("rma", parts.verified, event),
        "convert: encode, headers, record": lambda: parts.pipeline.convert(parts.verified, event),
        "metrics: received and answered": lambda: _count(parts.metrics),
        "answer": lambda: parts.answer(_ACCEPTED),
    }
    return {name: _cpu_seconds(call) for name, call in stages.items()}


def _count(metrics: ConnectorMetrics) -> None:
    metrics.received()
    metrics.answered(_ACCEPTED, 0.005)


def _cpu_seconds(call: Callable[[], Any], calls: int = _MANY) -> float:
    """Return the best of several: the others were disturbed."""
    return min(timeit.repeat(call, number=calls, repeat=_REPEATS, timer=time.thread_time)) / calls


async def _awaited(parts: _Parts) -> dict[str, float]:
    door = Door(
        process=parts.pipeline.process,
        authenticators=parts.authenticators,
        answer=parts.answer,
        metrics=parts.metrics,
        max_in_flight=1_000,
        wall_clock_ms=lambda: _NOW_MS,
    )
    endpoint = WebhookEndpoint(door)
    scope = {"type": "http", "method": "POST", "path": "/webhooks/rma", "headers": parts.request.headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.request.body, "more_body": False}

    async def send(message: Any) -> None:
        del message

    awaited: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "read the body": lambda: read(receive),
        "pipeline, Kafka at once": lambda: parts.pipeline.process(parts.verified),
        "endpoint, Kafka at once: all of the above": lambda: endpoint(scope, receive, send),
    }
    return {name: await _cpu_seconds_awaited(make) for name, make in awaited.items()}


async def _cpu_seconds_awaited(make: Callable[[], Coroutine[Any, Any, Any]]) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        started = time.thread_time()
        for _ in range(_MANY):
            await make()
        best = min(best, time.thread_time() - started)
    return best / _MANY


def _produce() -> float:
    settings = producer_settings(*configurations(_servers(), _TOPIC)) | {"test.mock.num.brokers": 1, "log_level": 0}
    producer = Producer(settings | {"allow.auto.create.topics": True})
    producer.produce(_TOPIC, b"warm")
    producer.flush(10)
    headers: Any = [("content-type", b"application/avro")] * 10
    value = bytes(400)

    def produce() -> None:
        producer.produce(_TOPIC, value, b"full-00000001", headers=headers, on_delivery=_ignore)

    best = float("inf")
    for _ in range(_REPEATS):
        best = min(best, timeit.timeit(produce, number=_KAFKA_CALLS, timer=time.thread_time))
        producer.flush(10)
    return best / _KAFKA_CALLS


def _ignore(*_: object) -> None:
    return
