"""What a process and its descendants cost, from /proc (Linux): CPU time, children that ended included, and memory."""

import os
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the command's name, see proc_pid_stat(5).
_PARENT: Final = 1
_TIMES: Final = slice(11, 15)


class Memory(NamedTuple):
    """Resident memory of a process tree in MiB, shared pages counted in each process."""

    now: float
    peak: float


def cpu_seconds(root: int) -> float:
    """Return user and system time of the tree so far."""
    return sum(sum(map(int, _stat(pid)[_TIMES])) for pid in _tree(root)) / _TICKS_PER_SECOND


def memory(root: int) -> Memory:
    """Return the resident memory of the tree; its peak is the sum of each process's own."""
    tree = _tree(root)
    return Memory(*(sum(_status_mib(pid, name) for pid in tree) for name in ("VmRSS", "VmHWM")))


def _tree(root: int) -> list[int]:
    parents = {int(path.name): int(stat[_PARENT]) for path in _PROC.glob("[0-9]*") if (stat := _stat(int(path.name)))}
    tree = [root]
    for member in tree:
        tree += [pid for pid, parent in parents.items() if parent == member]
    return tree


def _stat(pid: int) -> list[str]:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _status_mib(pid: int, name: str) -> float:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
