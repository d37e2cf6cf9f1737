"""Reading a request's body: all of it, within a limit of bytes and of time, kept or thrown away."""

import asyncio
from typing import Final

from starlette.types import Receive

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
BODY_SECONDS: Final = 10.0


class BodyTooLarge(Exception):
    """More than MAX_BODY_BYTES: no record can hold it, and the sender cannot be asked to keep it."""


class SenderGone(Exception):
    """The connection ended before the body did."""


class BodyTimedOut(Exception):
    """The body did not end within BODY_SECONDS."""


async def read(receive: Receive) -> bytes:
    """Return the whole body. Raises BodyTooLarge, SenderGone or BodyTimedOut.

    What is above the limit is read too, up to as much again, so that the sender can hear the answer; it is not kept.
    """
    chunks: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more and total <= 2 * MAX_BODY_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise SenderGone
                chunks.append(message.get("body", b""))
                total += len(chunks[-1])
                if total > MAX_BODY_BYTES:
                    chunks.clear()
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyTimedOut from None
    if total > MAX_BODY_BYTES:
        raise BodyTooLarge
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def discard(receive: Receive) -> None:
    """Read what a well-behaved sender still has to send, so that it can hear the answer; keep nothing."""
    total = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while total <= MAX_BODY_BYTES:
                message = await receive()
                total += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
