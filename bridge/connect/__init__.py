"""The management door, in Kafka Connect's words: REST, health and metrics."""
