"""`python -m tests.servers [NAME]`: holds the servers until SIGTERM or SIGINT.

Without a name, both: one JSON line with their addresses. With a name, that one, until standard input ends too.
"""

import json
import os
import signal
import sys
import threading
from typing import Any, get_args

from tests.servers.choice import Unavailable
from tests.servers.real import Name, RealServers


def hold_both() -> int:
    servers = RealServers()
    try:
        servers.begin("Kafka")
        servers.begin("registry")
        kafka, registry = servers.get("Kafka"), servers.get("registry")
        addresses = {"bootstrap.servers": kafka.address, "schema.registry.url": registry.address}
        _say(addresses | {"how": [kafka.how, registry.how]})
        signal.pause()
    except Unavailable as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    finally:
        servers.close()
    return 0


def hold_one(name: Name) -> int:
    from tests.servers.candidates import open_server  # noqa: PLC0415 - the Docker client belongs to this process alone

    threading.Thread(target=_stop_when_input_ends, daemon=True).start()
    try:
        server = open_server(name, os.environ)
    except Unavailable as exc:
        _say({"unavailable": str(exc)})
        return 1
    try:
        _say({"address": server.address, "how": server.how})
        signal.pause()
    finally:
        server.close()
    return 0


def _stop_when_input_ends() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _stop(*_: object) -> None:
    """Once only: a second signal must not interrupt the closing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def main(arguments: list[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    names: tuple[Name, ...] = get_args(Name)
    for name in names:
        if arguments == [name]:
            return hold_one(name)
    return hold_both()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
