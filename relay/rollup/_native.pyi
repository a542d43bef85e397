from collections.abc import Callable, Iterable
from typing import Any, Self

from relay.rollup.roster import Held
from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase
from relay.statsd.sample import Kind, Tags

class Counter:
    total: float
    count: float

class Gauge:
    last: float
    total: float
    minimum: float
    maximum: float
    count: int
    def take(self, value: float, /) -> None: ...

class Timer:
    room: int
    weight: float
    total: float
    minimum: float
    maximum: float
    bins: Any
    room_folded: int
    has_strays: bool
    lanes: tuple[tuple[float, list[float]], ...]
    def lane_of(self, weight: float, /) -> Lane | None: ...
    def put_lane(self, weight: float, lane: list[float], /) -> None: ...

class Set:
    most: int
    registers: bytearray | None

class Bins:
    zero: float
    per_log_gamma: float
    def add(self, values: Iterable[float], weight: float, /) -> None: ...
    def put(self, is_negative: bool, index: int, weight: float, /) -> None: ...
    def rows(
        self,
    ) -> tuple[
        tuple[int, list[tuple[int, bytes]]],
        float,
        tuple[int, list[tuple[int, bytes]]],
    ]: ...
    def set_floors(self, negative: int, positive: int, /) -> None: ...

class Lane(list[float]):
    def figures(self) -> tuple[float, float, float]: ...
    def sorted(self) -> Lane: ...

class Members(set[bytes]): ...

class Roster:
    def __len__(self) -> int: ...
    def get(self, kind: Kind, name: str, tags: Tags, /) -> Held | None: ...
    def of(self, series: Series, /) -> Held | None: ...
    def add(
        self,
        series: Series,
        seen: int,
        gauge: GaugeBase | None = None,
        gauge_period: int = 0,
        /,
    ) -> Held: ...
    def renew(
        self, held: Held, seen: int, gauge: GaugeBase | None, gauge_period: int, /
    ) -> Held: ...
    def remove(self, held: Held, /) -> None: ...
    def oldest(self) -> Held | None: ...
    def all(self) -> list[Held]: ...
    def clear(self) -> None: ...

class Reported:
    def __len__(self) -> int: ...
    def get(self, series: Series, /) -> Series | None: ...
    def put(self, series: Series, /) -> None: ...
    def remove(self, series: Series, /) -> None: ...
    def all(self) -> list[Series]: ...

class Table:
    period: int
    def __init__(
        self,
        most: int,
        enough: int,
        folding: int,
        again: Callable[[Any, float], tuple[object, object] | None],
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def __len__(self) -> int: ...
    def learn(
        self,
        name: bytes,
        form: bytes,
        operation: int,
        index: int,
        weight: float,
        slot: object,
        cell: object,
        named: object,
        /,
    ) -> None: ...
    def ignore(self, name: bytes, form: bytes, index: int, /) -> None: ...
    def feed(self, lines: bytes, slow: Callable[[bytes], int], /) -> int: ...
    def turn(self) -> None: ...
    def pause(self) -> None: ...
    def sweep(self) -> bool: ...
    def counts(self) -> tuple[int, list[int], list[int]]: ...

class Drain:
    rest: float
    datagrams: int
    received_bytes: int
    batches: int
    seen_at: float
    def __init__(
        self,
        table: Table,
        socket: int,
        period_seconds: int,
        slow: Callable[[bytes], int],
        turn: Callable[[int], None],
    ) -> None: ...
    def run(self) -> None: ...
    def stop(self) -> None: ...
