"""The configuration keys of the converter and its Schema Registry, with Connect's names."""

from collections.abc import Iterable
from typing import Final

from bridge.avro.registry_settings import RegistrySettings
from bridge.config.keys import ConfigKey, Configuration, Importance, Problem, Type
from bridge.config.validators import between, each, non_empty, one_of, url

GROUP: Final = "Schema Registry"
_URLS: Final = each(url("http", "https"))

WORKER_KEYS: Final = (
    ConfigKey(
        name="schema.registry.url",
        type=Type.LIST,
        importance=Importance.HIGH,
        group=GROUP,
        documentation="Addresses of the Schema Registry, tried in turn. A connector may have its own.",
        validator=_URLS,
    ),
    ConfigKey(
        name="schema.registry.basic.auth.user.info",
        type=Type.PASSWORD,
        default=None,
        group=GROUP,
        documentation="user:password for the registry.",
    ),
    ConfigKey(
        name="schema.registry.bearer.auth.token",
        type=Type.PASSWORD,
        default=None,
        group=GROUP,
        documentation="Bearer token for the registry.",
    ),
    ConfigKey(
        name="schema.registry.ssl.ca.location",
        type=Type.STRING,
        default=None,
        group=GROUP,
        documentation="PEM file of the authorities that sign the registry's certificate; the system's by default.",
        validator=non_empty,
    ),
    ConfigKey(
        name="schema.registry.ssl.certificate.location",
        type=Type.STRING,
        default=None,
        importance=Importance.LOW,
        group=GROUP,
        documentation="PEM file of our certificate, where the registry asks for one.",
        validator=non_empty,
    ),
    ConfigKey(
        name="schema.registry.ssl.key.location",
        type=Type.STRING,
        default=None,
        importance=Importance.LOW,
        group=GROUP,
        documentation="PEM file of that certificate's key.",
        validator=non_empty,
    ),
    ConfigKey(
        name="schema.registry.request.timeout.ms",
        type=Type.INT,
        default=4_000,
        importance=Importance.LOW,
        group=GROUP,
        documentation="How long one request to the registry may take, in milliseconds.",
        validator=between(100, 60_000),
    ),
)

CONNECTOR_KEYS: Final = (
    ConfigKey(
        name="key.converter",
        type=Type.CLASS,
        default="org.apache.kafka.connect.storage.StringConverter",
        importance=Importance.LOW,
        group="Converters",
        documentation="Keys are plain UTF-8 text, so that they keep their partition whatever happens to schema ids.",
        validator=one_of("org.apache.kafka.connect.storage.StringConverter"),
    ),
    ConfigKey(
        name="value.converter",
        type=Type.CLASS,
        default="io.confluent.connect.avro.AvroConverter",
        importance=Importance.LOW,
        group="Converters",
        documentation="Values are Avro in Confluent's framing; the name is Connect's, the code is ours.",
        validator=one_of("io.confluent.connect.avro.AvroConverter"),
    ),
    ConfigKey(
        name="value.converter.schema.registry.url",
        type=Type.LIST,
        default=None,
        group="Converters",
        documentation="This connector's registry, where it is not the worker's.",
        validator=_URLS,
    ),
    ConfigKey(
        name="value.converter.basic.auth.credentials.source",
        type=Type.STRING,
        default="USER_INFO",
        importance=Importance.LOW,
        group="Converters",
        documentation="Where the registry's credentials stand; only USER_INFO is supported.",
        validator=one_of("USER_INFO"),
    ),
    ConfigKey(
        name="value.converter.basic.auth.user.info",
        type=Type.PASSWORD,
        default=None,
        group="Converters",
        documentation="user:password for this connector's registry.",
    ),
    ConfigKey(
        name="value.converter.bearer.auth.token",
        type=Type.PASSWORD,
        default=None,
        group="Converters",
        documentation="Bearer token for this connector's registry.",
    ),
    ConfigKey(
        name="value.converter.auto.register.schemas",
        type=Type.BOOLEAN,
        default=False,
        group="Converters",
        documentation="Whether the bridge may register its schema itself. In production let your pipeline do it: "
        "rma-bridge schema register.",
    ),
)


def one_credential(worker: Configuration) -> Iterable[Problem]:
    """Yield a problem where both kinds of credentials are set, or half a client certificate."""
    if worker["schema.registry.basic.auth.user.info"] and worker["schema.registry.bearer.auth.token"]:
        yield Problem("schema.registry.bearer.auth.token", "set either this or schema.registry.basic.auth.user.info")
    if (worker["schema.registry.ssl.certificate.location"] is None) != (
        worker["schema.registry.ssl.key.location"] is None
    ):
        yield Problem("schema.registry.ssl.key.location", "needs schema.registry.ssl.certificate.location, and that it")


def registry_settings(worker: Configuration, connector: Configuration) -> RegistrySettings:
    """Return how to reach the registry that serves the connector; one with an address of its own has its own login."""
    own = connector["value.converter.schema.registry.url"] is not None
    login, scope = (connector, "value.converter") if own else (worker, "schema.registry")
    return RegistrySettings(
        urls=tuple(login["value.converter.schema.registry.url" if own else "schema.registry.url"]),
        user_info=login.secret(f"{scope}.basic.auth.user.info"),
        token=login.secret(f"{scope}.bearer.auth.token"),
        ca_location=worker["schema.registry.ssl.ca.location"],
        certificate_location=worker["schema.registry.ssl.certificate.location"],
        key_location=worker["schema.registry.ssl.key.location"],
        timeout_seconds=worker["schema.registry.request.timeout.ms"] / 1000,
    )
