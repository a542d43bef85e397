"""Masking of key ids."""

import pytest

from relay.admin.status import masked


@pytest.mark.parametrize(
    ("key_id", "shown"),
    [
        ("LTAI5tAbCdEfGhIjKlMnOpQr", "LTAI…Qr"),
        ("STS.NUgYrLnoC37mZZCNnAbez", "STS.…ez"),
        ("elevenchars", "…"),
        ("", "…"),
    ],
)
def test_a_key_id_is_told_apart_and_not_given_away(key_id: str, shown: str) -> None:
    """At most half of it is shown, of a short one nothing."""
    assert masked(key_id) == shown
