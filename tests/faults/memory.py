"""What a process holds, as Linux tells it."""

from pathlib import Path

import pytest

MIB = 1024 * 1024


def resident_bytes(pid: int | str = "self") -> int:
    """Memory in use."""
    return _number(pid, "VmRSS") * 1024


def native_threads(pid: int | str = "self") -> int:
    """Threads, those of libraries included."""
    return _number(pid, "Threads")


def _number(pid: int | str, name: str) -> int:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells a process's threads and memory in /proc")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines[name].split()[0])
