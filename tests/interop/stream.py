"""Records that a running bridge wrote for real requests, as a consumer outside of this project meets them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge.avro.converter import decode
from tests.bridge_process import bridge_process, request, write_configuration
from tests.contract.producer_contract import PARTITIONS, read_back
from tests.interop.random_records import SCHEMA
from tests.samples import PAYLOADS, basic, rma
from tests.servers.requirement import not_run
from tests.servers.versions import REGISTRY_PATH

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "consumers"
HEADERS: Final = [basic(), (b"content-type", b"application/json"), (b"x-optiturn-id", b"Modrno")]
BODIES: Final = [
    rma(status="REFUNDED", updated_at="2030-01-01T00:00:00.001+05:30"),
    *(path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))),
    rma(
        rma_identifier="Ünïcode-鍵-🧦",
        items=[],
        vendor="Söcks 🧦 & Söhne; {a=1, b=[2]}",
        updated_at=None,
        customer=None,
    ),
    rma(rma_identifier="greatest", return_shipping_cost_cents=2**63 - 1, bonus_credit_amount_cents=-(2**63)),
]


@dataclass(frozen=True)
class Stream:
    """`values` are the records' with epoch milliseconds, all fields there, in no order."""

    bootstrap_servers: str
    schema_registry_url: str
    topic: str
    values: Sequence[dict[str, Any]]

    @property
    def apicurio_url(self) -> str:
        """Apicurio's own interface, which its Java libraries speak; no others are on Maven Central."""
        address = self.schema_registry_url.removesuffix(REGISTRY_PATH)
        if address == self.schema_registry_url:
            not_run("the registry is not Apicurio's")
        return f"{address}/apis/registry/v2"

    @property
    def events(self) -> Mapping[str, dict[str, Any]]:
        """One of the values for each event id."""
        return {value["webhook"]["event_id"]: value for value in self.values}


def written_by_the_bridge(
    folder: Path, bootstrap_servers: str, schema_registry_url: str, make_topic: Callable[..., str]
) -> Stream:
    """Runs the bridge, posts every body twice, and stops it."""
    topic, dead_letters = make_topic(PARTITIONS), make_topic()
    configuration = write_configuration(
        folder,
        bootstrap_servers=bootstrap_servers,
        schema_registry_url=schema_registry_url,
        topic=topic,
        errors_deadletterqueue_topic_name=dead_letters,
    )
    with bridge_process(folder, *configuration) as bridge:
        url = bridge.ready_line()["webhook"]
        replies = [request(url, method="POST", body=body, headers=HEADERS) for body in BODIES * 2]
        assert [(reply.status, reply.json()["status"]) for reply in replies] == [(200, "accepted")] * len(replies)
        assert bridge.stop() == 0
    stored = asyncio.run(read_back(bootstrap_servers, topic))
    values = [decode(record.value, lambda _: SCHEMA.text) for record, _ in stored]
    return Stream(bootstrap_servers, schema_registry_url, topic, values)
