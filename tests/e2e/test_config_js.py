"""The daemon under a statsd config.js: start, what is said, reload, refusal."""

import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import get, status, wait_until

pytestmark = pytest.mark.e2e

HERE = ("--sink", "null", "--http", "127.0.0.1:0")


def started(path: Path) -> Child:
    return Child.start(["run", str(path), *HERE])


def reloaded(relay: Child, count: int) -> dict[str, Any]:
    """What /status says of the reload of that number."""
    http = relay.urls["http"][0]

    def done() -> float:
        return sum(
            float(line.split()[1])
            for line in get(f"{http}/metrics").splitlines()
            if line.startswith("cms_relay_reloads_total{")
        )

    relay.process.send_signal(signal.SIGHUP)
    wait_until("not reloaded", lambda: done() == count)
    said: dict[str, Any] = status(http)["last_reload"]
    return said


@pytest.mark.bar("P1")
def test_a_config_js_opens_its_doors_and_nothing_else(
    tmp_path: Path, figure: Any
) -> None:
    """Data on the addresses it names, or all where it names none; pages on loopback."""
    path = tmp_path / "config.js"
    path.write_text(
        "// ours\nmodule.exports = {\n mgmt_port: 0, servers: [{port: 0}, {address: '::1', port: 0}],"
        " graphiteHost: require('os').hostname(), backends: ['./backends/graphite'] };"
    )
    relay = started(path)
    hosts = [urlsplit(url).hostname for url in relay.urls["listening"]]
    assert hosts == ["0.0.0.0", "::1"]  # noqa: S104 - as statsd
    assert urlsplit(relay.urls["http"][0]).hostname == "127.0.0.1"
    assert urlsplit(relay.urls["console"][0]).hostname == "127.0.0.1"
    assert "mgmt_address: is not set: the console is at 127.0.0.1" in relay.stderr
    assert "periods are 60 s" in relay.stderr
    assert "check gives: graphiteHost, backends" in relay.stderr
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        port = urlsplit(relay.urls["listening"][0]).port
        sender.sendto(b"a:1|c", ("127.0.0.1", port))
    http = relay.urls["http"][0]
    wait_until("lost", lambda: status(http)["ledger"]["lines"] == 1)
    assert relay.stop() == 0
    figure("config.js: data on 0.0.0.0 and ::1 as named, http and console on 127.0.0.1")


def test_a_reload_reads_the_config_js_again(tmp_path: Path) -> None:
    """What can change does; a file that cannot be read changes nothing."""
    path = tmp_path / "config.js"
    path.write_text(
        "{mgmt_port: 0, address: '127.0.0.1', port: 0, percentThreshold: 90}"
    )
    relay = started(path)
    path.write_text(
        "{mgmt_port: 0, address: '127.0.0.1', port: 0, percentThreshold: [90, 99.9, 50]}"
    )
    first = reloaded(relay, 1)
    assert (first["applied"], first["text"]) == (True, "percentiles")
    path.write_text(
        "{mgmt_port: 0, address: '127.0.0.1', port: 0\n percentThreshold: 90}"
    )
    second = reloaded(relay, 2)
    assert not second["applied"]
    assert f"{path}: CONFIG: line 2, column 2: wants a comma" in second["text"]
    assert relay.stop() == 0
    assert "99.9 left out" in relay.stderr


def test_the_busiest_keys_are_written(tmp_path: Path) -> None:
    """Where a file says so: to its log, when a period is closed."""
    path, log = tmp_path / "config.js", tmp_path / "keys"
    path.write_text(
        "{mgmt_port: 0, address: '127.0.0.1', port: 0,"
        f" keyFlush: {{interval: 500, percent: 50, log: '{log}'}}}}"
    )
    relay = Child.start(["run", str(path), *HERE, "--period", "1"])
    door = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c\nb:1|c\nb:1|c", (door.hostname, door.port))
    wait_until("nothing written", lambda: log.exists() and "key=" in log.read_text())
    assert relay.stop() == 0
    assert [line.split(" count=")[1] for line in log.read_text().splitlines()] == [
        "2 key=b"
    ]
