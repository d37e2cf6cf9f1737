"""One keep-alive connection of the load process; of an answer it reads no more than the status and the length."""

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

LOST: Final = 0
_CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD: Final = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """At most one request is on its way; `number` is its event, `due` when it was meant to be sent."""

    def __init__(self, on_answer: Callable[["Connection", int], None]) -> None:
        self.number: int | None = None
        self.due = 0.0
        self._on_answer = on_answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, as asyncio wants it."""
        self._transport = cast("asyncio.WriteTransport", transport)

    @property
    def is_open(self) -> bool:
        """Whether another request can be posted."""
        return not self._transport.is_closing()

    def post(self, request: bytes, number: int, due: float) -> None:
        """Send a request; its status, or LOST, is reported once to `on_answer`."""
        self.number, self.due = number, due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Report the answer once all of it is here."""
        received = self._received + data if self._received else data
        end = received.find(_END_OF_HEAD)
        length = _CONTENT_LENGTH.search(received, 0, end) if end >= 0 else None
        if length is None or len(received) < end + len(_END_OF_HEAD) + int(length[1]):
            self._received = received
            return
        self._received = b""
        self._on_answer(self, int(received[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the answer that will not come."""
        del exc
        if self.number is not None:
            self._on_answer(self, LOST)

    def close(self) -> None:
        """Close without reporting anything more."""
        self.number = None
        self._transport.close()
