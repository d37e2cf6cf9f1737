"""Optoro's webhooks that the bridge knows: a line here, a contract module and a schema are all that one takes."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bridge.optoro.contract import Contract
from bridge.optoro.rma import RMA


class Source(NamedTuple):
    """A webhook's contract, and the name of its schema below schemas/."""

    contract: Contract
    schema: str


SOURCES: Final[Mapping[str, Source]] = {  # by connector.class
    "OptoroRmaSource": Source(RMA, "returns.rma.v1-value"),
}
