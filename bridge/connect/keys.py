"""The configuration keys of the management door."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from bridge.config.keys import ConfigKey, Configuration, Importance, Problem, Type
from bridge.config.validators import all_of, each, listener, non_empty, one_of

GROUP: Final = "REST"

WORKER_KEYS: Final = (
    ConfigKey(
        name="listeners",
        type=Type.LIST,
        default=["http://127.0.0.1:8083"],
        importance=Importance.HIGH,
        group=GROUP,
        documentation="Where REST, health and metrics are served, as http://host:port; port 0 takes a free one.",
        validator=all_of(non_empty, each(listener)),
    ),
    ConfigKey(
        name="rest.auth",
        type=Type.STRING,
        default=None,
        group=GROUP,
        documentation="How callers of the REST API authenticate; health and metrics never need it. "
        "Required where a listener is not on a loopback address.",
        validator=one_of("basic", "none"),
    ),
    ConfigKey(
        name="rest.auth.basic.username",
        type=Type.STRING,
        default=None,
        group=GROUP,
        documentation="User name for the REST API.",
        validator=non_empty,
    ),
    ConfigKey(
        name="rest.auth.basic.password",
        type=Type.PASSWORD,
        default=None,
        group=GROUP,
        documentation="Password for the REST API; best a reference.",
        validator=non_empty,
    ),
)


def access_is_decided(worker: Configuration) -> Iterable[Problem]:
    """Yield a problem where the API would be open to others without anybody having said so."""
    open_to_others = [text for text in worker["listeners"] if not _is_loopback(text)]
    if worker["rest.auth"] is None and open_to_others:
        yield Problem(
            "rest.auth", f"required, since {open_to_others[0]} is not a loopback address; allowed: basic, none"
        )
    if worker["rest.auth"] == "basic":
        for name in ("rest.auth.basic.username", "rest.auth.basic.password"):
            if worker[name] is None:
                yield Problem(name, "required while rest.auth is basic")


def _is_loopback(listener_text: str) -> bool:
    host = urlsplit(listener_text).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
