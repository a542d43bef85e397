"""The shape of ``/status``: what the relay says of itself. Filled in elsewhere.

Times are Unix seconds, None where the thing has not happened or is not known.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

__all__ = [
    "Checkpoints",
    "ClockStep",
    "Collisions",
    "Counted",
    "Credentials",
    "Entries",
    "Events",
    "Ledger",
    "Listener",
    "Overflow",
    "Predecessor",
    "Quota",
    "Refused",
    "Reload",
    "Room",
    "RuleMatches",
    "Rules",
    "Sink",
    "Status",
    "Twins",
]


class Room(TypedDict):
    """The receive queue of a socket, in bytes, as asked for and as given."""

    asked: int
    granted: int


class Listener(TypedDict):
    """An address; ``kernel_drops`` is None where the system does not tell.

    ``sockets`` are as many as ``--listeners`` asks for. ``receive_buffer`` is that of each,
    None where there is none of UDP, ``connections`` is where there are no streams.
    """

    url: str
    sockets: int
    datagrams: int
    received_bytes: int
    kernel_drops: int | None
    receive_buffer: Room | None
    connections: int | None


class Entries(TypedDict):
    """``closed`` is the sum of the others, at any moment."""

    closed: int
    acked: int
    partial: int
    dropped: Mapping[str, int]
    parked: int
    waiting: int


class Ledger(TypedDict):
    """``sections`` is the sum of samples, refused and ignored, at any moment."""

    lines: int
    sections: int
    samples: Mapping[str, int]
    refused: Mapping[str, int]
    ignored: Mapping[str, int]
    duplicate_tags: int
    entries: Entries
    requests: Mapping[str, int]


class Events(TypedDict):
    """``taken`` is the sum of acked, partial, dropped, parked and waiting; ``reason``
    says why where ``state`` is not the usual one."""

    taken: int
    acked: int
    partial: int
    dropped: Mapping[str, int]
    parked: int
    waiting: int
    requests: Mapping[str, int]
    state: str
    reason: str | None
    last_answer: str | None


class Sink(TypedDict):
    """Where entries go; ``reason`` says why where ``state`` is not the usual one.

    ``clock_offset``: seconds added to this machine's clock when a request is signed.
    """

    name: str
    endpoint: str | None
    clock_offset: float
    state: str
    reason: str | None
    last_answer: str | None
    last_success: float | None


class Credentials(TypedDict):
    """Whose key it is, never the key; ``warning`` says why an old one is still used."""

    source: str
    key_id: str
    expires_at: float | None
    warning: str | None


class Twins(TypedDict):
    """Two series that would have had one name; ``second`` has one Dimension more."""

    metric: str
    first: str
    second: str


class Collisions(TypedDict):
    """How many there were, and the latest of them."""

    count: int
    latest: Sequence[Twins]


class RuleMatches(TypedDict):
    """A mapping rule: its place in the file, what it is for, the spellings it was for."""

    number: int
    match: str
    spellings: int


class Rules(TypedDict):
    """Of the mapping rules those with most spellings, and those that had none, in order.

    ``count`` is how many there are, ``never_matched`` how many had none; of each at most
    a hundred are listed.
    """

    count: int
    never_matched: int
    busiest: Sequence[RuleMatches]
    idle: Sequence[RuleMatches]


class Refused(TypedDict):
    """A line that was refused of late."""

    text: str
    reason: str


class Counted(TypedDict):
    """Refused samples by the prefix or the name of their series, and those of others."""

    known: Mapping[str, int]
    others: int


class Quota(TypedDict):
    """How many series may be reported; ``limit`` 0 is as many as there are.

    ``refused_by_service``: it has said within the last hour that there are too many.
    """

    limit: int
    refused_by_service: bool


class Overflow(TypedDict):
    """New series that found no room, of the latest period that had any.

    ``prefixes``, up to the first dot, are of those beyond the limit of all series,
    ``names`` of those beyond the limit of a name.
    """

    prefixes: Counted
    names: Counted


class ClockStep(TypedDict):
    """The wall clock was set to ``at``, ahead by ``seconds``, or back."""

    at: float
    seconds: float


class Reload(TypedDict):
    """What became of a reload: the keys that changed, or why the old ones stay."""

    at: float
    applied: bool
    text: str


class Checkpoints(TypedDict):
    """When what is open was last written down, and how often that failed.

    ``set_aside``: files that were of no use at the start, and why.
    """

    at: float | None
    failures: int
    last_failure: str | None
    set_aside: Mapping[str, str]


class Predecessor(TypedDict):
    """The relay that had the state folder before; not ``clean`` if it was killed.

    What arrived in the ``gap_seconds`` before this start is lost then: since its
    ``last_checkpoint``.
    """

    clean: bool
    last_checkpoint: float | None
    gap_seconds: float


class Status(TypedDict):
    """All of ``/status``."""

    version: str
    engine: str
    started: float
    listeners: Sequence[Listener]
    http: str | None
    emulator: str | None
    console: str | None
    ledger: Ledger
    series: int
    series_quota: Quota
    overflow: Overflow
    spool: Mapping[str, object]
    events: Events | None
    sink: Sink
    credentials: Credentials | None
    configuration_hash: str
    state: str
    checkpoints: Checkpoints | None
    predecessor: Predecessor | None
    last_reload: Reload | None
    clock_steps: int
    last_clock_step: ClockStep | None
    collisions: Collisions
    rules: Rules | None
    last_refusals: Sequence[Refused]
