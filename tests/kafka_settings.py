"""Checked configurations and producer settings as a worker makes them from texts, pointed at a test's own servers."""

from collections.abc import Mapping
from typing import Any, Final

from bridge.config.configuration import Configuration, RawValue, no_references
from bridge.definitions import CONNECTOR, WORKER
from bridge.kafka.settings import producer_settings

# Reports come at the earliest after so long: a flush does not wait for it.
SLOW: Final[Mapping[str, Any]] = {"linger.ms": 2_000}

_WORKER: Final = {
    "bootstrap.servers": "127.0.0.1:1",
    "schema.registry.url": "http://127.0.0.1:1",
    "webhook.listeners": "http://127.0.0.1:0",
    "listeners": "http://127.0.0.1:0",
}
_CONNECTOR: Final = {
    "name": "rma-source",
    "connector.class": "OptoroRmaSource",
    "webhook.auth.methods": "basic",
    "webhook.auth.basic.username": "optoro",
    "webhook.auth.basic.password": "secret",
}


def worker_config(**texts: str) -> Configuration:
    """`_` in a name stands for `.`."""
    return WORKER.parse(_raw(_WORKER | _dotted(texts)), no_references)


def connector_config(**texts: str) -> Configuration:
    """`_` in a name stands for `.`."""
    return CONNECTOR.parse(_raw(_CONNECTOR | _dotted(texts)), no_references)


def settings(bootstrap_servers: str, **overrides: object) -> dict[str, Any]:
    """What a connector's producer gets from librdkafka's point of view."""
    return producer_settings(worker_config(bootstrap_servers=bootstrap_servers), connector_config()) | overrides


def _dotted(texts: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): text for name, text in texts.items()}


def _raw(texts: Mapping[str, str]) -> dict[str, RawValue]:
    return {name: RawValue(text, "test") for name, text in texts.items()}
