"""The lifetime of both real servers: started side by side, each once and on first need; ended together.

Each is held by a process of its own (`python -m tests.servers NAME`), which ends when its standard input does:
the servers go even when the run is killed, and the Docker client's habits stay out of the tests' process.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.servers.choice import Unavailable

Name = Literal["Kafka", "registry"]

CHECKOUT = Path(__file__).parents[2]
CLOSE_SECONDS = 30


@dataclass(frozen=True)
class RealServer:
    """The address of a server that answers, and where it came from."""

    address: str
    how: str


def holder_command(name: Name) -> Sequence[str]:
    return [sys.executable, "-m", "tests.servers", name]


class RealServers:
    """Not a context manager because pytest's hooks open and close it in different places."""

    def __init__(self, command: Callable[[Name], Sequence[str]] = holder_command) -> None:
        self._command = command
        self._holders: dict[Name, subprocess.Popen[str]] = {}
        self._answers: dict[Name, RealServer | Unavailable] = {}

    def begin(self, name: Name) -> None:
        """Starts `name` in the background; only the first call does anything."""
        if name not in self._holders:
            # A session of its own: Ctrl-C reaches the tests only, and they end it in their own time.
            self._holders[name] = subprocess.Popen(
                self._command(name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=CHECKOUT,
                start_new_session=True,
            )

    def get(self, name: Name) -> RealServer:
        """The server, once it answers; Unavailable with every candidate's reason otherwise."""
        self.begin(name)
        if name not in self._answers:
            self._answers[name] = _answer(self._holders[name])
        answer = self._answers[name]
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    def report(self) -> list[str]:
        """A line for each server that a test waited for."""
        return [f"real {name}: {_outcome(answer)}" for name, answer in sorted(self._answers.items())]

    def close(self) -> None:
        for holder in self._holders.values():
            if holder.stdin is not None:
                holder.stdin.close()
        for holder in self._holders.values():
            _wait(holder)


def _answer(holder: subprocess.Popen[str]) -> RealServer | Unavailable:
    line = holder.stdout.readline() if holder.stdout is not None else ""
    if not line:
        return Unavailable("the process that starts it ended")
    answer = json.loads(line)
    return Unavailable(answer["unavailable"]) if "unavailable" in answer else RealServer(**answer)


def _wait(holder: subprocess.Popen[str]) -> None:
    try:
        holder.wait(CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        holder.kill()
        holder.wait()
    if holder.stdout is not None:
        holder.stdout.close()


def _outcome(answer: RealServer | Unavailable) -> str:
    return f"NOT RUN: {answer}" if isinstance(answer, Unavailable) else answer.how
