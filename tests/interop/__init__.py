"""Java's word: what Kafka's partitioner, an Avro reader, a Connect sink and Flink make of the bridge's records."""
