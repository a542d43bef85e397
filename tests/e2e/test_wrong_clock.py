"""A real relay whose clock and the service's are twenty minutes apart: bar T5."""

import json
import re
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import (
    assert_ledger_balances,
    get,
    script,
    start_relay,
    status,
    wait_until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.bar("T5", "L2")]

APART = 1200


@pytest.mark.parametrize("side", [1, -1], ids=["behind", "ahead"])
def test_it_is_corrected_once_from_the_date_of_the_refusal(
    side: int, figure: Callable[[str], None]
) -> None:
    """One request is refused, the next one is taken; status and log name the clock."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    emulator = site.urls["emulator"][0]
    script(emulator, [{"clock_offset": side * APART, "times": 10**6}])
    relay = start_relay(site, 1)
    where, http = urlsplit(relay.urls["listening"][0]), relay.urls["http"][0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.sendto(b"a:1|c", (where.hostname, where.port))
    wait_until(
        "nothing was taken", lambda: status(http)["ledger"]["entries"]["acked"] >= 2
    )
    told = status(http)
    seen = map(json.loads, get(f"{emulator}/_emulator/requests").splitlines())
    codes = [one["code"] for one in seen]
    assert codes[0] == "InvalidTimeStamp.Expired"
    assert set(codes[1:]) == {"200"}
    assert told["sink"]["clock_offset"] == pytest.approx(side * APART, abs=2)
    assert_ledger_balances(told["ledger"])
    assert relay.stop() == 0
    word = "behind" if side > 0 else "ahead"
    assert re.search(rf"machine's clock is 1[12]\d\d s {word} of", relay.stderr)
    figure(
        f"{word} of the emulator by {APART} s: 1 refusal, then {len(codes) - 1} taken"
    )
