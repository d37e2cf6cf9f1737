"""The whole configuration: every room's keys, put together into what a worker and what a connector may say."""

from typing import Final

from bridge.avro import keys as avro
from bridge.config.keys import ConfigDef, ConfigKey, Importance, Type
from bridge.config.references import KEYS as PROVIDER_KEYS
from bridge.config.validators import Validator, at_least, matches, non_empty, one_of
from bridge.connect import keys as connect
from bridge.kafka import keys as kafka
from bridge.optoro.webhooks import SOURCES
from bridge.webhook import keys as webhook

_WORKER_KEYS: Final = (
    ConfigKey(
        name="connectors.dir",
        type=Type.STRING,
        default=None,
        documentation="A folder of connector files (.json, .properties), read at start.",
        validator=non_empty,
    ),
    ConfigKey(
        name="readiness.follows.kafka",
        type=Type.BOOLEAN,
        default=False,
        importance=Importance.LOW,
        documentation="Whether the worker says not ready while nothing gets into Kafka. All replicas would do so at "
        "once, and the answer to the sender would not be ours any more.",
    ),
    ConfigKey(
        name="log.level",
        type=Type.STRING,
        default="INFO",
        importance=Importance.LOW,
        documentation="Which logs to write; DEBUG has a line for each event, still without payloads.",
        validator=one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
    ConfigKey(
        name="log.format",
        type=Type.STRING,
        default="auto",
        importance=Importance.LOW,
        documentation="json for machines, text for people; auto is text on a terminal.",
        validator=one_of("auto", "json", "text"),
    ),
)

_CONNECTOR_KEYS: Final = (
    ConfigKey(
        name="name",
        type=Type.STRING,
        importance=Importance.HIGH,
        documentation="The connector's name, in REST, metrics, logs and the Kafka client's id.",
        validator=matches(r"[A-Za-z0-9._-]{1,128}", 'up to 128 letters, digits, ".", "_" and "-"'),
    ),
    ConfigKey(
        name="connector.class",
        type=Type.CLASS,
        importance=Importance.HIGH,
        documentation="Which of Optoro's webhooks the connector receives.",
        validator=one_of(*SOURCES),
    ),
    ConfigKey(
        name="tasks.max",
        type=Type.INT,
        default=1,
        importance=Importance.LOW,
        documentation="Connect's key; a connector has one task in every worker, and scales by adding workers.",
        validator=at_least(1),
    ),
    ConfigKey(
        name="errors.tolerance",
        type=Type.STRING,
        default="all",
        group="Errors",
        documentation="all sets an unusable event aside as a dead letter. Connect's none is refused: "
        "one bad event would stop the stream for the sender's 32 hours.",
        validator=one_of("all"),
    ),
    ConfigKey(
        name="errors.log.enable",
        type=Type.BOOLEAN,
        default=False,
        group="Errors",
        documentation="Whether each dead letter is also logged: its id, its reason, never its content.",
    ),
    ConfigKey(
        name="errors.deadletterqueue.context.headers.enable",
        type=Type.BOOLEAN,
        default=True,
        importance=Importance.LOW,
        group="Errors",
        documentation="Dead letters always say why they are there.",
        validator=Validator("true", bool),
    ),
)

WORKER: Final = ConfigDef(
    keys=(
        *_WORKER_KEYS,
        *webhook.WORKER_KEYS,
        *connect.WORKER_KEYS,
        *kafka.WORKER_KEYS,
        *avro.WORKER_KEYS,
        *PROVIDER_KEYS,
    ),
    families=kafka.WORKER_FAMILIES,
    rules=(connect.access_is_decided, avro.one_credential),
)

CONNECTOR: Final = ConfigDef(
    keys=(*_CONNECTOR_KEYS, *webhook.CONNECTOR_KEYS, *kafka.CONNECTOR_KEYS, *avro.CONNECTOR_KEYS),
    families=kafka.CONNECTOR_FAMILIES,
    rules=(webhook.credentials_are_set, kafka.creation_is_whole, kafka.topics_differ),
)
