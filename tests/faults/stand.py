"""The bridge as the command runs it, both doors and all, in the test's own process, on a mock cluster."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import uvloop

from bridge.app import ConnectorConfig
from bridge.avro.schemas import load_schema
from bridge.config.configuration import Configuration
from bridge.embedded.registry import embedded_registry
from bridge.listeners import address, bind, serving
from bridge.process import Running, running
from bridge.testing import CONNECTOR, DEAD_LETTER_TOPIC, TOPIC
from tests.faults.ledger import Ledger, Verdict, read
from tests.faults.senders import Heartbeat, Senders, heartbeat, percentile
from tests.kafka_settings import connector_config, worker_config
from tests.mock_cluster import MockCluster
from tests.samples import PASSWORD

T = TypeVar("T")


@dataclass(frozen=True)
class Stand:
    """A bridge that is ready, senders at its door, and the ledger."""

    cluster: MockCluster
    bridge: Running
    senders: Senders
    ledger: Ledger
    beat: Heartbeat

    @property
    def figures(self) -> str:
        """What its senders and its heartbeat measured."""
        exchanges = self.senders.exchanges
        p50, p99 = (percentile(exchanges, percent) * 1000 for percent in (50, 99))
        wait, work = self.beat.longest_wait * 1000, self.beat.longest_work * 1000
        return f"{dict(self.senders.statuses)}, p50 {p50:.0f} ms, p99 {p99:.0f} ms, loop {wait:.0f}/{work:.0f} ms"

    async def accepted_again(self, seconds: float) -> None:
        """Send new events until one is accepted; fails where none is within so many seconds."""
        async with asyncio.timeout(seconds):
            while True:
                if (await self.senders.post(self.ledger.issue())).status == 200:
                    return
                await asyncio.sleep(0.05)

    async def verdict(self) -> Verdict:
        """Judge what the topics hold now. The judge works in the same loop, so the heartbeat stops."""
        self.beat.watching = False
        records = await asyncio.to_thread(read, self.cluster.bootstrap_servers, TOPIC, DEAD_LETTER_TOPIC)
        return self.ledger.judge(records, load_schema("returns.rma.v1-value").text)


@contextlib.asynccontextmanager
async def standing(cluster: MockCluster, **connector: str) -> AsyncIterator[Stand]:
    """Run a bridge with one connector while the block runs; `_` in a connector's key stands for `.`."""
    sockets = bind(["http://127.0.0.1:0"])
    async with serving(embedded_registry(), sockets, drain_seconds=1):
        worker = worker_config(bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=address(sockets[0]))
        connectors = [ConnectorConfig(_connector(connector), {})]
        async with running(worker, connectors, Random(1)) as bridge:
            await asyncio.wait_for(bridge.worker.wait_until_ready(), 20)
            senders = Senders(bridge.webhooks[CONNECTOR])
            async with heartbeat() as beat:
                try:
                    yield Stand(cluster, bridge, senders, Ledger(), beat)
                finally:
                    await senders.close()


def _connector(texts: dict[str, str]) -> Configuration:
    ours = {
        "topic_audit": "off",
        "value_converter_auto_register_schemas": "true",
        "webhook_auth_basic_password": PASSWORD,
    }
    return connector_config(**ours | texts)


def run(main: Callable[[], Awaitable[T]], seconds: float = 90) -> T:
    """Run it on the event loop that the command uses, and with what is there spared by the collector, as there."""
    gc.collect()
    gc.freeze()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_within(main, seconds))
    finally:
        gc.unfreeze()


async def _within(main: Callable[[], Awaitable[T]], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await main()


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Return once it holds; fails where it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)
