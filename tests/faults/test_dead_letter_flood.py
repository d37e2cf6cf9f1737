"""A sender whose events are all unusable: they are set aside as quickly as they come, and disturb nobody."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from bridge.avro.schemas import load_schema
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.bridge_process import BridgeProcess, bridge_process, write_configuration
from tests.faults.ledger import Ledger, read
from tests.faults.memory import MIB, resident_bytes
from tests.faults.senders import Senders, percentile
from tests.faults.stand import run
from tests.mock_cluster import mock_cluster
from tests.servers.readiness import free_port
from tests.stands import registry_on

INVALID_PER_SECOND, VALID_PER_SECOND = 500, 50
WARM_SECONDS, FLOOD_SECONDS = 2.0, 10.0
NAMES: Final = {"topic": TOPIC, "errors_deadletterqueue_topic_name": DEAD_LETTER_TOPIC}


def test_flood_when_nearly_every_event_is_unusable(tmp_path: Path, say: Callable[[str], None]) -> None:
    """At 500 a second each is answered 200 and set aside, others are quick, and memory stays (DEV-024)."""
    url = f"http://127.0.0.1:{free_port()}"
    ledger = Ledger()
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=12) as cluster, registry_on(url):
        files = write_configuration(
            tmp_path, bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=url, **NAMES
        )
        with bridge_process(tmp_path, *files) as bridge:
            valid, invalid, grown = run(partial(flood, bridge, ledger))
        records = read(cluster.bootstrap_servers, TOPIC, DEAD_LETTER_TOPIC)
    verdict = ledger.judge(records, load_schema("returns.rma.v1-value").text)
    worst = [percentile(senders.exchanges, 99) for senders in (valid, invalid)]
    say(f"DEV-024: {len(invalid.exchanges)} invalid, p99 valid/invalid {worst} s, RSS {grown / MIB:+.1f} MiB")
    verdict.assert_kept()
    assert valid.statuses.keys() | invalid.statuses.keys() == {200}
    assert sum(record.topic == DEAD_LETTER_TOPIC for record in records) == len(invalid.exchanges)
    assert max(worst) <= 0.5
    assert grown <= 24 * MIB


async def flood(bridge: BridgeProcess, ledger: Ledger) -> tuple[Senders, Senders, int]:
    """Send both kinds; return the senders, and what memory the bridge took on once it was warm."""
    url = (await asyncio.to_thread(bridge.ready_line))["webhook"]
    valid, invalid = Senders(url), Senders(url)
    await send_both(ledger, valid, invalid, WARM_SECONDS)
    before = resident_bytes(bridge.process.pid)
    await send_both(ledger, valid, invalid, FLOOD_SECONDS)
    grown = resident_bytes(bridge.process.pid) - before
    await asyncio.gather(valid.close(), invalid.close())
    return valid, invalid, grown


async def send_both(ledger: Ledger, valid: Senders, invalid: Senders, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds

    def over() -> bool:
        return loop.time() >= ends_at

    await asyncio.gather(
        valid.at_rate(ledger.issue, VALID_PER_SECOND, over),
        invalid.at_rate(partial(ledger.issue, valid=False), INVALID_PER_SECOND, over),
    )
