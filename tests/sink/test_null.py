"""The sink null keeps the contract; there is no more to it."""

from relay.sink.null import NullSink
from tests.sink.contract import SinkContract, packed


class TestNull(SinkContract):
    """Every promise of a sink."""

    def build(self) -> NullSink:
        """One without a far end."""
        return NullSink(packed)
