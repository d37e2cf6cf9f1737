"""How to reach the Schema Registry and how to identify ourselves to it."""

import ssl
from dataclasses import dataclass, field
from functools import cache

from bridge.errors import ConfigurationRefused


@dataclass(frozen=True, kw_only=True)
class RegistrySettings:
    """Where the registry is and how we identify ourselves.

    `urls` are tried in turn, the last good one first. `user_info` is user:password, `token` a bearer token.
    The locations are PEM files; without `ca_location` the system's authorities count.
    """

    urls: tuple[str, ...] = field(repr=False)
    user_info: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_location: str | None = None
    certificate_location: str | None = None
    key_location: str | None = None
    timeout_seconds: float = 4.0


def tls_context(settings: RegistrySettings) -> ssl.SSLContext:
    """Return the context for every address. Raises ConfigurationRefused where a file cannot be used."""
    if settings.ca_location is None and settings.certificate_location is None:
        return _system_authorities()
    try:
        context = ssl.create_default_context(cafile=settings.ca_location)
        if settings.certificate_location is not None:
            context.load_cert_chain(settings.certificate_location, settings.key_location)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigurationRefused([f"schema.registry.ssl: a certificate or key cannot be read: {exc}"]) from exc
    return context


@cache
def _system_authorities() -> ssl.SSLContext:
    # Reading them takes 20 ms and more, during which the event loop would stand still at every attempt.
    return ssl.create_default_context()
