from collections.abc import Callable, Iterable
from typing import Any, Self

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
    def add(self, value: float, weight: float, /) -> bool: ...
    def shift(self, delta: float, last: float, /) -> bool: ...

class Timer:
    room: int
    weight: float
    total: float
    minimum: float
    maximum: float
    bins: Any
    room_folded: int
    has_strays: bool
    def know_lanes(self, lanes: dict[float, list[float]], /) -> None: ...

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

class Gate:
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

class Shards:
    def __init__(self, gate: Gate, tables: tuple[Table, ...]) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

class Table:
    period: int
    def __init__(
        self,
        most: int,
        enough: int,
        folding: int,
        again: Callable[[Any, float], tuple[object, object] | None],
        gate: Gate | None = None,
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
