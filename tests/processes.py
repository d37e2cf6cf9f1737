"""The command as a user runs it: a process of its own."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

COMMAND = (sys.executable, "-m", "bridge")
READY_SECONDS = 30


def run(*arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=_environment(environment), check=False
    )


@dataclass(frozen=True)
class Bridge:
    """A running bridge, and its ready line."""

    process: subprocess.Popen[str]
    ready: Mapping[str, Any]


@contextmanager
def bridge(*arguments: object, environment: Mapping[str, str] | None = None) -> Iterator[Bridge]:
    """Run `rma-bridge run` until the block ends."""
    command: Sequence[str] = [*COMMAND, "run", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment(environment)
    )
    try:
        yield Bridge(process, json.loads(_first_line(process)))
    finally:
        process.kill()
        process.communicate()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    assert readable, f"no ready line within {READY_SECONDS} s"
    return process.stdout.readline()


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")} | dict(extra or {})
