"""Show the whole way on this machine: a return, from Optoro's webhook to Kafka records and a dead letter.

Brings an embedded broker and registry along, posts over real HTTP, reads back with a real consumer, and fails where
what comes out is not what went in.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any, Final, NamedTuple

from bridge.app import topics_of
from bridge.cli.embedding import Embedding
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Loaded, load
from bridge.embedded.consumer import ConsumedRecord, read_all
from bridge.embedded.stack import Addresses, embedded_stack
from bridge.kafka.keys import dead_letter_topic
from bridge.process import running
from bridge.simulator import Delivery, Reply, Sender, life_cycle, unusable, version_4, with_new_field
from bridge.telemetry.logs import configure

RMA: Final = "RMA-1001"
_SHOWN_HEADERS: Final = ("ce_id", "ce_type", "ce_source", "ce_time", "optoro-tenant", "received-at")
_SHOWN_OF_DEAD_LETTER: Final = (
    "error-code",
    "error-path",
    "__connect.errors.stage",
    "__connect.errors.exception.message",
)
_READ_SECONDS: Final = 20.0
_OK: Final = 200


class Exchange(NamedTuple):
    """A delivery and its answer."""

    delivery: Delivery
    reply: Reply

    @property
    def answer(self) -> dict[str, Any]:
        """Return the answer's body."""
        answer: dict[str, Any] = json.loads(self.reply.body)
        return answer


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
    deliveries = [
        *life_cycle(RMA, now),
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
    return {_text(record, "ce_id"): record for record in records}


def _report(
    exchanges: Sequence[Exchange], stranger: Reply, records: Mapping[str, ConsumedRecord], dead_letters: str
) -> int:
    problems = [problem for number, each in enumerate(exchanges, 1) for problem in _show(number, each, records)]
    print(f"\n{len(exchanges) + 1}. somebody else's credentials\n   ← {stranger.status} {stranger.body.decode()}")
    if stranger.status != 401:  # noqa: PLR2004, HTTP's Unauthorized
        problems.append("a stranger was not answered 401")
    letters = sum(record.topic == dead_letters for record in records.values())
    print(
        f"\n{len(exchanges)} events acknowledged: {len(records) - letters} records and {letters} dead letter read back."
    )
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("Everything that was answered 200 is in Kafka. Now try: rma-bridge run --embedded")
    return ExitCode.CHECK_FAILED if problems else ExitCode.CLEAN_STOP


def _show(number: int, exchange: Exchange, records: Mapping[str, ConsumedRecord]) -> list[str]:
    """Print one event's way and return what is wrong with it."""
    delivery, reply = exchange
    sent = json.loads(delivery.body)
    print(f"\n{number}. {delivery.title}")
    print(f"   → POST {_cut(delivery.body.decode())}")
    print(f"   ← {reply.status} {reply.body.decode()}  after {reply.seconds * 1000:.0f} ms")
    record = records.get(exchange.answer.get("event_id", ""))
    if reply.status != _OK or record is None:
        return [f"{delivery.title}: no record for the answer"]
    print(f"   = {record.topic} partition {record.partition} offset {record.offset} key {_key(record)}")
    if isinstance(record.value, bytes):
        _print_headers(record, _SHOWN_OF_DEAD_LETTER)
        return [] if record.value == delivery.body else [f"{delivery.title}: the dead letter has other bytes"]
    _print_headers(record, _SHOWN_HEADERS)
    print(f"     value    {_cut(json.dumps(_interesting(record.value)))}")
    same = record.value["rma_identifier"] == sent["rma_identifier"] == _key(record)
    return [] if same and record.value["status"] == sent["status"] else [f"{delivery.title}: another record came out"]


def _interesting(value: Mapping[str, Any]) -> dict[str, Any]:
    item = value["items"][0]
    of_item = ("package_tracking_status", "receiving_status", "refund_type", "original_refund_type")
    shown = {name: value[name] for name in ("rma_identifier", "status", "updated_at", "warehouse_id")}
    shown["items"] = [{name: item[name] for name in of_item if item[name] is not None}]
    return shown | ({"additional_fields": value["additional_fields"]} if value["additional_fields"] else {})


def _print_addresses(url: str, rest: str, addresses: Addresses) -> None:
    print("Optoro's returns, as Avro records on Kafka: the whole way, on this machine.\n")
    print(f"   webhook   {url}")
    print(f"   REST      {rest}/connectors")
    print(f"   broker    {addresses.bootstrap_servers} (embedded)")
    print(f"   registry  {addresses.schema_registry_url} (embedded)")


def _print_headers(record: ConsumedRecord, names: Sequence[str]) -> None:
    print("     headers  " + "  ".join(f"{name}={_text(record, name)}" for name in names))


def _text(record: ConsumedRecord, header: str) -> str:
    return next((value.decode() for name, value in record.headers if name == header), "")


def _key(record: ConsumedRecord) -> str:
    return record.key.decode()


def _cut(text: str, length: int = 150) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
