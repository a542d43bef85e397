"""The sink that takes everything and keeps nothing: for trials of the road before it."""

from collections.abc import Callable

from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome
from relay.rollup.engine import Rollup

__all__ = ["NullSink"]


class NullSink:
    """Composes and encodes like the others; delivering is forgetting."""

    def __init__(self, compose: Callable[[Rollup], Packed]) -> None:
        self.compose = compose

    def deliver(self, batch: Batch) -> Outcome:  # noqa: ARG002 - the protocol's
        """Always accepted."""
        return Accepted()

    def refresh(self) -> None:
        """There is nothing to fetch anew."""

    def close(self) -> None:
        """There is nothing under way."""
