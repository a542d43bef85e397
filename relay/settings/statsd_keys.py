"""Every key of a statsd config.js and what becomes of it here, in one table.

The table of docs/migrating.rst and what ``check`` says of a file are made from it; a test holds it
against the reference's list. How a value is turned into a setting is ``statsd_file``'s
business.

Source: the reference daemon's exampleConfig.js and exampleProxyConfig.js, release 0.9.
"""

import difflib
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

__all__ = ["KEYS", "Fate", "Key", "row_of", "statsd_keys_table"]


class Fate(Enum):
    """What becomes of a key."""

    HONOURED = "honoured"
    """It means here what it means there."""
    MAPPED = "mapped"
    """It becomes the nearest there is."""
    IGNORED = "ignored"
    """It is read over; the sentence says why."""


class Key(NamedTuple):
    """``names`` share the ``sentence``; ``settings`` are ours that they give."""

    names: str
    fate: Fate
    settings: str
    sentence: str


_HONOURED, _MAPPED, _IGNORED = Fate.HONOURED, Fate.MAPPED, Fate.IGNORED
_GRAPHITE = "entries go to CloudMonitor, under the names that `cms-relay explain` shows"
_PROXY = "the proxy's: lines are not spread over other daemons, this relay reports them"

KEYS = (
    Key(
        "port, address, address_ipv6",
        _HONOURED,
        "listen",
        "the one server, not used beside servers; without an address on all addresses of "
        "IPv4, or with address_ipv6 of IPv6; an address is an IP address or localhost",
    ),
    Key(
        "server",
        _HONOURED,
        "listen",
        "./servers/udp or ./servers/tcp; other modules are not run, so they are refused",
    ),
    Key("servers", _HONOURED, "listen", "each is a door of its own"),
    Key(
        "socket, socket_mod",
        _HONOURED,
        "listen",
        "a Unix stream socket and the mode of its file, with ./servers/tcp only; the path "
        "is absolute",
    ),
    Key(
        "mgmt_port, mgmt_address",
        _HONOURED,
        "console",
        "8126 where no port is given; on loopback, with a notice, where no address is",
    ),
    Key(
        "deleteIdleStats, deleteCounters, deleteTimers, deleteSets",
        _HONOURED,
        "delete_idle",
        "an idle timer is silent in any case, and what is not deleted is reported for "
        "idle_ttl, not for ever; deleteIdleStats says it of gauges too",
    ),
    Key(
        "deleteGauges, gaugesMaxTTL",
        _HONOURED,
        "gauge_ttl",
        "with deleteGauges a gauge is reported for so many periods, 1 where the number "
        "is not a whole one above 1, and then forgotten: a delta adds to zero",
    ),
    Key(
        "keyNameSanitize",
        _HONOURED,
        "key_name_sanitize",
        "false: names as they were sent, which CloudMonitor's own rules clean then; two "
        "that become one by that are told apart by the dimension statsd_series",
    ),
    Key(
        "flushInterval",
        _MAPPED,
        "",
        "periods are 60 s, and 300 s, whatever it says; a notice where it is not 60000",
    ),
    Key(
        "percentThreshold",
        _MAPPED,
        "percentiles",
        "those that CloudMonitor has; the others, and all of the top ones, which are "
        "below zero, are named and left out",
    ),
    Key("debug", _MAPPED, "log_level", "true is debug"),
    Key(
        "automaticConfigReload",
        _IGNORED,
        "",
        "the file is not watched; SIGHUP reads it again, whole or not at all",
    ),
    Key(
        "backends",
        _IGNORED,
        "",
        "no modules are loaded; entries go to CloudMonitor, or where sink says",
    ),
    Key(
        "graphiteHost, graphitePort, graphitePicklePort, graphiteProtocol, graphite",
        _IGNORED,
        "",
        _GRAPHITE,
    ),
    Key(
        "flush_counts",
        _IGNORED,
        "",
        "sum and rate of a counter are in one entry, and one costs what both do",
    ),
    Key(
        "calculatedTimerMetrics",
        _IGNORED,
        "",
        "all statistics of a timer are in one entry, and one costs what all do",
    ),
    Key(
        "histogram",
        _IGNORED,
        "",
        "CloudMonitor has no bins; percentiles say how values are spread",
    ),
    Key(
        "prefixStats",
        _MAPPED,
        "self_report_prefix",
        "the relay's own figures are among the series with self_report only, which costs "
        "eight series; they are at /metrics in any case",
    ),
    Key(
        "keyFlush",
        _HONOURED,
        "key_flush_interval, key_flush_percent, key_flush_log",
        "samples are counted in place of lines, and a set's members; written when a "
        "period is closed, so every minute at most",
    ),
    Key(
        "dumpMessages",
        _IGNORED,
        "",
        "nothing is logged per line; `cms-relay record` writes down what arrives",
    ),
    Key(
        "log",
        _IGNORED,
        "",
        "the log goes to standard error, from where a service manager takes it",
    ),
    Key("console", _IGNORED, "", "the console backend's; see --sink stdout"),
    Key(
        "repeater, repeaterProtocol",
        _HONOURED,
        "repeat",
        "one connection to each target over tcp, where statsd has up to five",
    ),
    Key("title", _IGNORED, "", "the process keeps the name it was started by"),
    Key(
        "healthStatus",
        _HONOURED,
        "health_status",
        "up or down: what the console answers at first, which statsd documents and does "
        "not read",
    ),
    Key("nodes, checkInterval, cacheSize, forkCount", _IGNORED, "", _PROXY),
    Key(
        "host",
        _HONOURED,
        "listen",
        "beside nodes: the proxy's address, where address is not there",
    ),
    Key(
        "udp_version",
        _IGNORED,
        "",
        "statsd does not read it any more either; address_ipv6 says it",
    ),
)
"""In the order of the table of docs/migrating.rst."""

_ROWS: Mapping[str, Key] = {name: row for row in KEYS for name in row.names.split(", ")}


def row_of(name: str) -> Key:
    """The row of a key at the top level of the file; one is made for a stranger."""
    return _ROWS.get(name) or Key(name, _IGNORED, "", _stranger(name))


def _stranger(name: str) -> str:
    lower = {known.lower(): known for known in _ROWS}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.8)
    advice = f"; did you mean {lower[close[0]]}?" if close else ""
    return f"is no key of statsd's own{advice}"


def statsd_keys_table() -> str:
    """The table of docs/migrating.rst, in reStructuredText."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 30 10 15 45",
        "",
        "   * - key of config.js",
        "     - here",
        "     - setting",
        "     - what becomes of it",
    ]
    for row in KEYS:
        names = ", ".join(f"``{name}``" for name in row.names.split(", "))
        lines += [
            f"   * - {names}",
            f"     - {row.fate.value}",
            f"     - ``{row.settings}``" if row.settings else "     -",
            f"     - {row.sentence.replace('`', '``')}",
        ]
    return "\n".join(lines) + "\n"
