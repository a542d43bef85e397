"""The three kinds of traffic that engines are measured with."""

from typing import NamedTuple

from tests.bench.workload import COUNTERS, datagrams, lines

__all__ = ["PROFILES", "Profile", "count_lines"]


class Profile(NamedTuple):
    """``per_second`` lines are sent to a whole daemon, a pace that any engine bears."""

    words: str
    series: int
    lines: int
    per_second: int
    tags: int = 0
    is_packed: bool = True

    def sent(self, share: float = 1.0) -> list[bytes]:
        """The datagrams, the same every time; fewer lines and series for a trial."""
        many, series = round(self.lines * share), max(1, round(self.series * share))
        if self.is_packed:
            return datagrams(many, series, tags=self.tags)
        return [line.encode() for line in lines(many, series, mix=COUNTERS)]


PROFILES = {
    "P1": Profile("a counter a datagram", 1_000, 100_000, 20_000, is_packed=False),
    "P2": Profile("1,432 bytes a datagram, all kinds", 10_000, 400_000, 40_000),
    "P3": Profile("the same with 5 tags a line", 10_000, 400_000, 40_000, tags=5),
}


def count_lines(sent: list[bytes]) -> int:
    return sum(datagram.count(b"\n") + 1 for datagram in sent)
