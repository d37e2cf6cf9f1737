"""What a Kafka error means for the event: can this record never be written, or not now?

Classified by code alone: `KafkaError.retriable()` was False for every delivery failure seen, time-outs included.
"""

from typing import Final

from confluent_kafka import KafkaError

from bridge.errors import BridgeError, DeliveryFailed, Overloaded, RecordRefused

NEVER_WRITABLE: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE: "record_too_large",
    KafkaError.INVALID_RECORD: "record_rejected",
    KafkaError.POLICY_VIOLATION: "record_rejected",
}
_CODES: Final = {
    KafkaError._MSG_TIMED_OUT: "delivery_timed_out",  # noqa: SLF001, the client's public names start with an underscore
    KafkaError._QUEUE_FULL: "queue_full",  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "not_authorized",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "not_authorized",
    KafkaError.SASL_AUTHENTICATION_FAILED: "not_authorized",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "topic_missing",
    KafkaError._UNKNOWN_TOPIC: "topic_missing",  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION: "topic_missing",  # noqa: SLF001
    KafkaError._FATAL: "producer_fatal",  # noqa: SLF001
}


def failure(error: KafkaError) -> BridgeError:
    """Return the bridge's error for a Kafka error; whatever is not known to be final may work later."""
    text = f"Kafka answered {error.name()}: {error.str()}"
    code = NEVER_WRITABLE.get(error.code())
    if code is not None:
        return RecordRefused(code, text)
    return DeliveryFailed(text, code=_CODES.get(error.code(), DeliveryFailed.code))


def queue_full() -> Overloaded:
    """Return the error for a full producer queue, which the client reports as a BufferError."""
    return Overloaded("the producer's queue is full", code="queue_full")
