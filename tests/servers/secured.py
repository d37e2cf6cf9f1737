"""Local Kafka brokers that ask who is there and what they may do: listeners, logins and ACLs as a test wants them."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.servers.choice import Server, Unavailable
from tests.servers.local import serve
from tests.servers.maven import java, kafka_jars
from tests.servers.readiness import free_port, kafka_answers
from tests.servers.versions import KAFKA_VERSION, SINGLE_NODE_PROPERTIES

CLUSTER_ID: Final = "rma-bridge-secured-AAA"
# Whoever comes by the inside listener (the broker, the controller, the tests) is ANONYMOUS and may do everything.
ACLS: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
}


@dataclass(frozen=True)
class SecuredKafka:
    """Running brokers: `address` is for clients that must log in, `inside` for the tests' own, who need not.

    `others` has the addresses of further listeners by their names.
    """

    address: str
    inside: str
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Node:
    number: int
    address: str
    inside: str
    others: Mapping[str, str]


def plain_login(users: Mapping[str, str]) -> dict[str, str]:
    """JAAS for SASL/PLAIN, with these passwords by user."""
    logins = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    return {"PLAIN": f"org.apache.kafka.common.security.plain.PlainLoginModule required {logins};"}


@contextmanager
def secured_kafka(
    *,
    brokers: int = 1,
    protocol: str = "SASL_PLAINTEXT",
    jaas: Mapping[str, str] = {},
    properties: Mapping[str, str] = {},
    format_arguments: Sequence[str] = (),
    java_options: Sequence[str] = (),
    others: Mapping[str, str] = {},
) -> Iterator[SecuredKafka]:
    """Brokers whose listener for clients, CLIENTS, speaks `protocol`; the first one is the controller too.

    `jaas` has a login module's line by SASL mechanism, `properties` go over all others of server.properties,
    `format_arguments` to Kafka's storage tool (SCRAM users are made there), `java_options` to the broker's Java, and
    `others` are further listeners with their protocols. Raises Unavailable.
    """
    nodes = [
        _Node(number, _free_address(), _free_address(), {name: _free_address() for name in others})
        for number in range(1, brokers + 1)
    ]
    controller = _free_address()
    names = {"CLIENTS": protocol, "INSIDE": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **others}
    protocols = ",".join(f"{name}:{spoken}" for name, spoken in names.items())
    settings = {"listener.security.protocol.map": protocols} | _sasl(jaas) | dict(properties)
    with ExitStack() as stack:
        for node in nodes:
            server = _start(node, controller, settings, format_arguments, java_options)
            stack.callback(server.close)
        addresses = {name: ",".join(n.others[name] for n in nodes) for name in others}
        yield SecuredKafka(",".join(n.address for n in nodes), ",".join(n.inside for n in nodes), addresses)


def _start(
    node: _Node,
    controller: str,
    settings: dict[str, str],
    format_arguments: Sequence[str],
    java_options: Sequence[str],
) -> Server:
    command = [java(), "-Xmx512m", *java_options, "-cp", f"{kafka_jars()}/*"]
    folder = Path(tempfile.mkdtemp(prefix="rma-bridge-secured-"))
    path = folder / "server.properties"
    properties = _properties(node, controller, folder) | settings
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    _format(command, path, format_arguments)
    how = f"secured Kafka {KAFKA_VERSION}"
    return serve([*command, "kafka.Kafka", str(path)], folder, node.address, how, partial(kafka_answers, node.inside))


def _properties(node: _Node, controller: str, folder: Path) -> dict[str, str]:
    addresses = {"CLIENTS": node.address, "INSIDE": node.inside, **node.others}
    clients = ",".join(f"{name}://{address}" for name, address in addresses.items())
    leads = node.number == 1
    return SINGLE_NODE_PROPERTIES | {
        "node.id": str(node.number),
        "process.roles": "broker,controller" if leads else "broker",
        "listeners": f"{clients},CONTROLLER://{controller}" if leads else clients,
        "advertised.listeners": clients,
        "inter.broker.listener.name": "INSIDE",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(folder / "log"),
    }


def _free_address() -> str:
    return f"127.0.0.1:{free_port()}"


def _sasl(jaas: Mapping[str, str]) -> dict[str, str]:
    if not jaas:
        return {}
    lines = {f"listener.name.clients.{mechanism.lower()}.sasl.jaas.config": line for mechanism, line in jaas.items()}
    return {"listener.name.clients.sasl.enabled.mechanisms": ",".join(jaas), **lines}


def _format(command: Sequence[str], properties: Path, arguments: Sequence[str]) -> None:
    storage = [*command, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), *arguments]
    formatted = subprocess.run(storage, capture_output=True, text=True, check=False)
    if formatted.returncode != 0:
        shutil.rmtree(properties.parent)
        raise Unavailable(f"Kafka's storage cannot be formatted: {formatted.stderr.strip()[-300:]}")
