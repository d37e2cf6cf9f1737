"""Avro and the Schema Registry: schemas, the converter, the registry client. No HTTP servers, no Kafka."""
