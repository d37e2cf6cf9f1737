"""What the Kafka client says, without its repetitions: kept out, it complains up to twenty times a second."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import KafkaError

REPEAT_SECONDS: Final = 60.0
_NUMBERS: Final = re.compile(r"\d+")  # ports, milliseconds, the client's number: the same reason all the same

logger = logging.getLogger(__name__)
_librdkafka: Final = logging.getLogger("librdkafka")


class ClientLog:
    """The `logger` of one client, and the words for its errors. Each is logged once a minute at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}

    def log(self, level: int, template: str, *arguments: Any) -> None:
        """Take a line of librdkafka's own, but for failed connections: those it reports as errors too."""
        text = template % arguments
        if not (text.startswith("FAIL") and level >= logging.ERROR) and self._is_news(text):
            _librdkafka.log(level, text)

    def error(self, error: KafkaError) -> None:
        """Take what the client gives to its `error_cb`."""
        if self._is_news(error.str()):
            logger.warning("Kafka client: %s", error.str(), extra={"kafka_error": error.name()})

    def _is_news(self, text: str) -> bool:
        now, reason = self._clock(), _NUMBERS.sub("", text)
        self._said = {each: at for each, at in self._said.items() if now - at < REPEAT_SECONDS}
        if reason in self._said:
            return False
        self._said[reason] = now
        return True
