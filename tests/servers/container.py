"""The servers as containers, by testcontainers, where Docker answers and the image is here or arrives in seconds."""

import os
import time
from collections.abc import Callable

# We end our containers ourselves, and the reaper's image cannot be pulled everywhere; read once, at import.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
# Published ports are on this host's loopback, even where the host is a container itself.
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")

import docker  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer

from tests.servers.choice import Server, Unavailable
from tests.servers.readiness import free_port, kafka_answers, registry_answers, wait_until
from tests.servers.versions import KAFKA_IMAGE, REGISTRY_IMAGE, REGISTRY_PATH, SINGLE_NODE_PROPERTIES

PULL_SECONDS = 30
START_SECONDS = 60
LOG_LINES = 5


def kafka() -> Server:
    require_image(KAFKA_IMAGE)
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    address = f"{container.get_docker_client().host()}:{port}"
    container.with_envs(**_kafka_environment(address))
    _start(container)
    return _ready(container, address, lambda: kafka_answers(address))


def registry() -> Server:
    require_image(REGISTRY_IMAGE)
    container = DockerContainer(REGISTRY_IMAGE).with_exposed_ports(8080)
    _start(container)
    url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8080)}{REGISTRY_PATH}"
    return _ready(container, url, lambda: registry_answers(url))


def require_image(image: str) -> None:
    """Returns when `image` can be run at once; Unavailable otherwise."""
    try:
        client = docker.from_env(timeout=PULL_SECONDS)
    except docker.errors.DockerException as exc:
        raise Unavailable("Docker does not answer") from exc
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        _pull(client, image)
    except (docker.errors.DockerException, OSError) as exc:
        raise Unavailable("Docker does not answer") from exc
    finally:
        client.close()


def _pull(client: docker.DockerClient, image: str) -> None:
    deadline = time.monotonic() + PULL_SECONDS
    advice = f"try `docker pull {image}`"
    try:
        for progress in client.api.pull(image, stream=True, decode=True):
            if "error" in progress:
                raise Unavailable(f"{image} cannot be pulled; {advice}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{image} is not here within {PULL_SECONDS} s; {advice}")
    except (docker.errors.DockerException, OSError) as exc:
        raise Unavailable(f"{image} cannot be pulled; {advice}") from exc


def _kafka_environment(address: str) -> dict[str, str]:
    """Kafka's image takes none of its own defaults once one key is given, so all are."""
    properties = SINGLE_NODE_PROPERTIES | {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{address}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@localhost:9093",
    }
    return {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in properties.items()}


def _start(container: DockerContainer) -> None:
    try:
        container.start()
    except (docker.errors.APIError, OSError) as exc:
        raise Unavailable(f"{container.image} does not start: {exc}") from exc


def _ready(container: DockerContainer, address: str, answers: Callable[[], bool]) -> Server:
    try:
        wait_until(answers, seconds=START_SECONDS, ended=lambda: _end_reason(container))
    except BaseException:
        container.stop()
        raise
    return Server(address, f"container {container.image}", container.stop)


def _end_reason(container: DockerContainer) -> str | None:
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    if wrapped.status != "exited":
        return None
    last = wrapped.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
    return f"the container ended: {' | '.join(last)}"
