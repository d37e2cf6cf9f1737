"""The way into Kafka: producing, dead letters, topics. The Kafka client is known here and in embedded/ alone."""
