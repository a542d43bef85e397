"""Addresses and doors: what is one, what is none, and that text and value agree."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.settings.values import Address, Listen, is_loopback

PORTS = st.integers(0, 65535)
HOSTS = st.ip_addresses().map(str)


@given(HOSTS, PORTS)
def test_an_address_reads_what_it_writes(host: str, port: int) -> None:
    """Parsing the text of an address gives the address, IPv6 in brackets included."""
    assert Address.parse(str(Address(host, port))) == (host, port)


SIGNED = st.sampled_from([None, "delta", "value"])


@given(st.sampled_from(["udp", "tcp"]), HOSTS, PORTS, SIGNED)
def test_a_door_reads_what_it_writes(
    scheme: str, host: str, port: int, signed: str | None
) -> None:
    """Parsing the URL of a door gives the door."""
    door = Listen(scheme, host, port, signed_gauge=signed)
    assert Listen.parse(str(door)) == door


@given(
    st.sampled_from(["unix", "unixgram"]),
    SIGNED,
    st.none() | st.integers(0, 0o777),
    st.lists(st.integers(0, 10**9 - 1), max_size=3).map(tuple),
)
def test_a_door_on_disk_reads_what_it_writes(
    scheme: str, signed: str | None, mode: int | None, uids: tuple[int, ...]
) -> None:
    """Who may write there stands behind the path."""
    door = Listen(
        scheme, path="/run/a-b/c.sock", signed_gauge=signed, mode=mode, uids=uids
    )
    assert Listen.parse(str(door)) == door
    assert door.url == f"{scheme}:///run/a-b/c.sock"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:80",
        "udp://127.0.0.1:80/a",
        "udp://127.0.0.1:80#a",
        "tcp://127.0.0.1:80?mode=0600",
        "tcp://127.0.0.1:80?uid=1",
        "udp://127.0.0.1:80?signed_gauge=yes",
        "udp://127.0.0.1:80?signed_gauge=delta&signed_gauge=value",
        "udp://127.0.0.1:80?x=1",
        "udp://127.0.0.1:80?x",
        "unix://run/a.sock",
        "unix:///",
        "unix:///run/",
        "unix:run/a.sock",
        "unix:///run/a.sock?mode=888",
        "unix:///run/a.sock?uid=root",
        f"unix:///{'a' * 107}",
    ],
)
def test_what_is_no_door(text: str) -> None:
    """Each with a reason."""
    with pytest.raises(ValueError, match=r"."):
        Listen.parse(text)


@given(st.text())
def test_any_other_text_raises_nothing_else(text: str) -> None:
    """Any text gives an address or a ValueError with a reason, nothing else."""
    with suppress(ValueError):
        assert Address.parse(text).port is not None


def test_localhost_is_the_address_it_stands_for() -> None:
    """Nothing depends on how the machine resolves localhost."""
    assert Address.parse("localhost:1") == ("127.0.0.1", 1)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", ":80", "1.2.3:80", "::1:80", "a@127.0.0.1:80", "//1.2.3.4:5"]
)
def test_what_is_no_address(text: str) -> None:
    """Missing ports, missing or named hosts and bare IPv6 are refused."""
    with pytest.raises(ValueError, match=r"."):
        Address.parse(text)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - that is the point
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_what_is_on_loopback(host: str, local: bool) -> None:
    """Only what nobody else can reach counts."""
    assert is_loopback(host) is local
