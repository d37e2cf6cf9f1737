"""What each Kafka error means for the event."""

import pytest
from confluent_kafka import KafkaError

from bridge.errors import DeliveryFailed, Overloaded, RecordRefused
from bridge.kafka.delivery import failure, queue_full

CODES = range(-200, 121)
NEVER_WRITABLE = {
    10: "record_too_large",  # MSG_SIZE_TOO_LARGE
    87: "record_rejected",  # INVALID_RECORD
    44: "record_rejected",  # POLICY_VIOLATION
}


@pytest.mark.parametrize("code", CODES)
def test_failure_when_given_any_code(code: int) -> None:
    """Three codes mean that the record can never be written; each other one, known to us or not, that it may later."""
    error = failure(KafkaError(code))

    if code in NEVER_WRITABLE:
        assert isinstance(error, RecordRefused)
        assert error.code == NEVER_WRITABLE[code]
    else:
        assert isinstance(error, DeliveryFailed)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(KafkaError._MSG_TIMED_OUT, "delivery_timed_out", id="timed out"),
        pytest.param(KafkaError._QUEUE_FULL, "queue_full", id="queue full"),
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, "not_authorized", id="topic not allowed"),
        pytest.param(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not_authorized", id="cluster not allowed"),
        pytest.param(KafkaError.UNKNOWN_TOPIC_OR_PART, "topic_missing", id="topic missing"),
        pytest.param(KafkaError._FATAL, "producer_fatal", id="fatal"),
        pytest.param(KafkaError.THROTTLING_QUOTA_EXCEEDED, "delivery_failed", id="no name of its own"),
    ],
)
def test_failure_names_the_reason_when_it_is_temporary(code: int, reason: str) -> None:
    """Metrics and logs tell the temporary failures apart that an operator treats differently."""
    assert getattr(failure(KafkaError(code)), "code", None) == reason


def test_failure_says_what_kafka_said() -> None:
    """The message has the error's name for whoever looks it up."""
    assert "NOT_ENOUGH_REPLICAS" in str(failure(KafkaError(KafkaError.NOT_ENOUGH_REPLICAS)))


def test_queue_full_is_a_limit_of_ours() -> None:
    """A full queue is overload, not a fault of Kafka's."""
    error = queue_full()

    assert isinstance(error, Overloaded)
    assert error.code == "queue_full"
