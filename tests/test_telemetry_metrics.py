"""Each request is counted once when it comes and once as it ended."""

import pytest

from bridge.records import Outcome
from bridge.telemetry.metrics import ConnectorMetrics, Metrics

CONNECTOR = {"connector": "a"}


@pytest.mark.parametrize(
    ("outcome", "name", "labels"),
    [
        pytest.param(Outcome("accepted", "id"), "records_produced_total", {}, id="accepted"),
        pytest.param(
            Outcome("quarantined", "id", "not_json"), "dead_letters_total", {"reason": "not_json"}, id="quarantined"
        ),
        pytest.param(
            Outcome("refused", reason="credentials_refused"),
            "requests_refused_total",
            {"reason": "credentials_refused"},
            id="refused",
        ),
        pytest.param(
            Outcome("unavailable", reason="queue_full"), "requests_failed_total", {"class": "queue_full"}, id="failed"
        ),
    ],
)
def test_answered_when_the_outcome_is(outcome: Outcome, name: str, labels: dict[str, str]) -> None:
    """Exactly one of the four counters goes up by one, and the time is observed."""
    metrics = Metrics()
    ConnectorMetrics(metrics, "a").answered(outcome, 0.1)

    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    counted = {
        (sample.name, *sorted(sample.labels.items()))
        for sample in samples
        if sample.name.endswith("_total") and sample.value
    }
    assert counted == {(f"rma_bridge_{name}", *sorted((CONNECTOR | labels).items()))}
    assert metrics.registry.get_sample_value("rma_bridge_request_duration_seconds_sum", CONNECTOR) == 0.1


def test_in_flight_is_read_when_metrics_are() -> None:
    """The gauge follows the door's own count."""
    metrics = Metrics()
    waiting = [1, 2, 3]
    ConnectorMetrics(metrics, "a").watch_in_flight(lambda: len(waiting))
    assert metrics.registry.get_sample_value("rma_bridge_requests_in_flight", CONNECTOR) == 3

    waiting.clear()
    assert metrics.registry.get_sample_value("rma_bridge_requests_in_flight", CONNECTOR) == 0


def test_topics_audited_when_audited_again() -> None:
    """Only what was found last is shown, and another connector's findings stay."""
    metrics = Metrics()
    metrics.topics_audited("a", [("t", "compacted"), ("t", "topic_missing")])
    metrics.topics_audited("b", [("t", "compacted")])
    metrics.topics_audited("a", [("t", "compacted")])

    samples = [sample for family in metrics.topic_findings.collect() for sample in family.samples]
    shown = [(sample.labels["connector"], sample.labels["code"], sample.value) for sample in samples]
    assert sorted(shown) == [("a", "compacted", 1), ("b", "compacted", 1)]


def test_metrics_of_two_bridges_are_apart() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    ConnectorMetrics(one, "a").received()

    assert b"rma_bridge_requests_received_total{" not in other.exposition()


def test_names_have_the_prefix_and_a_meaning() -> None:
    """Every metric starts with rma_bridge_ and says what it counts."""
    families = list(Metrics().registry.collect())

    assert [family.name for family in families if not family.name.startswith("rma_bridge_")] == []
    assert [family.name for family in families if not family.documentation] == []
