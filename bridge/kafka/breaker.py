"""A circuit breaker for one topic: while nothing gets through, requests are turned away at once instead of waiting.

Closed, everything is let through. Open, one request every few seconds is let through as a probe; the first that is
delivered closes it again. All times are the event loop's, in seconds.
"""

from typing import Final

FAILURES_TO_OPEN: Final = 3
SECONDS_AWAY_TO_OPEN: Final = 2.0
PROBE_SECONDS: Final = 5.0


class CircuitBreaker:
    """Opens after three failures in a row, or when all brokers have been away for two seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._away_since: float | None = None
        self._probe_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether only probes are let through."""
        return self._probe_at is not None

    def admits(self, now: float) -> bool:
        """Whether a request may try now; when the breaker is open, a true answer is for one request only."""
        if self._away_since is not None and self._probe_at is None and now - self._away_since >= SECONDS_AWAY_TO_OPEN:
            self._probe_at = now
        if self._probe_at is None:
            return True
        if now < self._probe_at:
            return False
        self._probe_at = now + PROBE_SECONDS
        return True

    def succeeded(self) -> None:
        """Take note that a record was delivered: brokers are there."""
        self._failures = 0
        self._away_since = None
        self._probe_at = None

    def failed(self, now: float) -> None:
        """Take note that a record was not delivered."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN and self._probe_at is None:
            self._probe_at = now + PROBE_SECONDS

    def brokers_away(self, now: float) -> None:
        """Take note that the client says all brokers are down."""
        if self._away_since is None:
            self._away_since = now
