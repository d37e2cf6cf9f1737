"""Secured Kafka: each way to log in writes to a real broker, and what keeps the bridge out is said and not repeated."""

import asyncio
import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

from bridge.config.configuration import Configuration, RawValue
from bridge.config.references import resolver
from bridge.definitions import WORKER
from bridge.errors import DeliveryFailed
from bridge.kafka.producer import KafkaProducer
from bridge.kafka.settings import check_client, connector_topics, producer_settings
from bridge.kafka.topics import prepare
from bridge.records import ProducerRecord, RecordMetadata
from tests.kafka_settings import connector_config
from tests.servers.certificates import Authority, encrypted, pkcs12
from tests.servers.choice import Unavailable
from tests.servers.requirement import not_run
from tests.servers.secured import ACLS, SecuredKafka, plain_login, secured_kafka
from tests.servers.token_server import AUDIENCE, ISSUER, TokenServer, token_server

ADMIN_SECONDS = 15
SEND_SECONDS = 9
REFUSED_SECONDS = 2
SECRETS = {
    "plain": "secret-of-plain",
    "scram-256": "secret-of-scram-256",
    "scram-512": "secret-of-scram-512",
    "oauth": "secret-of-oauth",
    "key": "secret-of-the-key",
    "wrong": "secret-that-is-wrong",
}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
OAUTH = "org.apache.kafka.common.security.oauthbearer"
OAUTH_PREFIX = "listener.name.clients.oauthbearer.sasl"

ONE_NODE = {"replication_factor_low", "min_insync_replicas_low", "min_insync_replicas_high"}

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Stand:
    """A secured broker, and the folder with what clients need: certificates, and secrets as files of their own."""

    kafka: SecuredKafka
    tokens: TokenServer
    folder: Path

    def worker(self, listener: str, texts: Texts) -> Configuration:
        """The worker's configuration as its file would have it, `<folder>` and `<tokens>` being filled in."""
        address = self.kafka.others.get(listener, self.kafka.address)
        written = {
            "bootstrap.servers": address,
            "schema.registry.url": "http://127.0.0.1:1",
            "config.providers.dir.param.allowed.paths": str(self.folder),
            **texts,
        }
        filled = {
            name: text.replace("<folder>", str(self.folder)).replace("<tokens>", self.tokens.url)
            for name, text in written.items()
        }
        raw = {name: RawValue(text, "test") for name, text in filled.items()}
        return WORKER.parse(raw, resolver(raw, {}))

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.kafka.inside, "log_level": 0})

    def make_topic(self, principal: str) -> str:
        """A topic that `principal` may write to, and nobody else who logs in."""
        name = f"test.{uuid.uuid4().hex}"
        admin = self.admin()
        topic = NewTopic(name, num_partitions=1, replication_factor=1, config={"retention.ms": "2592000000"})
        admin.create_topics([topic])[name].result(ADMIN_SECONDS)
        operations = (AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS)
        for created in admin.create_acls([_binding(name, principal, each) for each in operations]).values():
            created.result(ADMIN_SECONDS)
        return name

    def only_value(self, topic: str) -> bytes | None:
        consumer = Consumer({"bootstrap.servers": self.kafka.inside, "group.id": topic, "log_level": 0})
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            message = consumer.poll(ADMIN_SECONDS)
            assert message is not None
            assert consumer.get_watermark_offsets(TopicPartition(topic, 0)) == (0, 1)
            return message.value()
        finally:
            consumer.close()


