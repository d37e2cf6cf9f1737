"""The benchmark's own reckoning: statistics, requests, the load process, and the check of every 200."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import load, report
from bench.figures import percentile, spread
from bench.load import Plan, Result
from bench.processes import Memory, cpu_seconds, memory
from bench.requests import Series
from bench.run import Audit, Phase, Run, Sample, Settings, audit
from bench.services import first_line
from bench.topics import Content
from bridge.optoro.rma import RMA
from bridge.records import VerifiedRequest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
SETTINGS = Settings(rounds=1, phases=(), warm_up=Phase("warm", 1, 1), items=1, seed=1)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        pytest.param(0, 1, id="lowest"),
        pytest.param(50, 2, id="median of an even count is the lower one"),
        pytest.param(75, 3, id="exact rank"),
        pytest.param(99, 4, id="rounded up"),
        pytest.param(100, 4, id="highest"),
    ],
)
def test_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    """A percentile is a value that was seen."""
    assert percentile([1, 2, 3, 4], percent) == expected


def test_spread_is_median_and_range() -> None:
    """One wild round moves the range and not the median."""
    assert spread([5, 1, 100]) == (5, 1, 100)


@pytest.mark.parametrize("items", [1, 10])
def test_request_is_an_event_of_the_contract(items: int) -> None:
    """The load's bodies pass the bridge's own contract, with nothing unknown, keyed as the audit expects."""
    series = Series("full", 1, items)
    body = _body(series.requests("localhost")(7))
    event = RMA.decode(VerifiedRequest(body, 0, "optoro", None, None, None, None))
    assert (event.key, event.unknown_fields) == (series.identifier(7), ())
    assert len(event.value["items"]) == items


def test_request_has_its_own_identifiers_and_length() -> None:
    """No two requests of a series are one event, and each head tells its body's length."""
    request = Series("full", 1).requests("localhost")
    bodies = [_body(request(number)) for number in range(200)]
    assert len({json.loads(body)["rma_identifier"] for body in bodies}) == len(bodies)


def test_requests_repeat_for_the_same_seed() -> None:
    """The seed is enough to make the same bytes again."""
    assert Series("full", 3).requests("h")(70) == Series("full", 3).requests("h")(70)
    assert Series("full", 3).requests("h")(70) != Series("full", 4).requests("h")(70)


@pytest.mark.parametrize("rate", [None, 4_000], ids=["closed loop", "open loop"])
def test_load_posts_each_number_once_and_counts_every_answer(rate: float | None) -> None:
    """What is sent is answered and counted, by status, and the refused events are named."""
    posted, result = asyncio.run(_load_against_a_server(rate, refused={3, 17}))
    assert sorted(posted) == list(range(40))
    assert (result.sent, result.unsent, result.statuses) == (40, 0, {"200": 38, "503": 2})
    assert sorted(result.unacknowledged) == [3, 17]


def test_load_counts_a_lost_connection_as_no_answer() -> None:
    """A connection that ends before its answer is not forgotten."""
    posted, result = asyncio.run(_load_against_a_server(None, refused=set(), cut={0}))
    assert (result.statuses["0"], result.unacknowledged) == (1, [0])
    assert sum(result.statuses.values()) == len(posted)


def test_audit_tells_a_missing_event_from_a_refused_one() -> None:
    """A 200 without a record is missing; an event without a 200 may or may not be there."""
    series = Series("full", 1)
    result = Result(
        sent=4,
        unsent=0,
        statuses={"200": 3, "503": 1},
        unacknowledged=[2],
        seconds=1,
        p50_ms=1,
        p99_ms=1,
        p999_ms=1,
        load_cpu_seconds=1,
    )
    keys = Counter([series.identifier(0), series.identifier(0), series.identifier(1)])
    found = audit("bridge", SETTINGS, {"full": result}, Content(keys, decoded=1))
    assert (found.acknowledged, found.missing, found.duplicates) == (3, 1, 1)


def test_table_has_medians_ranges_and_the_ratio_of_the_medians() -> None:
    """The last column compares within one run."""
    phase = Phase("full", 64, 1)
    samples = [_sample("bridge", cpu) for cpu in (90, 100, 300)] + [
        _sample("comparator", cpu) for cpu in (400, 410, 390)
    ]
    text = report.table(Run(samples, ()), replace(SETTINGS, phases=[phase]))
    assert "| 64 connections | CPU µs per event | 100 (90 to 300) | 400 (390 to 410) | 0.25 |" in text


@pytest.mark.parametrize(
    ("missing", "statuses", "sound"),
    [
        pytest.param(0, {"200": 9}, True, id="every answer a 200, every event there"),
        pytest.param(1, {"200": 9}, False, id="an acknowledged event is missing"),
        pytest.param(0, {"200": 8, "503": 1}, False, id="an answer other than 200"),
    ],
)
def test_run_is_sound_only_when_nothing_is_missing_or_refused(
    missing: int, statuses: dict[str, int], sound: bool
) -> None:
    """Figures of a run that lost or refused something end it with exit code 1."""
    found = Audit("bridge", acknowledged=9, missing=missing, duplicates=0, decoded=1)
    assert report.is_sound(Run([replace(_sample("bridge", 100), statuses=statuses)], [found])) is sound


@pytest.mark.parametrize(
    ("code", "line"),
    [
        pytest.param("print('ready', flush=True); input()", "ready\n", id="it speaks"),
        pytest.param("pass", "", id="it ends"),
        pytest.param("input()", "", id="it says nothing"),
    ],
)
def test_first_line_never_waits_for_ever(code: str, line: str) -> None:
    """A service that does not get ready ends the run instead of hanging it."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        seconds = 0.2 if code == "input()" else 20
        assert first_line(process, seconds) == line
        process.kill()


def test_process_tree_tells_time_and_memory() -> None:
    """/proc is read in seconds and MiB: this very process has used some of both."""
    used = memory(os.getpid())
    assert 0 < cpu_seconds(os.getpid()) < 86_400
    assert 1 < used.now <= used.peak < 65_536


def test_write_replaces_the_measured_section_and_nothing_else(tmp_path: Path) -> None:
    """The page around the figures stays as people wrote it."""
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write("new", page)
    assert page.read_text() == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"


def test_performance_page_has_a_measured_section() -> None:
    """`--write` finds its place in the page that is committed."""
    text = report.PAGE.read_text()
    assert text.count(report.BEGIN) == text.count(report.END) == 1


def _sample(service: str, cpu_us: float) -> Sample:
    return Sample(
        service=service,
        phase="full",
        acknowledged=9,
        statuses={"200": 9},
        cpu_us=cpu_us,
        load_cpu_us=1,
        events_per_second=1,
        p50_ms=1,
        p99_ms=1,
        p999_ms=1,
        memory=Memory(1, 1),
    )


def _body(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    return body


async def _load_against_a_server(
    rate: float | None, *, refused: set[int], cut: frozenset[int] | set[int] = frozenset()
) -> tuple[list[int], Result]:
    posted: list[int] = []
    handlers: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            length = int(head.rpartition(b"content-length: ")[2])
            number = int(json.loads(await reader.readexactly(length))["rma_identifier"].rpartition("-")[2])
            posted.append(number)
            if number in cut:
                break
            writer.write(UNAVAILABLE if number in refused else OK)
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        plan = Plan(port=port, name="full", seed=1, items=1, connections=4, seconds=10, max_events=40, rate=rate)
        result = await load.run(plan)
        await asyncio.gather(*handlers)
    return posted, result


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
