"""Every metric, defined once with its meaning. Labels come from closed sets.

For each connector, once nothing is in flight:
received = produced + dead letters + refused + failed.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bridge import __version__
from bridge.records import Outcome

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 10, 15)
_CONNECTOR: Final = ("connector",)


class Metrics:
    """One process's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        self.received = counter("rma_bridge_requests_received_total", "Requests to a webhook's path.", _CONNECTOR)
        self.produced = counter(
            "rma_bridge_records_produced_total", "Events confirmed in the main topic and answered 200.", _CONNECTOR
        )
        self.dead_letters = counter(
            "rma_bridge_dead_letters_total",
            "Events confirmed in the dead letter topic and answered 200, by reason code.",
            (*_CONNECTOR, "reason"),
        )
        self.refused = counter(
            "rma_bridge_requests_refused_total",
            "Requests that were no acceptable event: 401, 405, 413, by reason code.",
            (*_CONNECTOR, "reason"),
        )
        self.failed = counter(
            "rma_bridge_requests_failed_total",
            "Events not known to be stored: answered 503, or the sender went away; by class.",
            (*_CONNECTOR, "class"),
        )
        self.unflushed = counter(
            "rma_bridge_records_unflushed_total",
            "Records given up at shutdown; their senders were answered 503.",
            _CONNECTOR,
        )
        self.seconds = Histogram(
            "rma_bridge_request_duration_seconds",
            "From the request's headers to the end of the answer.",
            _CONNECTOR,
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = gauge("rma_bridge_requests_in_flight", "Requests received and not yet answered.", _CONNECTOR)
        self.task_running = gauge(
            "rma_bridge_task_running", "1 while the connector's task can produce, 0 otherwise.", _CONNECTOR
        )
        self.circuits_open = gauge(
            "rma_bridge_circuits_open",
            "Topics that nothing gets into at the moment; requests for them are answered 503 at once.",
            _CONNECTOR,
        )
        self.topic_findings = gauge(
            "rma_bridge_topic_findings",
            "1 for each thing that the audit found wrong with a topic when it last looked.",
            (*_CONNECTOR, "topic", "code"),
        )
        gauge("rma_bridge_info", "The version that runs.", ("version",)).labels(__version__).set(1)

    def topics_audited(self, connector: str, findings: Iterable[tuple[str, str]]) -> None:
        """Show these findings, as topic and code, for the connector, and no earlier ones."""
        self.topic_findings.remove_by_labels({"connector": connector})
        for topic, code in findings:
            self.topic_findings.labels(connector, topic, code).set(1)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class ConnectorMetrics:
    """One connector's requests: each is received once and ends in exactly one of the other four ways."""

    def __init__(self, metrics: Metrics, connector: str) -> None:
        self._connector = connector
        self._metrics = metrics
        self._received = metrics.received.labels(connector).inc
        self._produced = metrics.produced.labels(connector).inc
        self._observe = metrics.seconds.labels(connector).observe

    def watch_in_flight(self, count: Callable[[], float]) -> None:
        """Read the number of requests in flight from `count` whenever the metrics are read."""
        self._metrics.in_flight.labels(self._connector).set_function(count)

    def received(self) -> None:
        """Count a request."""
        self._received()

    def answered(self, outcome: Outcome, seconds: float) -> None:
        """Count how a request ended, and how long it took."""
        self._observe(seconds)
        reason = outcome.reason or ""
        match outcome.status:
            case "accepted":
                self._produced()
            case "quarantined":
                self._metrics.dead_letters.labels(self._connector, reason).inc()
            case "refused":
                self._metrics.refused.labels(self._connector, reason).inc()
            case "unavailable":
                self._metrics.failed.labels(self._connector, reason).inc()