def _binding(topic: str, principal: str, operation: AclOperation) -> AclBinding:
    allow = AclPermissionType.ALLOW
    return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, "*", operation, allow)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One broker with TLS, mutual TLS, and every SASL mechanism the client has, behind ACLs."""
    folder = tmp_path_factory.mktemp("security")
    for name, secret in SECRETS.items():
        (folder / name).write_text(f"{secret}\n")
    try:
        authority = Authority(folder, "ca")
        Authority(folder, "stranger").issue("strange")
        client = authority.issue("client")
        encrypted(client.key, SECRETS["key"])
        pkcs12(client, SECRETS["key"])
        server = authority.issue("server")
        with token_server(folder, server, client_id="oauth", client_secret=SECRETS["oauth"]) as tokens:
            keys = tokens.key_set.as_uri()
            stores = {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(server.store),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(authority.certificate),
            }
            with secured_kafka(
                protocol="SASL_SSL",
                jaas=plain_login({"plain": SECRETS["plain"]})
                | {"SCRAM-SHA-256": SCRAM, "SCRAM-SHA-512": SCRAM}
                | {"OAUTHBEARER": f"{OAUTH}.OAuthBearerLoginModule required;"},
                properties=ACLS | stores | _oauth(keys) | {"listener.name.mtls.ssl.client.auth": "required"},
                format_arguments=[*_scram_user("256"), *_scram_user("512")],
                java_options=[f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}"],
                others={"TLS": "SSL", "MTLS": "SSL"},
            ) as kafka:
                yield Stand(kafka, tokens, folder)
    except Unavailable as exc:
        not_run(f"secured Kafka: {exc}")


def _oauth(keys: str) -> dict[str, str]:
    return {
        f"{OAUTH_PREFIX}.server.callback.handler.class": f"{OAUTH}.OAuthBearerValidatorCallbackHandler",
        f"{OAUTH_PREFIX}.oauthbearer.jwks.endpoint.url": keys,
        f"{OAUTH_PREFIX}.oauthbearer.expected.audience": AUDIENCE,
        f"{OAUTH_PREFIX}.oauthbearer.expected.issuer": ISSUER,
    }


def _scram_user(digest: str) -> list[str]:
    name = f"scram-{digest}"
    return ["--add-scram", f"SCRAM-SHA-{digest}=[name={name},password={SECRETS[name]}]"]


def _login(mechanism: str, name: str, password: str = "") -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "<folder>/ca.crt",
        "sasl.mechanism": mechanism,
        "sasl.username": name,
        "sasl.password": f"${{dir:<folder>:{password or name}}}",
    }


def _tokens(secret: str = "oauth") -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "<folder>/ca.crt",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "oauth",
        "sasl.oauthbearer.client.secret": f"${{dir:<folder>:{secret}}}",
        "sasl.oauthbearer.token.endpoint.url": "<tokens>",
        "producer.https.ca.location": "<folder>/ca.crt",
    }


TLS = {"security.protocol": "SSL", "ssl.ca.location": "<folder>/ca.crt"}
CLIENT_CERTIFICATE = {
    "ssl.certificate.location": "<folder>/client.crt",
    "ssl.key.location": "<folder>/client.encrypted.key",
    "ssl.key.password": "${dir:<folder>:key}",
}
KEY_STORE = {
    "ssl.keystore.location": "<folder>/client.p12",
    "ssl.keystore.password": "${dir:<folder>:key}",
}
STRANGE_CERTIFICATE = {
    "ssl.certificate.location": "<folder>/strange.crt",
    "ssl.key.location": "<folder>/strange.key",
}


@pytest.mark.parametrize(
    ("listener", "principal", "texts"),
    [
        pytest.param("TLS", "User:ANONYMOUS", TLS, id="TLS"),
        pytest.param("MTLS", "User:CN=client", TLS | CLIENT_CERTIFICATE, id="mutual TLS"),
        pytest.param("MTLS", "User:CN=client", TLS | KEY_STORE, id="mutual TLS, PKCS#12"),
        pytest.param("CLIENTS", "User:plain", _login("PLAIN", "plain"), id="PLAIN"),
        pytest.param("CLIENTS", "User:scram-256", _login("SCRAM-SHA-256", "scram-256"), id="SCRAM-SHA-256"),
        pytest.param("CLIENTS", "User:scram-512", _login("SCRAM-SHA-512", "scram-512"), id="SCRAM-SHA-512"),
        pytest.param("CLIENTS", "User:oauth", _tokens(), id="OAUTHBEARER"),
    ],
)
def test_record_when_logged_in(stand: Stand, listener: str, principal: str, texts: Texts) -> None:
    """The topic is audited and the record stored with the permissions WRITE and DESCRIBE_CONFIGS, and no others."""
    topic, dead_letters = stand.make_topic(principal), stand.make_topic(principal)
    worker = stand.worker(listener, texts)
    names = {"topic": topic, "errors_deadletterqueue_topic_name": dead_letters}
    connector = connector_config(topic_audit="lenient", **names)
    check_client(worker, connector)

    async def main() -> None:
        async with KafkaProducer(producer_settings(worker, connector)) as producer:
            findings: list[Any] = []
            await prepare(producer, connector_topics(worker, connector), findings.extend)
            assert {each.code for each in findings} == ONE_NODE
            await _send(producer, topic, SEND_SECONDS)

    asyncio.run(main())
    assert stand.only_value(topic) == b"value"


SCRAM_REFUSES = "Authentication failed during authentication due to invalid credentials"
UNVERIFIED = "broker certificate could not be verified, verify that ssl.ca.location is correctly configured"
BAD_CERTIFICATE = "alert bad certificate"


@pytest.mark.parametrize(
    ("listener", "texts", "reason"),
    [
        pytest.param("CLIENTS", _login("PLAIN", "plain", "wrong"), "Invalid username or password", id="PLAIN password"),
        pytest.param("CLIENTS", _login("SCRAM-SHA-512", "scram-512", "wrong"), SCRAM_REFUSES, id="SCRAM password"),
        pytest.param("CLIENTS", _login("SCRAM-SHA-512", "nobody", "wrong"), SCRAM_REFUSES, id="SCRAM user"),
        pytest.param("CLIENTS", _tokens("wrong"), "Failed to acquire SASL OAUTHBEARER token", id="OAUTHBEARER secret"),
        pytest.param("TLS", TLS | {"ssl.ca.location": "<folder>/stranger.crt"}, UNVERIFIED, id="other CA"),
        pytest.param("TLS", {"security.protocol": "SSL"}, UNVERIFIED, id="no CA"),
        pytest.param("TLS", {"security.protocol": "PLAINTEXT"}, "connection closed by peer", id="no TLS"),
        pytest.param("MTLS", TLS, BAD_CERTIFICATE, id="no client certificate"),
        pytest.param("MTLS", TLS | STRANGE_CERTIFICATE, BAD_CERTIFICATE, id="strange client certificate"),
    ],
)
def test_record_when_kept_out(
    stand: Stand, listener: str, texts: Texts, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not delivered; the log has the reason once, however often the client tries, and no secret."""
    worker = stand.worker(listener, texts)
    check_client(worker, connector_config())
    topic = stand.make_topic("User:nobody")
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async with KafkaProducer(producer_settings(worker, connector_config())) as producer:
            with pytest.raises(DeliveryFailed):
                await _send(producer, topic, REFUSED_SECONDS)

    asyncio.run(main())
    said = [entry.getMessage() for entry in caplog.records if entry.name.startswith(("bridge.", "librdkafka"))]
    assert [reason in text for text in said].count(True) == 1, said
    assert [secret for secret in SECRETS.values() if secret in caplog.text] == []


def test_producer_when_new_credentials_are_wrong(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """They are tried first: the former ones stay in force, the log has the reason, and the next good ones are taken."""
    former, wrong = _login("PLAIN", "plain"), _login("SCRAM-SHA-512", "scram-512", "wrong")
    later = _login("SCRAM-SHA-512", "scram-512")
    topic = stand.make_topic("User:*")
    settings = [
        producer_settings(stand.worker("CLIENTS", texts), connector_config()) for texts in (former, wrong, later)
    ]

    async def main() -> None:
        async with KafkaProducer(settings[0]) as producer:
            await _send(producer, topic, SEND_SECONDS)
            with pytest.raises(DeliveryFailed):
                await producer.replace(settings[1])
            assert (await _send(producer, topic, SEND_SECONDS)).offset == 1
            assert producer.open_circuits == []
            await producer.replace(settings[2])
            assert (await _send(producer, topic, SEND_SECONDS)).offset == 2

    asyncio.run(main())
    assert SCRAM_REFUSES in caplog.text


async def _send(producer: KafkaProducer, topic: str, seconds: float) -> RecordMetadata:
    deadline = asyncio.get_running_loop().time() + seconds
    return await producer.send(ProducerRecord(topic, b"key", b"value", []), deadline)
