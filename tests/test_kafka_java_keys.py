"""Keys of Kafka's Java client, which the bridge's client does not have."""

import re

import pytest

from bridge.errors import ConfigurationRefused
from bridge.kafka.client_properties import JAVA_ONLY, unknown_properties
from tests.kafka_settings import connector_config, worker_config

VALUE = "not-to-be-shown"


@pytest.mark.parametrize("name", sorted(JAVA_ONLY))
def test_configuration_when_a_key_is_java_s(name: str) -> None:
    """It is refused wherever it may stand, with what to write instead and without its value."""
    in_worker = [f"producer.{name}", *([name] if name.startswith(("sasl.", "ssl.")) else [])]
    refusals = [_refusal(worker_config, key) for key in in_worker]
    refusals.append(_refusal(connector_config, f"producer.override.{name}"))

    for [problem] in refusals:
        assert f"librdkafka has {JAVA_ONLY[name]}" in problem
        assert VALUE not in problem


def _refusal(parse: object, key: str) -> tuple[str, ...]:
    assert callable(parse)
    with pytest.raises(ConfigurationRefused) as refused:
        parse(**{key: VALUE})
    [problem] = refused.value.problems
    assert problem.startswith(f"{key}: ")
    return refused.value.problems


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("sasl.jaas.config", "sasl.username and sasl.password"),
        ("ssl.truststore.location", "ssl.ca.location"),
        ("buffer.memory", "queue.buffering.max.kbytes"),
    ],
)
def test_advice_for_the_best_known(name: str, instead: str) -> None:
    """It is the key that does the same."""
    assert instead in JAVA_ONLY[name]


@pytest.mark.parametrize("advice", sorted(text for text in set(JAVA_ONLY.values()) if not text.startswith("nothing")))
def test_advice_when_followed(advice: str) -> None:
    """The client has every key that is named, whatever it says of the value."""
    named = re.findall(r"[a-z]+(?:\.[a-z]+)+", advice)
    assert named
    for name in named:
        assert not any("No such configuration property" in text for _, text in unknown_properties({name: "1"}))
