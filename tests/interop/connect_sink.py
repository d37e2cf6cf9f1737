"""A sink on a real Connect worker, with an Avro converter, reads the topic as the example says.

On demand (`make interop`): the worker takes its time to start.
"""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.interop.connect_worker import connect_worker
from tests.interop.random_records import as_seen
from tests.interop.stream import BODIES, EXAMPLES, Stream

EXAMPLE: Final = EXAMPLES / "connect-file-sink.json"


def test_connect_sink_writes_every_record_when_configured_as_the_example(stream: Stream, tmp_path: Path) -> None:
    """The sink's file has a line for each record, with each field that is not null."""
    file = tmp_path / "sink.txt"
    expected = [_struct(as_seen(value, _date)) for value in stream.values]
    with connect_worker(tmp_path, stream.bootstrap_servers, _example_at(stream, file)) as wait:
        wait(lambda: file.exists() and file.read_bytes().count(b"\n") >= len(expected))
    assert len(expected) == 2 * len(BODIES)
    assert Counter(file.read_text().splitlines()) == Counter(expected)


def _example_at(stream: Stream, file: Path) -> dict[str, Any]:
    """The example with the test's own file, topic and registry."""
    example = json.loads(EXAMPLE.read_text())
    registry = "value.converter.apicurio.registry.url"
    own = {"file": str(file), "topics": stream.topic, registry: stream.apicurio_url}
    assert own.keys() <= example["config"].keys()
    return {"name": example["name"], "config": example["config"] | own}


def _struct(value: Any) -> str:
    """What Java's `toString` writes of a Connect value."""
    match value:
        case dict():
            members = (f"{name}={_struct(member)}" for name, member in value.items() if member is not None)
            return f"Struct{{{','.join(members)}}}"
        case list():
            return f"[{', '.join(map(_struct, value))}]"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _date(moment: datetime) -> str:
    return moment.strftime("%a %b %d %H:%M:%S UTC %Y")
