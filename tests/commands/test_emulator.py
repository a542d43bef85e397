"""The command line of the emulator: what its flags become, and what they may not be."""

import argparse

import pytest

from relay.commands import emulator
from relay.errors import ConfigError


def parse(*words: str) -> argparse.Namespace:
    """The command line as the handler gets it."""
    parser = argparse.ArgumentParser()
    emulator.register(parser.add_subparsers())
    return parser.parse_args(["emulator", *words])


def test_defaults() -> None:
    """The look-alike alone, on loopback, with one key, under the vendor's limits."""
    arguments = parse()
    limits = emulator._limits(arguments)
    assert str(emulator._address(arguments)) == "127.0.0.1:8128"
    assert arguments.key is None
    assert (limits.entries_per_request, limits.body_bytes) == (100, 262_144)
    assert (limits.edition, limits.duplicates) == ("paid", "replace")
    assert (limits.late_window_seconds, limits.periods) == (None, (60, 300))


def test_limits() -> None:
    """Each limit has its flag."""
    words = "--entries-per-request 21 --series-quota 10 --edition free"
    words += " --duplicates merge --late-window 3600.5 --period 2"
    limits = emulator._limits(parse(*words.split()))
    assert (limits.entries_per_request, limits.series_quota) == (21, 10)
    assert (limits.edition, limits.duplicates) == ("free", "merge")
    assert (limits.late_window_seconds, limits.periods) == (3600.5, (2, 10))


def test_keys() -> None:
    """Keys repeat; a temporary one brings its token, which may hold any character."""
    secrets, tokens = emulator._keys(["a=b", "STS.c=d:e=f:g"])
    assert (secrets, tokens) == ({"a": "b", "STS.c": "d"}, {"STS.c": "e=f:g"})


@pytest.mark.parametrize("pair", ["a", "a=", "=b", "", "a=:t"])
def test_bad_key(pair: str) -> None:
    """A key has an id and a secret; what was given is not repeated, it may be secret."""
    with pytest.raises(ConfigError, match=r"^--key: wanted: ID=SECRET"):
        emulator._keys([pair])


@pytest.mark.parametrize(
    "words",
    [
        ("--entries-per-request", "0"),
        ("--series-quota", "x"),
        ("--series-quota", "-1"),
        ("--late-window", "-1"),
        ("--late-window", "nan"),
        ("--late-window", "soon"),
        ("--period", "1.5"),
    ],
)
def test_bad_number(words: tuple[str, str]) -> None:
    """A number that makes no sense is refused, with its flag named."""
    with pytest.raises(ConfigError, match=f"^{words[0]}: "):
        emulator._limits(parse(*words))


@pytest.mark.parametrize("listen", ["8128", "host:1", "127.0.0.1", ":8128", "a b:1"])
def test_bad_address(listen: str) -> None:
    """An address is an interface and a port."""
    with pytest.raises(ConfigError, match="HOST:PORT"):
        emulator._address(parse("--listen", listen))


def test_loopback_only() -> None:
    """Other machines are let in only when it is said twice."""
    with pytest.raises(ConfigError, match="--allow-remote-admin"):
        emulator._address(parse("--listen", "0.0.0.0:8128"))
    arguments = parse("--listen", "0.0.0.0:8128", "--allow-remote-admin")
    assert emulator._address(arguments).port == 8128
