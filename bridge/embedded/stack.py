"""The embedded broker and registry together, and their addresses."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from bridge.embedded.broker import EmbeddedBroker
from bridge.embedded.registry import embedded_registry
from bridge.listeners import address, bind, serving


class Addresses(NamedTuple):
    """Where clients find the two."""

    bootstrap_servers: str
    schema_registry_url: str


@contextlib.asynccontextmanager
async def embedded_stack(topics: Sequence[str]) -> AsyncIterator[Addresses]:
    """Run both while the block runs, with these topics."""
    sockets = bind(["http://127.0.0.1:0"])
    with EmbeddedBroker(topics) as broker:
        async with serving(embedded_registry(), sockets, drain_seconds=1):
            yield Addresses(broker.bootstrap_servers, address(sockets[0]))
