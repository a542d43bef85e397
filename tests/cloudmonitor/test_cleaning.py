"""Cleaned text: nothing in it that the service would rewrite."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.cleaning import clean_key, clean_name, clean_value
from relay.cloudmonitor.contract import (
    DIMENSION_KEY_SAFE,
    DIMENSION_VALUE_SAFE,
    NAME_SAFE,
)

LONG = "a" * 65  # its SHA-256 begins with 635361c4


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("checkout.ok", "checkout_ok"),
        ("a-b/c d", "a_b_c_d"),
        ("4xx", "m_4xx"),
        ("_x", "m__x"),
        (".", "m__"),
        ("a" * 64, "a" * 64),
        (LONG, "a" * 55 + "_635361c4"),
        ("4" * 63, "m_" + "4" * 53 + "_27cebabf"),
    ],
)
def test_names(name: str, cleaned: str) -> None:
    """Underscores for what is forbidden, a prefix before what is no letter, a hash."""
    assert clean_name(name) == cleaned


@pytest.mark.parametrize(
    ("key", "cleaned"),
    [("env", "env"), ("a.b-c", "a_b_c"), ("9", "9"), (LONG, "a" * 55 + "_635361c4")],
)
def test_keys(key: str, cleaned: str) -> None:
    """As names, without the rule for the first character."""
    assert clean_key(key) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("eu-west/1.2_3", "eu-west/1.2_3"),
        ("a=b&c,d:e\\", "a_b_c_d_e_"),
        ("Zürich", "Z_rich_4251685e"),
        ("Zérich", "Z_rich_128e9d1d"),
        (LONG, "a" * 55 + "_635361c4"),
    ],
)
def test_values(value: str, cleaned: str) -> None:
    """More is allowed, and other alphabets leave a hash."""
    assert clean_value(value) == cleaned


@given(st.text(min_size=1, max_size=200))
def test_any_text_becomes_safe(text: str) -> None:
    """Whatever comes in, the service has nothing to rewrite."""
    assert re.fullmatch(NAME_SAFE, clean_name(text))
    assert re.fullmatch(DIMENSION_KEY_SAFE, clean_key(text))
    assert re.fullmatch(DIMENSION_VALUE_SAFE, clean_value(text))


@given(st.text(min_size=1, max_size=200))
def test_what_is_safe_stays(text: str) -> None:
    """Cleaning a second time changes nothing."""
    for clean in (clean_name, clean_key, clean_value):
        assert clean(clean(text)) == clean(text)
