"""The way of one event, and the only policy: what is quarantined, what is sent back.

Receive and verify happen before (bridge.webhook); the answer follows from the Outcome (bridge.webhook.acknowledgement).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bridge.avro.converter import AvroConverter
from bridge.errors import EventRefused, TemporarilyUnavailable
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.optoro.contract import Contract
from bridge.optoro.headers import delivery_headers, record_headers, sender_headers
from bridge.records import Event, Outcome, ProducerRecord, RecordMetadata, VerifiedRequest

PRODUCE_BUDGET_SECONDS: Final = 9.0


class Producer(Protocol):
    """Where records go."""

    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        """Return once all in-sync replicas have the record; `deadline` is in the event loop's time.

        Raises RecordRefused where it can never be written, TemporarilyUnavailable otherwise.
        """


@dataclass(frozen=True)
class Pipeline:
    """One connector's stages, in order. Everything in it was opened, and is closed, by the worker."""

    topic: str
    contract: Contract
    converter: AvroConverter
    producer: Producer
    dead_letters: DeadLetterQueue

    async def process(self, request: VerifiedRequest) -> Outcome:
        """Return how it ended: stored, quarantined, or to be sent again. One time budget covers both writes."""
        deadline = asyncio.get_running_loop().time() + PRODUCE_BUDGET_SECONDS
        try:
            try:
                event = self.contract.decode(request)
                record = self.convert(request, event)
                await self.producer.send(record, deadline)
            except EventRefused as refusal:
                return await self.quarantine(request, refusal, deadline)
        except TemporarilyUnavailable as error:
            return Outcome("unavailable", reason=error.code)
        return Outcome("accepted", event.event_id)

    def convert(self, request: VerifiedRequest, event: Event) -> ProducerRecord:
        """Return the record as consumers see it. Raises ConversionFailed."""
        value = self.converter.encode(event.value)
        return ProducerRecord(
            self.topic, event.key.encode(), value, record_headers(self.contract.webhook, request, event)
        )

    async def quarantine(self, request: VerifiedRequest, refusal: EventRefused, deadline: float) -> Outcome:
        """Set the event aside, whole; the sender hears of success only when all of it is stored."""
        identity = self.contract.identify(request)
        records = self.dead_letters.records(
            request.body,
            key=identity.key,
            event_id=identity.event_id,
            headers=[*sender_headers(request), *delivery_headers(request)],
            refusal=refusal,
        )
        await self._send_all(records, deadline)
        return Outcome("quarantined", identity.event_id, refusal.code)

    async def _send_all(self, records: Sequence[ProducerRecord], deadline: float) -> None:
        try:
            await asyncio.gather(*(self.producer.send(record, deadline) for record in records))
        except EventRefused as exc:
            raise TemporarilyUnavailable("the dead letter could not be written", code="dead_letter_refused") from exc
