"""`python -m bench`: measure the bridge beside the comparator, or with --profile the bridge's own stages."""

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import Final

from bench import report, stages
from bench.run import Phase, Settings, measure, real_servers

WARM_UP: Final = Phase("warm", connections=64, seconds=3)
FULL: Final = (
    Phase("full", connections=64, seconds=10),
    Phase("rate", connections=64, seconds=15, rate=500),
    Phase("eight", connections=8, seconds=5),
    Phase("one", connections=1, seconds=5),
)
QUICK: Final = (
    Phase("full", connections=64, seconds=8),
    Phase("rate", connections=64, seconds=8, rate=500),
)


def main(arguments: Sequence[str]) -> int:
    """Run and print; 1 where an acknowledged event is missing or an answer was no 200."""
    chosen = _parse(arguments)
    if chosen.profile:
        print(stages.report(chosen.items))
        return 0
    settings = Settings(
        rounds=chosen.rounds or (1 if chosen.quick else 5),
        phases=QUICK if chosen.quick else FULL,
        warm_up=WARM_UP,
        items=chosen.items,
        seed=chosen.seed,
    )
    with real_servers() as servers:
        _say(f"Kafka and registry: {'; '.join(servers.how)}")
        run = measure(settings, servers, _say)
    facts = report.circumstances(settings, arguments, servers.how)
    section = f"\n{facts}\n\n{report.table(run, settings)}\n\n{report.checks(run)}\n"
    print(section)
    if chosen.write:
        report.write(section)
    return 0 if report.is_sound(run) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, about a minute")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), metavar="N", help="1 to 20; 5 by default")
    parser.add_argument("--items", type=int, choices=range(1, 201), default=1, metavar="N", help="items in each RMA")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what the events are drawn from")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--profile", action="store_true", help="time each stage of the bridge in this process instead")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop(*_: object) -> None:
    sys.exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))
