"""A plain Java consumer with an Avro deserializer reads the topic as the example does.

On demand (`make interop`), with the other consumers.
"""

import json
from typing import Final

from tests.interop.jvm import run
from tests.interop.random_records import exact
from tests.interop.stream import BODIES, EXAMPLES, Stream

EXAMPLE: Final = EXAMPLES / "RmaConsumer.java"


def test_java_consumer_writes_each_event_once_when_all_came_twice(stream: Stream) -> None:
    """The example's output is each event's record once, with all of its fields."""
    addresses = [stream.bootstrap_servers, stream.apicurio_url, stream.topic]
    lines = run(EXAMPLE, *addresses, libraries=["kafka", "connect-avro"])
    records = {record["webhook"]["event_id"]: record for record in map(json.loads, lines)}
    assert len(lines) == len(records) == len(BODIES)
    assert {exact(record) for record in records.values()} <= {exact(value) for value in stream.values}
    assert records.keys() == stream.events.keys()
