"""Events and service checks: told apart from metrics, and well formed or not.

Neither is reported, so nothing of them is kept. Bad optional fields do not spoil one;
the Datadog agent skips those too.
"""

import re

from relay.statsd.sample import Reason, What

__all__ = ["ASIDES", "judge"]

_EVENT, _SERVICE_CHECK = b"_e{", b"_sc|"

ASIDES = (_EVENT, _SERVICE_CHECK)
"""What a line begins with if it is no metric."""

# Nine digits reach beyond any line, and keep int() away from a datagram full of them.
_event_header = re.compile(rb"_e\{([0-9]{1,9}),([0-9]{1,9})\}:").match
_is_service_check = re.compile(rb"_sc\|[^|]+\|[0-3](?:\|.*)?", re.DOTALL).fullmatch


def judge(line: bytes) -> What | Reason:
    """What a line beginning with one of ASIDES is, or why it is malformed.

    Source: datadog-agent, ``parse_events.go`` and ``parse_service_checks.go``.
    """
    if line.startswith(_EVENT):
        return What.EVENT if _is_event(line) else Reason.BAD_EVENT
    good = _is_service_check(line) is not None
    return What.SERVICE_CHECK if good else Reason.BAD_SERVICE_CHECK


def _is_event(line: bytes) -> bool:
    """``_e{<title bytes>,<text bytes>}:<title>|<text>``, then the end or a field.

    Title and text are taken by length in bytes and may hold any sign; the title must
    not be empty.
    """
    header = _event_header(line)
    if header is None:
        return False
    title, text = int(header[1]), int(header[2])
    middle = header.end() + title
    end = middle + 1 + text
    return (
        title > 0
        and line[middle : middle + 1] == b"|"
        and len(line) >= end
        and line[end : end + 1] in (b"", b"|")
    )
