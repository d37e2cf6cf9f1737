"""rma-bridge: Optoro's returns webhooks as Avro records on Kafka."""

__version__ = "0.1.0"
