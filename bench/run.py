"""One interleaved run: in every round each service starts fresh, is warmed up, measured phase by phase, and checked."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench import topics
from bench.load import Plan, Result
from bench.processes import Memory, cpu_seconds, memory
from bench.requests import Series
from bench.services import CHECKOUT, SERVICES, Servers, Service, first_line

MAX_EVENTS: Final = 300_000
_LOAD_SECONDS: Final = 60.0
_SERVERS_SECONDS: Final = 240.0


@dataclass(frozen=True)
class Phase:
    """A kind of load; `rate` in events per second, None for as fast as the answers come."""

    name: str
    connections: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True)
class Settings:
    """What a run consists of."""

    rounds: int
    phases: Sequence[Phase]
    warm_up: Phase
    items: int
    seed: int


@dataclass(frozen=True)
class Sample:
    """One service in one phase of one round."""

    service: str
    phase: str
    acknowledged: int
    statuses: dict[str, int]
    cpu_us: float
    load_cpu_us: float
    events_per_second: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    memory: Memory


@dataclass(frozen=True)
class Audit:
    """What the topic of one service in one round says of its 200s; `missing` must be 0."""

    service: str
    acknowledged: int
    missing: int
    duplicates: int
    decoded: int


@dataclass(frozen=True)
class Run:
    """All that was measured."""

    samples: Sequence[Sample]
    audits: Sequence[Audit]


def measure(settings: Settings, servers: Servers, say: Callable[[str], None]) -> Run:
    """Carry the whole run out; `say` gets a line for each step. Raises RuntimeError where a service fails."""
    samples: list[Sample] = []
    audits: list[Audit] = []
    for number in range(settings.rounds):
        services = list(SERVICES)
        for service in services if number % 2 == 0 else reversed(services):
            found, checked = _round(service, settings, servers)
            samples += found
            audits.append(checked)
            figures = ", ".join(f"{sample.phase} {sample.cpu_us:.0f} µs" for sample in found)
            say(f"round {number + 1}/{settings.rounds} {service}: {figures}; missing {checked.missing}")
    return Run(samples, audits)


@contextlib.contextmanager
def real_servers() -> Iterator[Servers]:
    """Run the tests' real Kafka and registry for the length of the block. Raises RuntimeError where there are none."""
    command = [sys.executable, "-m", "tests.servers"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = first_line(process, _SERVERS_SECONDS)
            if not line:
                raise RuntimeError("no real Kafka and registry: see what `python -m tests.servers` says")
            told = json.loads(line)
            yield Servers(told["bootstrap.servers"], told["schema.registry.url"], tuple(told["how"]))
        finally:
            process.terminate()


def audit(service: str, settings: Settings, results: dict[str, Result], content: topics.Content) -> Audit:
    """Return what the topic says of the answers; `results` are all phases of the service by name."""
    acknowledged = [
        Series(name, settings.seed).identifier(number)
        for name, result in results.items()
        for refused in [frozenset(result.unacknowledged)]
        for number in range(result.sent)
        if number not in refused
    ]
    return Audit(
        service=service,
        acknowledged=len(acknowledged),
        missing=sum(content.keys[key] == 0 for key in acknowledged),
        duplicates=content.keys.total() - len(content.keys),
        decoded=content.decoded,
    )


def _round(name: str, settings: Settings, servers: Servers) -> tuple[list[Sample], Audit]:
    results: dict[str, Result] = {}
    samples = []
    with topics.topic(servers.bootstrap_servers) as topic, tempfile.TemporaryDirectory() as folder:
        with SERVICES[name](servers, topic, Path(folder)) as service:
            results[settings.warm_up.name] = _load(settings.warm_up, settings, service)
            for phase in settings.phases:
                before = cpu_seconds(service.pid)
                result = results[phase.name] = _load(phase, settings, service)
                samples.append(_sample(name, phase, result, cpu_seconds(service.pid) - before, memory(service.pid)))
        content = topics.read(servers.bootstrap_servers, topic)
    return samples, audit(name, settings, results, content)


def _load(phase: Phase, settings: Settings, service: Service) -> Result:
    plan = Plan(
        port=service.port,
        name=phase.name,
        seed=settings.seed,
        items=settings.items,
        connections=phase.connections,
        seconds=phase.seconds,
        max_events=MAX_EVENTS,
        rate=phase.rate,
    )
    ended = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        timeout=phase.seconds + _LOAD_SECONDS,
        check=True,
    )
    return Result(**json.loads(ended.stdout))


def _sample(service: str, phase: Phase, result: Result, cpu: float, used: Memory) -> Sample:
    acknowledged = result.statuses.get("200", 0)
    if not acknowledged:
        raise RuntimeError(f"{service} acknowledged nothing in {phase.name}: {result.statuses}")
    return Sample(
        service=service,
        phase=phase.name,
        acknowledged=acknowledged,
        statuses=result.statuses | ({"unsent": result.unsent} if result.unsent else {}),
        cpu_us=cpu / acknowledged * 1e6,
        load_cpu_us=result.load_cpu_seconds / acknowledged * 1e6,
        events_per_second=acknowledged / result.seconds,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        p999_ms=result.p999_ms,
        memory=used,
    )
