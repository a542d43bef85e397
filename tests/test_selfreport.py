"""The relay's own figures become lines, once a period, as the reference names them."""

from relay.selfreport import Figures, SelfReport

NOTHING = Figures(0, 0, 0, 0, 0.0, 0)


class Rig:
    """Figures that the test sets, lines that it sees."""

    def __init__(self) -> None:
        self.figures, self.now = NOTHING, 1000.0
        self.fed: list[tuple[list[str], int]] = []
        self.report = SelfReport(
            prefix="statsd",
            period_seconds=60,
            feed=self._feed,
            figures=lambda: self.figures,
            clock=lambda: self.now,
        )

    def _feed(self, datagram: bytes, period: int) -> None:
        lines = datagram.decode().split("\n")
        self.figures = self.figures._replace(lines=self.figures.lines + len(lines))
        self.fed.append((lines, period))

    def told(self, period: int) -> dict[str, str]:
        """By name without the prefix, of the next period."""
        self.report.tell(period, period + 60)
        lines, present = self.fed[-1]
        assert present == period + 60
        assert all(line.endswith(f"|T{period}") for line in lines)
        bodies = [line.removeprefix("statsd.").rsplit("|T")[0] for line in lines]
        return dict(body.split(":") for body in bodies)


def test_counters_are_what_came_in_the_period() -> None:
    """Present with 0 from the first one; what the relay says itself does not count."""
    rig = Rig()
    first = rig.told(0)
    assert first["packets_received"] == first["metrics_received"] == "0|c"
    assert first["bad_lines_seen"] == first["entries_lost"] == "0|c"
    rig.figures = rig.figures._replace(
        packets=7, lines=rig.figures.lines + 20, refused=3, entries_lost=2
    )
    second = rig.told(60)
    assert second["packets_received"] == "7|c"
    assert second["metrics_received"] == "20|c"
    assert (second["bad_lines_seen"], second["entries_lost"]) == ("3|c", "2|c")
    assert rig.told(120)["metrics_received"] == "0|c"


def test_gauges_are_what_is_now() -> None:
    """Time in milliseconds, as the reference has it."""
    rig = Rig()
    rig.figures = rig.figures._replace(series=12, closing_seconds=0.25)
    told = rig.told(0)
    assert (told["numStats"], told["processing_time"]) == ("12|g", "250.000|g")
    assert told["heartbeat"] == "1|c"


def test_the_lag_is_there_from_the_second_period_on() -> None:
    """By how much the gap was not a period, on a clock that nobody sets."""
    rig = Rig()
    assert "timestamp_lag" not in rig.told(0)
    rig.now += 60.5
    assert rig.told(60)["timestamp_lag"] == "0.500|g"
    rig.now += 59.5
    assert rig.told(120)["timestamp_lag"] == "-0.500|g"
