"""The FastAPI application: validate, serialize, produce, answer after the acknowledgement."""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastapi import FastAPI, Response

from bench.comparator.model import Rma
from bench.comparator.producing import Producing


def build(settings: Mapping[str, Any]) -> FastAPI:
    """Return the application; `settings` as bench.services writes them."""
    serializer = AvroSerializer(
        SchemaRegistryClient({"url": settings["schema.registry.url"]}),
        settings["schema"],
        to_record,
        {"auto.register.schemas": True, "subject.name.strategy": topic_subject_name_strategy},
    )
    topic = settings["topic"]
    context = SerializationContext(topic, MessageField.VALUE)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.producing = Producing(settings["producer"])
        yield
        app.state.producing.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/webhooks/rma")
    async def receive(rma: Rma) -> Response:
        try:
            await app.state.producing.send(topic, rma.rma_identifier, serializer(rma, context))
        except (KafkaException, BufferError):
            return Response(b'{"status":"unavailable"}', 503, media_type="application/json")
        return Response(b'{"status":"accepted"}', media_type="application/json")

    @app.get("/readyz")
    async def ready() -> Response:
        return Response()

    return app


def to_record(rma: Rma, _context: SerializationContext) -> dict[str, Any]:
    """Return what the schema asks for; of the delivery only what costs nothing to know."""
    record = rma.model_dump()
    record["webhook"] = {
        "event_id": rma.rma_identifier,
        "webhook": "rma",
        "received_at": time.time_ns() // 1_000_000,
    }
    return record
