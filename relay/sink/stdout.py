"""The sink that prints: each entry as one JSON object a line, as ``replay`` shows them."""

import json
import threading
from collections.abc import Callable
from typing import TextIO

from relay.cloudmonitor.datum import decode
from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome, Uncertain
from relay.rollup.engine import Rollup

__all__ = ["StdoutSink"]


class StdoutSink:
    """Writes to ``stream``; a batch's lines stand together. Thread: any.

    ``as_object`` makes of an item what is shown of it.
    """

    def __init__(
        self,
        compose: Callable[[Rollup], Packed],
        stream: TextIO,
        as_object: Callable[[str], object] = lambda item: decode(item).as_object(),
    ) -> None:
        self.compose = compose
        self._stream, self._as_object = stream, as_object
        self._lock = threading.Lock()

    def deliver(self, batch: Batch) -> Outcome:
        """Accepted once all of it is written and flushed."""
        try:
            lines = [json.dumps(self._as_object(item)) for item in batch.items]
            with self._lock:
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Uncertain(f"standard output: {type(error).__name__}")
        return Accepted()

    def refresh(self) -> None:
        """There is nothing to fetch anew."""

    def close(self) -> None:
        """The stream is not ours to close."""
