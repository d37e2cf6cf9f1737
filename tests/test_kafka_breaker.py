"""The circuit breaker against a model of what it promises."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.kafka.breaker import FAILURES_TO_OPEN, PROBE_SECONDS, SECONDS_AWAY_TO_OPEN, CircuitBreaker


def test_admits_when_nothing_failed() -> None:
    """A new breaker lets everything through."""
    breaker = CircuitBreaker()
    assert all(breaker.admits(0.0) for _ in range(100))
    assert not breaker.is_open


def test_opens_when_three_fail_in_a_row() -> None:
    """The third failure opens it; a success in between starts the count anew."""
    breaker = CircuitBreaker()
    for outcome in (breaker.failed, breaker.failed):
        outcome(0.0)
    breaker.succeeded()
    for expected in (False, False, True):
        breaker.failed(1.0)
        assert breaker.is_open is expected
    assert not breaker.admits(1.0)


def test_opens_when_all_brokers_are_away_for_two_seconds() -> None:
    """The client's word that all brokers are down is enough after two seconds, without any failure."""
    breaker = CircuitBreaker()
    breaker.brokers_away(10.0)
    assert breaker.admits(10.0 + SECONDS_AWAY_TO_OPEN - 0.1)
    assert breaker.admits(10.0 + SECONDS_AWAY_TO_OPEN)  # the first probe
    assert not breaker.admits(10.0 + SECONDS_AWAY_TO_OPEN + 0.1)


@pytest.mark.parametrize("requests", [1, 50], ids=["one waiting", "many waiting"])
def test_probes_when_open(requests: int) -> None:
    """Whatever the load, one request every five seconds is let through."""
    breaker = CircuitBreaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(0.0)
    admitted = [now for step in range(1, 201) for _ in range(requests) if breaker.admits(now := step * 0.1)]
    assert admitted == pytest.approx([5.0, 10.0, 15.0, 20.0])


def test_closes_when_a_probe_is_delivered() -> None:
    """One delivery is enough: from then on everything is let through again."""
    breaker = CircuitBreaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(0.0)
    assert breaker.admits(PROBE_SECONDS)
    breaker.succeeded()
    assert all(breaker.admits(PROBE_SECONDS) for _ in range(10))


class BreakerMachine(RuleBasedStateMachine):
    """Requests, outcomes and time in any order; the model only counts."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = CircuitBreaker()
        self.now = 0.0
        self.in_flight = 0
        self.failures = 0
        self.last_admitted_while_open: float | None = None

    @rule(seconds=st.floats(0.01, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def request(self) -> None:
        was_open = self.breaker.is_open
        if not self.breaker.admits(self.now):
            assert self.breaker.is_open
            return
        self.in_flight += 1
        if was_open and self.last_admitted_while_open is not None:
            assert self.now - self.last_admitted_while_open >= PROBE_SECONDS
        if was_open:
            self.last_admitted_while_open = self.now

    @precondition(lambda self: self.in_flight)
    @rule()
    def deliver(self) -> None:
        self.in_flight -= 1
        self.failures = 0
        self.last_admitted_while_open = None
        self.breaker.succeeded()
        assert not self.breaker.is_open

    @precondition(lambda self: self.in_flight)
    @rule()
    def fail(self) -> None:
        self.in_flight -= 1
        self.failures += 1
        self.breaker.failed(self.now)

    @rule()
    def lose_all_brokers(self) -> None:
        self.breaker.brokers_away(self.now)

    @invariant()
    def never_closed_while_failing(self) -> None:
        """After three failures without a delivery it is open."""
        assert self.breaker.is_open or self.failures < FAILURES_TO_OPEN

    def teardown(self) -> None:
        """Never stuck open: however it got here, a request is let through within the probe interval, and closes it."""
        assert self.breaker.admits(self.now + PROBE_SECONDS)
        self.breaker.succeeded()
        assert self.breaker.admits(self.now + PROBE_SECONDS)
        assert not self.breaker.is_open


BreakerMachine.TestCase.settings = settings(max_examples=1_000, stateful_step_count=30, deadline=None)
TestBreakerMachine = BreakerMachine.TestCase
