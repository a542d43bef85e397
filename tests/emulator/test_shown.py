"""What people see of what anybody sent."""

import re
import sys
import unicodedata
from importlib.resources import files

import pytest

from relay.emulator.shown import clock, visible


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("web-1", "web-1"),
        ("naïve 価格 🙂", "naïve 価格 🙂"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("bell\x07 end\x00 esc\x1b", "bell\\u0007 end\\u0000 esc\\u001b"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\u{e0041}"),
        ("half\udc80", "half\\udc80"),
    ],
)
def test_hidden_characters_are_written_out(sent: str, seen: str) -> None:
    """What shows nothing, or turns the text about, is written as JavaScript would."""
    assert visible(sent) == seen


@pytest.mark.parametrize("category", ["Cc", "Cf", "Cs", "Zl", "Zp"])
def test_no_control_or_format_character_stays(category: str) -> None:
    """But the few of Cf that are seen: signs of number and of notation."""
    shown = {0x6DD, 0x70F, 0x8E2, 0x890, 0x891, *range(0x600, 0x606)}
    shown |= {*range(0x110BD, 0x110CE), *range(0x13430, 0x13456)}
    shown |= set(range(0x1BCA0, 0x1D17B))
    stayed = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) == category
        and code not in shown
        and visible(chr(code)) == chr(code)
    ]
    assert stayed == []


def test_the_script_hides_the_same_characters() -> None:
    """Both lists are one."""
    read = (
        files("relay.emulator").joinpath(name).read_text("utf-8")
        for name in ("shown.py", "parts.js")
    )
    ours, its = (
        re.findall(
            r"\\?\\[uUx]\{?([0-9a-f]+)\}?",
            text[text.index("HIDDEN = ") : text.index("SHORT")],
        )
        for text in read
    )
    assert len(ours) > 20
    assert [int(code, 16) for code in ours] == [int(code, 16) for code in its]


def test_clock_of_any_number() -> None:
    """UTC; what is no date is a question mark."""
    assert [clock(seconds) for seconds in (0, 1e30, float("nan"))] == [
        "00:00:00",
        "?",
        "?",
    ]
