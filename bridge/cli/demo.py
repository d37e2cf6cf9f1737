"""Show the whole way on this machine: a return, from Optoro's webhook to Kafka records and a dead letter.

Brings an embedded broker and registry along, posts over real HTTP, reads back with a real consumer, and fails where
what comes out is not what went in.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Final

from bridge.app import topics_of
from bridge.cli.embedding import Embedding
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Loaded, load
from bridge.cli.showing import Exchange, header, show
from bridge.embedded.consumer import ConsumedRecord, read_all
from bridge.embedded.stack import Addresses, embedded_stack
from bridge.kafka.settings import dead_letter_topic
from bridge.process import running
from bridge.simulator import TENANT, Reply, Sender, life_cycle, unusable, version_4, with_new_field
from bridge.telemetry.logs import configure

RMA: Final = "RMA-1001"
_READ_SECONDS: Final = 20.0
_OK: Final = 200
_UNAUTHORIZED: Final = 401


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments: none."""


def run(_arguments: argparse.Namespace) -> int:
    """Run the demonstration; the exit code is 1 where something did not come out right."""
    configure("WARNING", "auto")
    nothing = argparse.Namespace(worker=None, connectors=[], port=0, rest_port=0)
    return asyncio.run(_demonstrate(nothing, Embedding()))


async def _demonstrate(arguments: argparse.Namespace, embedding: Embedding) -> int:
    loaded = load(arguments, embedding.overrides())
    async with embedded_stack(topics_of(loaded.connectors)) as addresses:
        whole = load(arguments, embedding.overrides(addresses))
        connector = whole.connectors[0].checked
        async with running(whole.worker, whole.connectors, SystemRandom()) as bridge:
            await bridge.worker.wait_until_ready()
            url = bridge.webhooks[connector["name"]]
            _print_addresses(url, bridge.rest, addresses)
            sender = Sender(url, embedding.username, embedding.password)
            exchanges = await asyncio.to_thread(_exchange, sender)
            stranger = await asyncio.to_thread(Sender(url, "optoro", "guessed").post, b"{}")
            records = await _read(addresses, whole, exchanges)
    return _report(exchanges, stranger, records, dead_letter_topic(connector))


def _exchange(sender: Sender) -> list[Exchange]:
    now = datetime.now(UTC)
    begins = now - timedelta(days=4)
    deliveries = [
        *life_cycle(RMA, begins),
        version_4("RMA-1002", now),
        with_new_field("RMA-1003", now),
        unusable("RMA-1004", now),
    ]
    return [Exchange(delivery, sender.post(delivery.body)) for delivery in deliveries]


async def _read(addresses: Addresses, loaded: Loaded, exchanges: Sequence[Exchange]) -> dict[str, ConsumedRecord]:
    """Return what a consumer of both topics finds, by event id."""
    topic, dead_letters = topics_of(loaded.connectors)
    quarantined = sum(exchange.answer.get("status") == "quarantined" for exchange in exchanges)
    records = await asyncio.to_thread(
        read_all,
        addresses.bootstrap_servers,
        [topic, dead_letters],
        addresses.schema_registry_url,
        at_least={topic: len(exchanges) - quarantined, dead_letters: quarantined},
        timeout_seconds=_READ_SECONDS,
    )
    return {header(record, "ce_id"): record for record in records}


def _report(
    exchanges: Sequence[Exchange], stranger: Reply, records: Mapping[str, ConsumedRecord], dead_letters: str
) -> int:
    for number, exchange in enumerate(exchanges, 1):
        show(number, exchange, records.get(exchange.answer.get("event_id", "")), in_full=number == 1)
    print(f"\n{len(exchanges) + 1}. somebody else's credentials")
    print(f"   answer      {stranger.status} {stranger.body.decode()}")
    letters = sum(record.topic == dead_letters for record in records.values())
    print(
        f"\n{len(exchanges)} events acknowledged; read back: {len(records) - letters} records, {letters} dead letter."
    )
    problems = [problem for exchange in exchanges for problem in _problems(exchange, records)]
    if stranger.status != _UNAUTHORIZED:
        problems.append("a stranger was not answered 401")
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("Everything that was answered 200 is in Kafka. Next: .venv/bin/rma-bridge run --embedded")
    return ExitCode.CHECK_FAILED if problems else ExitCode.CLEAN_STOP


def _problems(exchange: Exchange, records: Mapping[str, ConsumedRecord]) -> list[str]:
    """Return what is wrong with one event's way."""
    delivery, reply = exchange
    sent = json.loads(delivery.body)
    record = records.get(exchange.answer.get("event_id", ""))
    if reply.status != _OK or record is None:
        return [f"{delivery.title}: answered {reply.status}, and there is no record for it"]
    came_out = json.loads(record.value) if isinstance(record.value, bytes) else record.value
    wrong = [name for name in ("rma_identifier", "status") if came_out[name] != sent[name]]
    if record.key != sent["rma_identifier"].encode():
        wrong.append("key")
    return [f"{delivery.title}: another {name} came out" for name in wrong]


def _print_addresses(url: str, rest: str, addresses: Addresses) -> None:
    print("Optoro's returns as Avro records on Kafka: the whole way, on this machine.\n")
    print(f"   webhook     {url}")
    print(f"   sender      POST, HTTP Basic as optoro, X-Optiturn-Id: {TENANT}, X-Optiturn-Api-Version: 3")
    print(f"   REST        {rest}/connectors")
    print(f"   broker      {addresses.bootstrap_servers}  (embedded)")
    print(f"   registry    {addresses.schema_registry_url}  (embedded)")
