"""The sink stdout: one JSON object a line, as replay prints them."""

import io
import json

from relay.cloudmonitor.events import TakenEvent, compose_events, decode_event
from relay.delivery.outcome import Accepted, Uncertain
from relay.sink.stdout import StdoutSink
from relay.statsd.sample import Event
from tests.sink.contract import AnySink, SinkContract, packed, rollup


class TestStdout(SinkContract):
    """Every promise of a sink."""

    def build(self) -> StdoutSink:
        """One that writes to memory."""
        self.stream = io.StringIO()
        return StdoutSink(packed, self.stream)

    def break_it(self, sink: AnySink) -> None:
        """Nobody reads any more."""
        self.stream.close()

    def test_writes_an_object_a_line(self) -> None:
        """In the public form, names as they are reported."""
        sink = self.build()
        for batch in sink.compose(rollup(series=1)).batches:
            assert isinstance(sink.deliver(batch), Accepted)
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        assert lines[0] == {
            "GroupId": "0",
            "MetricName": "hits_0",
            "Dimensions": {"instance": "h"},
            "Type": 1,
            "Period": 60,
            "Time": 120000,
            "Values": {"Sum": 0.0, "SumPerSecond": 0.0, "SampleCount": 1},
        }
        assert [line["MetricName"] for line in lines] == ["hits_0", "level"]

    def test_writes_events_in_their_own_form(self) -> None:
        """As whoever makes the sink says."""
        stream = io.StringIO()
        sink = StdoutSink(packed, stream, decode_event)
        taken = [TakenEvent(Event("Deploy", "text"), 1.0)]
        (batch,) = compose_events(taken, prefix="p", closed_at=1).batches
        assert isinstance(sink.deliver(batch), Accepted)
        shown = json.loads(stream.getvalue())
        assert (shown["EventName"], shown["Content"]["text"]) == ("Deploy", "text")

    def test_a_full_disk_is_uncertain(self) -> None:
        """Part of it may have been written."""

        class Full(io.StringIO):
            def write(self, _: str) -> int:
                raise OSError(28, "No space left on device")

        sink = StdoutSink(packed, Full())
        (batch,) = sink.compose(rollup(series=1)).batches
        assert sink.deliver(batch) == Uncertain("standard output: OSError")
