"""What the fixtures promise to the tests that use the real servers."""

from collections.abc import Callable

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.servers.readiness import registry_answers


def test_topic_has_its_partitions_and_settings_when_made(
    make_topic: Callable[..., str], kafka_admin: AdminClient
) -> None:
    """A test states its topic and gets exactly that on the real broker."""
    name = make_topic(partitions=3, max_message_bytes="2000")
    resource = ConfigResource(ResourceType.TOPIC, name)
    config = kafka_admin.describe_configs([resource])[resource].result(10)
    assert len(kafka_admin.list_topics(name, timeout=10).topics[name].partitions) == 3
    assert config["max.message.bytes"].value == "2000"


def test_registry_answers_when_asked_for(real_registry_url: str) -> None:
    """The address is the Confluent API's base."""
    assert registry_answers(real_registry_url)
