"""What every sink promises, as tests: subclass ``SinkContract`` and build one."""

from relay.cloudmonitor.datum import decode
from relay.cloudmonitor.packing import Packed, compose
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import CounterSummary, GaugeSummary
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.null import NullSink
from relay.sink.stdout import StdoutSink
from relay.statsd.sample import Kind

AnySink = CloudMonitorSink | NullSink | StdoutSink


def rollup(series: int = 3) -> Rollup:
    """A minute of a few series."""
    rows = [
        (
            Series(Kind.COUNTER, f"hits.{n}", (), f"hits_{n}", (("instance", "h"),)),
            CounterSummary(float(n), 1.0),
        )
        for n in range(series)
    ]
    gauge = Series(Kind.GAUGE, "level", (), "level", (("instance", "ü&=%"),))
    return Rollup(120, 60, [*rows, (gauge, GaugeSummary(1.5, 1.5, 1.5, 1.5, 1))])


def packed(one: Rollup) -> Packed:
    """Two entries a batch."""
    return compose(one, max_entries=2)


class SinkContract:
    """The tests; each needs ``build``."""

    def build(self) -> AnySink:
        """A sink whose far end takes everything."""
        raise NotImplementedError

    def break_it(self, sink: AnySink) -> None:
        """Make the far end fail, where there is one."""

    def test_composes_every_row_once(self) -> None:
        """All sinks pack alike; nothing is left out."""
        batches, refused = self.build().compose(rollup())
        names = [decode(item).metric for batch in batches for item in batch.items]
        assert names == ["hits_0", "hits_1", "hits_2", "level"]
        assert refused == []

    def test_accepts_what_it_composed(self) -> None:
        """Every batch of a period, in any order, also twice."""
        sink = self.build()
        batches = list(sink.compose(rollup()).batches)
        outcomes = [sink.deliver(batch) for batch in (*reversed(batches), batches[0])]
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 3

    def test_refresh_changes_nothing_for_the_better_known(self) -> None:
        """It may be called at any time."""
        sink = self.build()
        sink.refresh()
        (batch, *_) = sink.compose(rollup()).batches
        assert isinstance(sink.deliver(batch), Accepted)

    def test_answers_whatever_happens(self) -> None:
        """A broken far end or a broken item becomes an outcome, never an exception."""
        sink = self.build()
        self.break_it(sink)
        for item in ("", "no item", "a=b&c=d", "Dimensions=%7B"):
            assert isinstance(sink.deliver(Batch("b", 0, (item,))), Outcome)

    def test_close_may_come_at_any_time(self) -> None:
        """And leaves deliver answering."""
        sink = self.build()
        sink.close()
        (batch, *_) = sink.compose(rollup()).batches
        assert isinstance(sink.deliver(batch), Outcome)
