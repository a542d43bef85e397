"""How an attempt to deliver a batch ended: a closed union, blame in the type's name.

Whatever a sink meets on the network becomes one of these; exceptions stay inside it.
"""

from dataclasses import dataclass

__all__ = [
    "Accepted",
    "AcceptedWithLoss",
    "Outcome",
    "Rejected",
    "Throttled",
    "Unauthorised",
    "Unavailable",
    "Uncertain",
]


@dataclass(frozen=True, slots=True)
class Accepted:
    """All of it was taken."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedWithLoss:
    """Part was taken, the service does not say how many; never to be sent again.

    ``hint`` is what mends it; ``too_many_series`` where new series were refused.
    ``refused`` is how many entries were, where the service names them; None: nobody
    knows.
    """

    code: str
    message: str = ""
    request_id: str = ""
    hint: str = ""
    too_many_series: bool = False
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was taken, we are too fast; ``after`` is the wait asked for, in seconds."""

    code: str
    after: float = 0.0
    message: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Certainly nothing was taken.

    ``lasting`` where it will not heal by itself, such as a certificate that is not
    trusted: trying again soon is pointless, somebody has to look.
    """

    reason: str
    request_id: str = ""
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Sent, and no answer that tells: it may have been taken."""

    reason: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """Our keys, permission, clock or address are wrong; the batch is not the cause."""

    code: str
    message: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something in this batch is wrong."""

    code: str
    message: str = ""
    request_id: str = ""


Outcome = (
    Accepted
    | AcceptedWithLoss
    | Throttled
    | Unavailable
    | Uncertain
    | Unauthorised
    | Rejected
)
