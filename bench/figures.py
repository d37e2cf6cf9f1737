"""The statistics behind the figures; pure."""

import statistics
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple


class Spread(NamedTuple):
    """One figure over several rounds."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the median with the range; `values` has at least one."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of values in ascending order: one that was seen, never between two."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]
