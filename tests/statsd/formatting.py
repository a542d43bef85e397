"""Samples back into lines: the inverse of the grammar, for tests.

Writes DogStatsD where a sample needs it, and plain StatsD where it does not.
"""

from relay.statsd.sample import Kind, Sample

__all__ = ["dogstatsd", "in_name", "plain"]

_TYPES = {
    Kind.COUNTER: "c",
    Kind.GAUGE: "g",
    Kind.TIMER: "ms",
    Kind.HISTOGRAM: "h",
    Kind.DISTRIBUTION: "d",
    Kind.SET: "s",
}


def plain(sample: Sample) -> bytes:
    """``name:values|type``, and ``|@rate`` unless it is 1."""
    rate = "" if sample.rate == 1 else f"|@{sample.rate!r}"
    return f"{sample.name}:{_values(sample)}|{_TYPES[sample.kind]}{rate}".encode()


def dogstatsd(sample: Sample) -> bytes:
    """All that a sample can hold, with its tags behind ``|#``."""
    tags = ",".join(k if v is None else f"{k}:{v}" for k, v in sample.tags)
    line = plain(sample) + f"|#{tags}".encode()
    if sample.timestamp is not None:
        line += f"|T{sample.timestamp}".encode()
    if sample.container is not None:
        line += f"|c:{sample.container}".encode()
    return line


def in_name(sample: Sample, frame: str) -> bytes:
    """With its tags in the name, where ``frame`` says: ``{name},{tags}`` for Influx."""
    separator = ";" if frame.startswith("{name};") else ","
    tags = separator.join(f"{key}={value}" for key, value in sample.tags)
    name = frame.format(name=sample.name, tags=tags)
    return plain(sample._replace(name=name))


def _values(sample: Sample) -> str:
    return ":".join(_value(value, sample.relative) for value in sample.values)


def _value(value: float | str, relative: bool) -> str:
    if isinstance(value, str):
        return value
    return f"{value:+}" if relative else repr(value)
