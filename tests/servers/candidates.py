"""The ways to each server in the order of preference; importing it imports the Docker client."""

from collections.abc import Callable, Mapping, Sequence

from tests.servers import container, local
from tests.servers.choice import Candidate, Server, choose
from tests.servers.readiness import kafka_answers, registry_answers, wait_until
from tests.servers.real import Name

ADDRESS_VARIABLES: Mapping[Name, str] = {
    "Kafka": "TEST_KAFKA_BOOTSTRAP_SERVERS",
    "registry": "TEST_SCHEMA_REGISTRY_URL",
}
ANSWERS: Mapping[Name, Callable[[str], bool]] = {"Kafka": kafka_answers, "registry": registry_answers}
CANDIDATES: Mapping[Name, Sequence[Candidate]] = {
    "Kafka": [Candidate("container", container.kafka), Candidate("local", local.kafka)],
    "registry": [Candidate("container", container.registry), Candidate("local", local.registry)],
}
GIVEN_SECONDS = 10


def open_server(name: Name, environment: Mapping[str, str]) -> Server:
    variable = ADDRESS_VARIABLES[name]
    address = environment.get(variable, "").rstrip("/")
    given = Candidate(variable, lambda: _given(name, address)) if address else None
    return choose(given, CANDIDATES[name])


def _given(name: Name, address: str) -> Server:
    wait_until(lambda: ANSWERS[name](address), seconds=GIVEN_SECONDS)
    return Server(address, f"{address}, from {ADDRESS_VARIABLES[name]}", lambda: None)
