"""What `--embedded` changes in the configuration: addresses, loopback only, and a connector to start with."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from bridge.cli.loading import Overrides
from bridge.config.configuration import RawValue
from bridge.embedded.stack import Addresses

_ORIGIN: Final = "flag --embedded"
_NOT_YET_KNOWN: Final = Addresses("127.0.0.1:1", "http://127.0.0.1:1")


@dataclass(frozen=True)
class Embedding:
    """One run's embedded parts, with a login of their own."""

    username: str = "optoro"
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    @property
    def credentials(self) -> dict[str, str]:
        """Return the generated login, for the ready line."""
        return {"username": self.username, "password": self.password}

    def overrides(self, addresses: Addresses = _NOT_YET_KNOWN) -> Overrides:
        """Return the overrides; before the parts run, addresses that only serve to check the rest."""
        connector = {
            "name": "rma-source",
            "connector.class": "OptoroRmaSource",
            "webhook.auth.methods": "basic",
            "webhook.auth.basic.username": self.username,
            "webhook.auth.basic.password": self.password,
        }
        return Overrides(
            worker=_raw(
                {
                    "bootstrap.servers": addresses.bootstrap_servers,
                    "schema.registry.url": addresses.schema_registry_url,
                }
            ),
            worker_defaults=_raw({"webhook.listeners": "http://127.0.0.1:8080"}),
            connector_defaults=_raw({"value.converter.auto.register.schemas": "true", "topic.audit": "off"}),
            connectors=(_raw(connector),),
        )


def _raw(texts: dict[str, str]) -> dict[str, RawValue]:
    return {name: RawValue(text, _ORIGIN) for name, text in texts.items()}
