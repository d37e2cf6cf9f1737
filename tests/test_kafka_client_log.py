"""What the Kafka client says, without its repetitions."""

import logging

import pytest
from confluent_kafka import KafkaError

from bridge.kafka.client_log import REPEAT_SECONDS, ClientLog

REFUSED = KafkaError(KafkaError._AUTHENTICATION, "kafka-1:9093: SASL authentication error (after 3ms)")
AGAIN = KafkaError(KafkaError._AUTHENTICATION, "kafka-2:9093: SASL authentication error (after 12ms)")
OTHER = KafkaError(KafkaError._SSL, "kafka-1:9093: SSL handshake failed (after 3ms)")


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage().removeprefix("Kafka client: ") for entry in caplog.records]


def test_error_when_repeated(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once a minute, whatever numbers it has; another reason is said at once."""
    clock = Clock()
    log = ClientLog(clock)
    for error in (REFUSED, AGAIN, OTHER, REFUSED):
        log.error(error)
    clock.now += REPEAT_SECONDS
    log.error(AGAIN)

    assert said(caplog) == [REFUSED.str(), OTHER.str(), AGAIN.str()]
    assert {entry.levelname for entry in caplog.records} == {"WARNING"}


def test_reasons_when_the_minute_is_over() -> None:
    """They are forgotten, so that nothing grows with the days."""
    clock = Clock()
    log = ClientLog(clock)
    for letter in "abc":
        log.error(KafkaError(KafkaError._TRANSPORT, letter))
        clock.now += REPEAT_SECONDS

    assert len(log._said) == 1


@pytest.mark.parametrize(
    ("level", "facility", "lines"),
    [
        pytest.param(logging.ERROR, "FAIL", 0, id="a failed connection, which is an error too"),
        pytest.param(logging.INFO, "FAIL", 1, id="a closed connection, which is none"),
        pytest.param(logging.WARNING, "SSL", 1, id="another line"),
    ],
)
def test_line_when_repeated(level: int, facility: str, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    """What the client reports as an error too is left to that; the rest is said once a minute, at its own level."""
    caplog.set_level(logging.INFO)
    log = ClientLog(Clock())
    for number in range(5):
        log.log(level, "%s [%s] %s", facility, f"producer-{number}", "closed")

    assert [(entry.name, entry.levelno) for entry in caplog.records] == [("librdkafka", level)] * lines
