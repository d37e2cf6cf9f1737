"""The benchmark: the bridge beside what a team would write in an afternoon, on a real Kafka and a real registry."""
