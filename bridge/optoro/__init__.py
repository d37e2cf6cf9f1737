"""The sender's contract: what Optoro's bytes and headers mean. It knows nothing of HTTP servers, Avro or Kafka."""
