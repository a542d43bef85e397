"""Numbers: what a line may carry, against what Python would take."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.numbers import not_negative, number, rate, timestamp


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_reads_back_every_finite_float(value: float) -> None:
    """No digit is lost between a float's shortest text and the number read."""
    assert number(repr(value).encode()) == value


@given(st.binary(max_size=12) | st.text("0123456789.+-eE_ \t\rxnaif", max_size=8))
def test_number_takes_nothing_python_would_not(text: bytes | str) -> None:
    """The grammar is a part of Python's, and always finite."""
    raw = text if isinstance(text, bytes) else text.encode()
    value = number(raw)
    assert value is None or (value == float(raw) and math.isfinite(value))


@given(st.text("0123456789.+-eE_ \t\rxnaif", max_size=8))
def test_rate_is_a_number_above_zero_without_sign_or_blanks(text: str) -> None:
    """Whatever is a rate is a number too; the rest of the rule is about signs."""
    ratio = rate(text.encode())
    bare = text.isascii() and not text.startswith(("+", "-", " ", "\t"))
    wanted = number(text.encode()) if bare and text == text.strip() else None
    assert ratio == (wanted or None)


@pytest.mark.parametrize(
    ("text", "value"), [(b"-0.0", 0.0), (b"0", 0.0), (b"-1e-400", 0.0), (b"-1", None)]
)
def test_not_negative(text: bytes, value: float | None) -> None:
    """Minus zero is not below zero, and neither is what is rounded to it."""
    assert not_negative(text) == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"1", 1),
        (b"0001700000000", 1_700_000_000),
        (b"9" * 18, 10**18 - 1),
        (b"9" * 19, None),
        (b"9" * 5_000, None),
        (b"0", None),
        (b"", None),
        (b"+1", None),
        (b"1 ", None),
        ("\u0661".encode(), None),
    ],
)
def test_timestamp(text: bytes, seconds: int | None) -> None:
    """Digits only, from 1 on; int() never meets more of them than it takes."""
    assert timestamp(text) == seconds
