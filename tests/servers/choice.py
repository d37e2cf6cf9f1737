"""Which of the possible servers is taken; nothing here touches a process or a socket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace


class Unavailable(Exception):
    """A candidate that cannot serve on this machine; the message says why and what would change it."""


@dataclass(frozen=True)
class Server:
    """A server that answers at `address`; `how` says where it came from, and `close` ends it if we started it."""

    address: str
    how: str
    close: Callable[[], None]


@dataclass(frozen=True)
class Candidate:
    """A named way to a server; `open` raises Unavailable where this machine does not have it."""

    name: str
    open: Callable[[], Server]


def choose(given: Candidate | None, others: Sequence[Candidate]) -> Server:
    """Opens the first candidate that can serve; what the environment gives is never passed over for another.

    The server's `how` also tells why earlier candidates were passed over.
    """
    refusals: list[str] = []
    for candidate in others if given is None else [given]:
        try:
            server = candidate.open()
            return replace(server, how="; ".join([server.how, *refusals]))
        except Unavailable as exc:
            refusals.append(f"{candidate.name}: {exc}")
    raise Unavailable("; ".join(refusals))
