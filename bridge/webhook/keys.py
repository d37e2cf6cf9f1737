"""The configuration keys of the public door."""

from collections.abc import Iterable
from typing import Final

from bridge.config.keys import ConfigKey, Configuration, Importance, Problem, Type
from bridge.config.validators import all_of, between, each, header_name, http_path, listener, non_empty, one_of
from bridge.webhook.authentication import Authenticator
from bridge.webhook.authentication.api_key import ApiKeyAuthenticator
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential

GROUP: Final = "Webhook"

WORKER_KEYS: Final = (
    ConfigKey(
        name="webhook.listeners",
        type=Type.LIST,
        default=["http://0.0.0.0:8080"],
        importance=Importance.HIGH,
        group=GROUP,
        documentation="Where webhooks are received, as http://host:port; port 0 takes a free one.",
        validator=all_of(non_empty, each(listener)),
    ),
    ConfigKey(
        name="webhook.max.in.flight.requests",
        type=Type.INT,
        default=1_000,
        group=GROUP,
        documentation="Requests a connector works on at once; one more is answered 503 at once.",
        validator=between(1, 100_000),
    ),
)

CONNECTOR_KEYS: Final = (
    ConfigKey(
        name="webhook.path",
        type=Type.STRING,
        default="/webhooks/rma",
        importance=Importance.HIGH,
        group=GROUP,
        documentation="The path that Optoro posts to; a trailing slash makes no difference.",
        validator=http_path,
    ),
    ConfigKey(
        name="webhook.auth.methods",
        type=Type.LIST,
        importance=Importance.HIGH,
        group=GROUP,
        documentation="How the sender may authenticate; any one of them is enough.",
        validator=all_of(non_empty, each(one_of("basic", "api.key"))),
    ),
    ConfigKey(
        name="webhook.auth.basic.username",
        type=Type.STRING,
        default=None,
        group=GROUP,
        documentation="User name for HTTP Basic.",
        validator=non_empty,
    ),
    ConfigKey(
        name="webhook.auth.basic.password",
        type=Type.PASSWORD,
        default=None,
        group=GROUP,
        documentation="Password for HTTP Basic; best a reference.",
        validator=non_empty,
    ),
    ConfigKey(
        name="webhook.auth.api.key.header",
        type=Type.STRING,
        default="X-Api-Key",
        importance=Importance.LOW,
        group=GROUP,
        documentation="The header that carries the API key.",
        validator=header_name,
    ),
    ConfigKey(
        name="webhook.auth.api.key.value",
        type=Type.PASSWORD,
        default=None,
        group=GROUP,
        documentation="The API key; best a reference.",
        validator=non_empty,
    ),
)

_NEEDED: Final = {
    "basic": ("webhook.auth.basic.username", "webhook.auth.basic.password"),
    "api.key": ("webhook.auth.api.key.value",),
}


def credentials_are_set(connector: Configuration) -> Iterable[Problem]:
    """Yield a problem for each secret that a chosen method lacks."""
    for method in connector["webhook.auth.methods"]:
        for name in _NEEDED[method]:
            if connector[name] is None:
                yield Problem(name, f"required while webhook.auth.methods has {method}")


def authenticators(connector: Configuration) -> list[Authenticator]:
    """Return the connector's methods, in the configured order."""
    make = {"basic": _basic, "api.key": _api_key}
    return [make[method](connector) for method in connector["webhook.auth.methods"]]


def _basic(connector: Configuration) -> Authenticator:
    password = connector.secret("webhook.auth.basic.password") or ""
    return BasicAuthenticator([BasicCredential(connector["webhook.auth.basic.username"], password)])


def _api_key(connector: Configuration) -> Authenticator:
    key = connector.secret("webhook.auth.api.key.value") or ""
    return ApiKeyAuthenticator(connector["webhook.auth.api.key.header"], [key])
