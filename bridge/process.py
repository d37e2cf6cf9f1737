"""One running bridge: sockets bound, management door, worker, public door; stopped in the opposite order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bridge.app import ConnectorConfig, build
from bridge.config.keys import Configuration
from bridge.listeners import address, bind, serving
from bridge.worker import ManagedProducer, Worker

IN_FLIGHT_SECONDS: Final = 14
_PROBE_SECONDS: Final = 1


@dataclass(frozen=True)
class Running:
    """What is known once both doors are open. `webhooks` has each connector's full URL by name."""

    worker: Worker
    webhooks: dict[str, str]
    rest: str
    servers: Sequence[asyncio.Task[None]]
    producers: Mapping[str, ManagedProducer]


@contextlib.asynccontextmanager
async def running(
    worker_config: Configuration, connectors: Sequence[ConnectorConfig], randomness: Random
) -> AsyncIterator[Running]:
    """Run a bridge while the block runs.

    Both doors open at once; the webhook answers 503 until the worker is ready. Leaving the block says not ready, lets
    what is in flight end, flushes the producers and closes, in that order. Raises OSError where it cannot listen.
    """
    rest_sockets = bind(worker_config["listeners"])
    webhook_sockets = bind(worker_config["webhook.listeners"])
    rest = address(rest_sockets[0])
    app = build(worker_config, connectors, worker_id=lambda: rest.removeprefix("http://"), randomness=randomness)
    async with (
        serving(app.management, rest_sockets, drain_seconds=_PROBE_SECONDS) as management_server,
        app.worker as worker,
        serving(app.webhook, webhook_sockets, drain_seconds=IN_FLIGHT_SECONDS) as webhook_server,
    ):
        base = address(webhook_sockets[0])
        webhooks = {c.checked["name"]: f"{base}{c.checked['webhook.path']}" for c in connectors}
        try:
            yield Running(worker, webhooks, rest, (management_server, webhook_server), worker.producers)
        finally:
            worker.drain()
