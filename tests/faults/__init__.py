"""The whole bridge while Kafka misbehaves; a ledger of what was sent judges what is in the topics afterwards."""
