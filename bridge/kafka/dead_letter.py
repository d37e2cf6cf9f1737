"""Dead letters: the sender's own bytes, and headers that say why they could not become a record.

The header names are Kafka Connect's (KIP-298). What does not fit one record goes in parts (bridge.kafka.parts).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.errors import EventRefused
from bridge.kafka.parts import split
from bridge.records import ProducerRecord

MAX_KEY_BYTES: Final = 32 * 1024
_MAX_MESSAGE_CHARS: Final = 512

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class DeadLetterQueue:
    """Where one connector's dead letters go, and what they say of where they come from."""

    topic: str
    connector: str
    intended_topic: str

    def records(
        self,
        body: bytes,
        *,
        key: str | None,
        event_id: str,
        headers: Sequence[tuple[str, bytes]],
        refusal: EventRefused,
    ) -> list[ProducerRecord]:
        """Return the record, or the parts, to be written: all of them, before the sender is answered.

        `key` is None where none could be read; such a letter, and one with an absurd key, is keyed by its event id.
        """
        context = [*headers, ("ce_id", event_id.encode()), *self._context(refusal)]
        key_bytes = key.encode() if key is not None else b""
        if not 0 < len(key_bytes) <= MAX_KEY_BYTES:
            key_bytes = event_id.encode()
        return [ProducerRecord(self.topic, key_bytes, part, [*context, *own]) for part, own in split(body)]

    def _context(self, refusal: EventRefused) -> Headers:
        return [
            ("error-code", refusal.code.encode()),
            ("error-path", refusal.path.encode()),
            ("__connect.errors.topic", self.intended_topic.encode()),
            ("__connect.errors.connector.name", self.connector.encode()),
            ("__connect.errors.task.id", b"0"),
            ("__connect.errors.stage", refusal.stage.value.encode()),
            ("__connect.errors.class.name", type(refusal).__module__.encode()),
            ("__connect.errors.exception.class.name", _qualified_name(refusal).encode()),
            ("__connect.errors.exception.message", str(refusal)[:_MAX_MESSAGE_CHARS].encode()),
        ]


def _qualified_name(refusal: EventRefused) -> str:
    return f"{type(refusal).__module__}.{type(refusal).__qualname__}"
