"""What a run found, as a table for people and as the measured section of docs/performance.md."""

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from bench.figures import Spread, spread
from bench.run import Audit, Phase, Run, Sample, Settings
from bench.services import CHECKOUT, SERVICES

PAGE: Final = CHECKOUT / "docs" / "performance.md"
BEGIN: Final = "<!-- measured: begin, written by `python -m bench --write` -->"
END: Final = "<!-- measured: end -->"
_MEASURED: Final = ("bench", "bridge", "schemas")


class _Figure(NamedTuple):
    """A line of the table; `applies` tells in which phases it says something."""

    title: str
    of: Callable[[Sample], float]
    style: str
    applies: Callable[[Phase], bool] = lambda _phase: True


def _is_full_load(phase: Phase) -> bool:
    return phase.rate is None


_FIGURES: Final = (
    _Figure("CPU µs per event", lambda sample: sample.cpu_us, ".0f"),
    _Figure("events per second", lambda sample: sample.events_per_second, ".0f", _is_full_load),
    _Figure("p50 ms", lambda sample: sample.p50_ms, ".1f"),
    _Figure("p99 ms", lambda sample: sample.p99_ms, ".1f"),
    _Figure("p99.9 ms", lambda sample: sample.p999_ms, ".1f"),
    _Figure("RSS MiB at the end", lambda sample: sample.memory.now, ".0f"),
    _Figure("RSS MiB so far, peak", lambda sample: sample.memory.peak, ".0f"),
)


def table(run: Run, settings: Settings) -> str:
    """Return the figures of every phase in Markdown: median, range over the rounds, ratio of the medians."""
    lines = [
        f"| Load | Figure | {' | '.join(SERVICES)} | ratio |",
        f"| --- | --- |{' ---: |' * (len(SERVICES) + 1)}",
    ]
    for phase in settings.phases:
        for figure in _FIGURES:
            if figure.applies(phase):
                ours, theirs = (_spread(run, service, phase, figure.of) for service in SERVICES)
                cells = f"{_shown(ours, figure.style)} | {_shown(theirs, figure.style)}"
                lines.append(f"| {_described(phase)} | {figure.title} | {cells} | {ours.median / theirs.median:.2f} |")
    return "\n".join(lines)


def checks(run: Run) -> str:
    """Return what became of the 200s, one line for each service, and every answer that was none."""
    return "\n".join(_check(run, service) for service in SERVICES)


def is_sound(run: Run) -> bool:
    """Whether every event that was answered 200 is in its topic, and every answer was a 200."""
    return not any(audit.missing for audit in run.audits) and all(set(s.statuses) == {"200"} for s in run.samples)


def circumstances(settings: Settings, arguments: Sequence[str], servers: Sequence[str]) -> str:
    """Return what somebody needs to make the run again, as a Markdown list."""
    return "\n".join(
        [
            f"- Commit: {_commit()}",
            f"- Command: `{' '.join(['python -m bench', *arguments])}`",
            f"- Seed {settings.seed}, {settings.rounds} rounds, {settings.items} item(s) in each RMA",
            f"- Date: {datetime.now(UTC):%Y-%m-%d}",
            f"- Machine: {os.cpu_count()} cores of {_cpu_model()}, {_memory_gib():.0f} GiB, Linux {platform.release()}",
            f"- Python {platform.python_version()}; {'; '.join(servers)}",
            f"- Load average at the end: {', '.join(f'{load:.1f}' for load in os.getloadavg())}",
        ]
    )


def write(section: str, page: Path = PAGE) -> None:
    """Replace the measured section of the page. Raises ValueError where the page has no such section."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no measured section")
    page.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}", encoding="utf-8")


def _spread(run: Run, service: str, phase: Phase, figure: Callable[[Sample], float]) -> Spread:
    return spread([figure(s) for s in run.samples if s.service == service and s.phase == phase.name])


def _shown(value: Spread, style: str) -> str:
    return f"{value.median:{style}} ({value.low:{style}} to {value.high:{style}})"


def _described(phase: Phase) -> str:
    if phase.rate is not None:
        return f"{phase.rate:.0f}/s"
    return f"{phase.connections} connection{'s' if phase.connections > 1 else ''}"


def _check(run: Run, service: str) -> str:
    audits: list[Audit] = [audit for audit in run.audits if audit.service == service]
    samples = [sample for sample in run.samples if sample.service == service]
    others = sum(count for sample in samples for status, count in sample.statuses.items() if status != "200")
    load = spread([sample.load_cpu_us for sample in samples])
    return (
        f"- {service}: {sum(audit.acknowledged for audit in audits)} events answered 200 (warm-up included), "
        f"{sum(audit.missing for audit in audits)} of them missing in the topic, "
        f"{sum(audit.duplicates for audit in audits)} records twice; "
        f"{sum(audit.decoded for audit in audits)} records decoded; {others} other answers; "
        f"the load process took {load.low:.0f} to {load.high:.0f} µs of CPU per event"
    )


def _commit() -> str:
    commit = _git("rev-parse", "--short=12", "HEAD") or "none yet"
    return f"{commit}, with uncommitted changes" if _git("status", "--porcelain", "--", *_MEASURED) else commit


def _git(*arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    return ended.stdout.strip()


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
