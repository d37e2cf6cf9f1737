"""A real Kafka and a real Schema Registry for the tests, from whatever this machine has.

An address in the environment comes first, then a container, then a local process made from Maven's artifacts.
"""
