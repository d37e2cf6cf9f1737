"""librdkafka's mock cluster with faults, driven through the C library that the installed client brings along.

The functions are exported by PyPI's wheels; a client built from source may lack them, and then nothing here runs.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.servers.requirement import not_run

PRODUCE: Final = 0  # the protocol's API keys
INIT_PRODUCER_ID: Final = 22

_PRODUCER: Final = 0
_POINTER: Final = ctypes.c_void_p


class MockCluster:
    """A cluster of brokers in this process; `bootstrap_servers` is for ordinary clients on this machine."""

    def __init__(self, library: ctypes.CDLL, cluster: int) -> None:
        self._library = library
        self._cluster = cluster
        self.bootstrap_servers = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        assert self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1) == 0

    def fail_next(self, errors: Sequence[int], *, api_key: int = PRODUCE) -> None:
        """The next requests of that kind are answered with these errors, one each."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, api_key, len(errors), array)

    def recover(self, *, api_key: int = PRODUCE) -> None:
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, api_key)

    def set_leader(self, topic: str, partition: int, broker: int) -> None:
        assert self._library.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, broker) == 0

    def fail_topic(self, topic: str, error: int) -> None:
        """Whoever asks for the topic hears this error, 0 for none any more."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def set_down(self, broker: int = 1) -> None:
        assert self._library.rd_kafka_mock_broker_set_down(self._cluster, broker) == 0

    def set_up(self, broker: int = 1) -> None:
        assert self._library.rd_kafka_mock_broker_set_up(self._cluster, broker) == 0

    def set_round_trip_ms(self, milliseconds: int, broker: int = 1) -> None:
        assert self._library.rd_kafka_mock_broker_set_rtt(self._cluster, broker, milliseconds) == 0


@contextmanager
def mock_cluster(*topics: str, partitions: int = 1, brokers: int = 1) -> Iterator[MockCluster]:
    """A cluster of brokers, numbered from 1, with these topics.

    The test does not run where the library lacks the functions.
    """
    library = _library()
    conf = library.rd_kafka_conf_new()
    error = ctypes.create_string_buffer(256)
    library.rd_kafka_conf_set(conf, b"log_level", b"3", error, len(error))
    handle = library.rd_kafka_new(_PRODUCER, conf, error, len(error))
    assert handle, error.value
    cluster = library.rd_kafka_mock_cluster_new(handle, brokers)
    try:
        mock = MockCluster(library, cluster)
        for topic in topics:
            mock.create_topic(topic, partitions)
        yield mock
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(handle)


@cache
def _library() -> ctypes.CDLL:
    path = _path()
    if path is None:
        not_run("the Kafka client brings no librdkafka of its own, so its mock cluster cannot be driven")
    library = ctypes.CDLL(str(path))
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (_POINTER, []),
        "rd_kafka_conf_set": (ctypes.c_int, [_POINTER, *[ctypes.c_char_p] * 3, ctypes.c_size_t]),
        "rd_kafka_new": (_POINTER, [ctypes.c_int, _POINTER, ctypes.c_char_p, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [_POINTER]),
        "rd_kafka_mock_cluster_new": (_POINTER, [_POINTER, ctypes.c_int]),
        "rd_kafka_mock_cluster_destroy": (None, [_POINTER]),
        "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [_POINTER]),
        "rd_kafka_mock_topic_create": (ctypes.c_int, [_POINTER, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
        "rd_kafka_mock_topic_set_error": (None, [_POINTER, ctypes.c_char_p, ctypes.c_int]),
        "rd_kafka_mock_partition_set_leader": (
            ctypes.c_int,
            [_POINTER, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32],
        ),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            [_POINTER, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
        ),
        "rd_kafka_mock_clear_request_errors": (None, [_POINTER, ctypes.c_int16]),
        "rd_kafka_mock_broker_set_down": (ctypes.c_int, [_POINTER, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (ctypes.c_int, [_POINTER, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_rtt": (ctypes.c_int, [_POINTER, ctypes.c_int32, ctypes.c_int]),
    }
    for name, (result, arguments) in signatures.items():
        if not hasattr(library, name):
            not_run(f"librdkafka does not export {name}, so its mock cluster cannot be driven")
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _path() -> Path | None:
    spec = find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        return None
    bundled = Path(spec.origin).parent.parent / "confluent_kafka.libs"
    return next(iter(sorted(bundled.glob("librdkafka*"))), None)
