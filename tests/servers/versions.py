"""The servers that the tests run against, the same in every form; docker-compose.yml names the same images."""

KAFKA_VERSION = "4.1.1"
REGISTRY_VERSION = "2.6.13.Final"
KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
REGISTRY_IMAGE = f"quay.io/apicurio/apicurio-registry-mem:{REGISTRY_VERSION}"
REGISTRY_PATH = "/apis/ccompat/v7"

# One node: nothing can be replicated, a group need not wait for more members, and a misspelt topic must not appear.
SINGLE_NODE_PROPERTIES = {
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.replication.factor": "1",
}
