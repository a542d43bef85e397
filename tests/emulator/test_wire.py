"""Requests as they come: decoding that loses nothing."""

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.emulator.wire import percent_encode, read_call

FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"a+b", "a b"),
        (b"a%20b", "a b"),
        (b"a%2Bb", "a+b"),
        (b"%e6%9D%ad", "杭"),
        (b"100%25%zz", "100%%zz"),
        (b"%", "%"),
        (b"", ""),
        (b"x=y", "x=y"),
    ],
)
def test_decoding(encoded: bytes, decoded: str) -> None:
    """Both spaces, any case of hexadecimal, a stray percent sign as it is."""
    call = read_call(b"GET", b"/?v=" + encoded, [], b"")
    assert call.query == (("v", decoded),)


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (b"", ()),
        (b"&&", ()),
        (b"a", (("a", ""),)),
        (b"a=", (("a", ""),)),
        (b"=a", (("", "a"),)),
        (b"a=1&a=2", (("a", "1"), ("a", "2"))),
    ],
)
def test_pairs(query: bytes, pairs: tuple[tuple[str, str], ...]) -> None:
    """Empty values count, empty parts do not, and nothing is merged."""
    assert read_call(b"GET", b"/?" + query, [], b"").query == pairs


@pytest.mark.parametrize(
    ("content_type", "pairs"),
    [
        (b"application/x-www-form-urlencoded", (("a", "1"),)),
        (b"Application/X-WWW-Form-Urlencoded; charset=utf-8", (("a", "1"),)),
        (b"application/json", ()),
        (b"", ()),
    ],
)
def test_only_a_form_has_parameters(
    content_type: bytes, pairs: tuple[tuple[str, str], ...]
) -> None:
    """A body is looked into only where it says that it is a form."""
    call = read_call(b"POST", b"/", [(b"Content-Type", content_type)], b"a=1")
    assert (call.form, call.parameters, call.body) == (pairs, pairs, b"a=1")


def test_headers() -> None:
    """Names in any case, values trimmed of blanks, repeated ones joined."""
    headers = [(b"X-Acs-A", b" 1\t"), (b"x-ACS-a", b"2"), (b"B", "é".encode())]
    call = read_call(b"GET", b"/", headers, b"")
    assert call.headers == {"x-acs-a": "1,2", "b": "é"}


def test_payload_bytes() -> None:
    """What carries parameters counts, as sent: query and body."""
    assert read_call(b"POST", b"/?a=%20", [FORM], b"b=1").payload_bytes == 8


@given(st.binary())
def test_decoding_keeps_every_byte(raw: bytes) -> None:
    """Whatever bytes a value has, encoding again what was decoded gives them back."""
    encoded = quote_from_bytes(raw, safe="~")
    call = read_call(b"GET", b"/?v=" + encoded.encode(), [], b"")
    assert [percent_encode(value) for _, value in call.query] == [encoded]


@given(st.binary(), st.binary())
def test_no_bytes_raise(query: bytes, body: bytes) -> None:
    """A call can be made of anything."""
    call = read_call(b"POST", b"/?" + query, [FORM], body)
    assert len(call.parameters) <= query.count(b"&") + body.count(b"&") + 2
