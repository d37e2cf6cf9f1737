"""Configuration in, a worker and its two ASGI applications out: the only place that wires."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from starlette.types import ASGIApp

from bridge.avro.converter import AvroConverter
from bridge.avro.keys import registry_settings
from bridge.avro.registry import RegistryClient
from bridge.avro.schemas import Schema, load_schema
from bridge.avro.subject import resolve_schema_id
from bridge.config.keys import Configuration
from bridge.connect.app import Management, management_app
from bridge.errors import ConfigurationRefused, RegistryError
from bridge.kafka.audit import Finding
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.kafka.producer import KafkaProducer
from bridge.kafka.settings import connector_topics, dead_letter_topic, producer_settings
from bridge.kafka.topics import prepare
from bridge.optoro.webhooks import SOURCES
from bridge.pipeline import Pipeline
from bridge.telemetry.metrics import ConnectorMetrics, Metrics
from bridge.webhook.acknowledgement import answers
from bridge.webhook.app import webhook_app
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential
from bridge.webhook.endpoint import Door, WebhookEndpoint
from bridge.webhook.keys import authenticators
from bridge.worker import Plan, Worker


@dataclass(frozen=True)
class App:
    """A whole bridge, not yet started: enter `worker`, and serve the two applications."""

    worker: Worker
    webhook: ASGIApp
    management: ASGIApp


@dataclass(frozen=True)
class ConnectorConfig:
    """One connector's checked configuration, and the text it was written in, for REST."""

    checked: Configuration
    written: Mapping[str, str]


def build(
    worker_config: Configuration,
    connectors: Sequence[ConnectorConfig],
    *,
    worker_id: Callable[[], str],
    randomness: Random,
    wall_clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> App:
    """Return the bridge that the configuration describes. Opens nothing."""
    metrics = Metrics()
    plans = [_plan(worker_config, connector.checked, metrics) for connector in connectors]
    worker = Worker(
        plans,
        randomness=randomness,
        on_unflushed=lambda name, count: metrics.unflushed.labels(name).inc(count),
        readiness_follows_kafka=worker_config["readiness.follows.kafka"],
    )
    endpoints = {}
    for connector in connectors:
        name = connector.checked["name"]
        methods = authenticators(connector.checked)
        door = Door(
            process=worker.tasks[name].process,
            authenticators=methods,
            answer=answers([method.challenge for method in methods], randomness),
            metrics=ConnectorMetrics(metrics, name),
            max_in_flight=worker_config["webhook.max.in.flight.requests"],
            wall_clock_ms=wall_clock_ms,
        )
        endpoints[connector.checked["webhook.path"]] = WebhookEndpoint(door)
    management = Management(
        worker=worker,
        configs={connector.checked["name"]: connector.written for connector in connectors},
        metrics=metrics,
        worker_id=worker_id,
        authenticator=_rest_authenticator(worker_config),
    )
    return App(worker, webhook_app(endpoints), management_app(management))


def topics_of(connectors: Sequence[ConnectorConfig]) -> list[str]:
    """Return every topic that the connectors write to."""
    return [topic for c in connectors for topic in (c.checked["topic"], dead_letter_topic(c.checked))]


def connector_schema(connector: Configuration) -> Schema:
    """Return the connector's schema under the subject of its topic (TopicNameStrategy)."""
    return load_schema(SOURCES[connector["connector.class"]].schema, subject=f"{connector['topic']}-value")


def _plan(worker: Configuration, connector: Configuration, metrics: Metrics) -> Plan:
    producer = KafkaProducer(producer_settings(worker, connector))
    schema = connector_schema(connector)

    def report(findings: Sequence[Finding]) -> None:
        metrics.topics_audited(connector["name"], [(found.topic, found.code) for found in findings])

    return Plan(
        connector=connector["name"],
        producer=producer,
        prepare_topics=partial(prepare, producer, connector_topics(worker, connector), report),
        resolve_schema=partial(_resolve_schema, worker, connector, schema),
        assemble=partial(_pipeline, connector, producer),
        log_dead_letters=connector["errors.log.enable"],
    )


async def _resolve_schema(worker: Configuration, connector: Configuration, schema: Schema) -> AvroConverter:
    auto_register = connector["value.converter.auto.register.schemas"]
    async with _registry_client(worker, connector) as client:
        return AvroConverter(schema, await resolve_schema_id(client, schema, auto_register=auto_register))


def _registry_client(worker: Configuration, connector: Configuration) -> RegistryClient:
    try:
        return RegistryClient(registry_settings(worker, connector))
    except ConfigurationRefused as exc:
        # It was accepted at start: a certificate or a secret is being replaced.
        raise RegistryError(str(exc), code="registry_settings_unusable") from exc


def _pipeline(connector: Configuration, producer: KafkaProducer, converter: AvroConverter) -> Pipeline:
    return Pipeline(
        topic=connector["topic"],
        contract=SOURCES[connector["connector.class"]].contract,
        converter=converter,
        producer=producer,
        dead_letters=DeadLetterQueue(dead_letter_topic(connector), connector["name"], connector["topic"]),
    )


def _rest_authenticator(worker: Configuration) -> BasicAuthenticator | None:
    if worker["rest.auth"] != "basic":
        return None
    credential = BasicCredential(worker["rest.auth.basic.username"], worker.secret("rest.auth.basic.password") or "")
    return BasicAuthenticator([credential])
