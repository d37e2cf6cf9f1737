"""The webhook's ASGI endpoint: verify, read, process, answer; each request ends in exactly one Outcome.

It works on the ASGI messages themselves: request and response objects would cost more than the event does.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from bridge.errors import CredentialsRefused, TemporarilyUnavailable
from bridge.optoro.headers import verified
from bridge.records import Outcome, VerifiedRequest, WebhookRequest
from bridge.telemetry.metrics import ConnectorMetrics
from bridge.webhook.acknowledgement import Answer
from bridge.webhook.authentication import Authenticator, authenticate
from bridge.webhook.body import BodyTimedOut, BodyTooLarge, SenderGone, discard, read

logger = logging.getLogger(__name__)

CLIENT_GONE = "client_gone"


@dataclass(frozen=True)
class Door:
    """What one connector's endpoint works with. `wall_clock_ms` tells epoch milliseconds."""

    process: Callable[[VerifiedRequest], Awaitable[Outcome]]
    authenticators: Sequence[Authenticator]
    answer: Callable[[Outcome], Answer]
    metrics: ConnectorMetrics
    max_in_flight: int
    wall_clock_ms: Callable[[], int]


class WebhookEndpoint:
    """One connector's endpoint, as an ASGI application for its path."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._in_flight = 0
        door.metrics.watch_in_flight(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        self._door.metrics.received()
        self._in_flight += 1
        outcome = await self._outcome(scope, receive)
        try:
            if outcome.reason != CLIENT_GONE:
                start, body = self._door.answer(outcome)
                await send(start)
                await send(body)
        finally:
            self._in_flight -= 1
            seconds = time.perf_counter() - started
            self._door.metrics.answered(outcome, seconds)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("answered", extra={"path": scope["path"], "seconds": seconds, **outcome._asdict()})

    async def _outcome(self, scope: Scope, receive: Receive) -> Outcome:
        try:
            return await self._receive(scope, receive)
        except SenderGone:
            return Outcome("unavailable", reason=CLIENT_GONE)
        except BodyTimedOut:
            return Outcome("unavailable", reason="body_timed_out")
        except BodyTooLarge:
            return _lost(scope["path"])
        except asyncio.CancelledError:
            return Outcome("unavailable", reason="draining")
        except Exception:
            logger.exception("the request is answered 503 after an unexpected error")
            return Outcome("unavailable", reason="internal_error")

    async def _receive(self, scope: Scope, receive: Receive) -> Outcome:
        door = self._door
        turned_away = self._turned_away(scope)
        if turned_away is not None:
            await discard(receive)
            return turned_away
        headers = scope["headers"]
        try:
            principal = authenticate(door.authenticators, headers)
        except CredentialsRefused as exc:
            await discard(receive)
            return Outcome("refused", reason=exc.code)
        except TemporarilyUnavailable as exc:
            await discard(receive)
            return Outcome("unavailable", reason=exc.code)
        body = await read(receive)
        return await door.process(verified(WebhookRequest(headers, body, door.wall_clock_ms()), principal))

    def _turned_away(self, scope: Scope) -> Outcome | None:
        if scope["method"] != "POST":
            return Outcome("refused", reason="method_not_allowed")
        if self._in_flight > self._door.max_in_flight:
            return Outcome("unavailable", reason="overloaded")
        return None


def _lost(path: str) -> Outcome:
    """Say loudly that an event is gone for good: no record can hold it, and the sender does not send it again."""
    logger.error("EVENT LOST: a body above 8 MiB was refused with 413", extra={"path": path})
    return Outcome("refused", reason="body_too_large")
