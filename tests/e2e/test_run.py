"""The daemon as scripts see it: what it prints, how it ends, what it refuses."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from relay.commands.ending import ONE_REQUEST_SECONDS
from relay.settings import Settings
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.lives import start_emulator
from tests.e2e.road import KEYS, entries, get, script, start_relay, status, wait_until

pytestmark = pytest.mark.e2e

ANYWHERE = ("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0")


def refused(*args: str, env: dict[str, str] | None = None) -> str:
    """What ``run`` says when it ends at once with status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", "run", *args],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clean_environment() | (env or {}),
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_start_lines_name_every_socket_with_its_real_port_then_ready() -> None:
    """One line a socket, `ready` last, and /status has the same addresses."""
    relay = Child.start(
        [
            *("run", "--sink", "emulator", "--emulator", "127.0.0.1:0", *ANYWHERE),
            *("--listen", "udp://[::1]:0"),
        ]
    )
    said = relay.stderr.splitlines()
    assert said[-1] == "ready"
    assert sum(line.startswith("listening udp://") for line in said) == 2
    assert all(":0" not in url[-2:] for urls in relay.urls.values() for url in urls)
    shown = status(relay.urls["http"][0])
    assert [one["url"] for one in shown["listeners"]] == relay.urls["listening"]
    assert [shown["http"]] == relay.urls["http"]
    assert [shown["emulator"]] == relay.urls["emulator"]
    assert relay.stop() == 0


@pytest.mark.bar("R6")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_delivers_the_open_period_and_ends_with_status_0(signum: int) -> None:
    """What was read before the signal is at the sink after it."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "3600"])
    relay = start_relay(site, 3600)
    where = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(50):
            sender.sendto(b"last.words:1|c", (where.hostname, where.port))
    assert relay.stop(signum) == 0
    found = [
        json.loads(line)
        for line in get(f"{site.urls['emulator'][0]}/_emulator/entries").splitlines()
    ]
    assert [e["Values"]["Sum"] for e in found if e["Period"] == 3600] == [50.0]
    assert site.stop() == 0


def _before_a_sink_that_hangs(stop_timeout: int) -> tuple[Child, Child]:
    """An emulator that does not answer, and a relay that has a line for it."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "3600"])
    script(site.urls["emulator"][0], [{"hang": 60, "times": 1000}])
    relay = start_relay(site, 3600, "--stop-timeout", str(stop_timeout))
    where = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c", (where.hostname, where.port))
    return site, relay


def test_a_stop_keeps_to_its_limit_while_the_sink_hangs() -> None:
    """A sink that never answers does not keep the relay from ending."""
    site, relay = _before_a_sink_that_hangs(stop_timeout=2)
    began = time.monotonic()
    assert relay.stop() == 0
    assert time.monotonic() - began < 2 + 2
    assert "2 closed entries were not delivered" in relay.stderr
    site.kill()


def test_a_second_signal_ends_it_at_once() -> None:
    """Whoever asks twice does not wait for the stop limit."""
    site, relay = _before_a_sink_that_hangs(stop_timeout=60)
    relay.process.send_signal(signal.SIGTERM)
    http = relay.urls["http"][0]
    wait_until("it did not begin to stop", lambda: _readiness(http) == 503)
    wait_until("it was not closed", lambda: _waiting(http) == 2)
    time.sleep(ONE_REQUEST_SECONDS)
    began = time.monotonic()
    assert relay.stop() == 1
    assert time.monotonic() - began < 2
    assert "2 closed entries are lost" in relay.stderr
    site.kill()


def test_signals_that_come_together_are_one_request_to_stop() -> None:
    """As timeout(1) sends them: the stop limit holds, and what is lost is said."""
    site, relay = _before_a_sink_that_hangs(stop_timeout=1)
    relay.process.send_signal(signal.SIGINT)
    assert relay.stop(signal.SIGTERM) == 0
    assert "2 closed entries were not delivered" in relay.stderr
    site.kill()


def _waiting(http: str) -> int:
    return int(status(http)["ledger"]["entries"]["waiting"])


def _readiness(http: str) -> int:
    try:
        with urllib.request.urlopen(f"{http}/readyz", timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_without_any_credentials_it_ends_and_says_what_it_looked_for() -> None:
    """Never a silent fallback: status 2, the names, and the way to try without."""
    said = refused()
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in said
    assert "--sink emulator" in said


def test_keys_without_a_region_are_not_enough() -> None:
    """No region is guessed."""
    keys = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-secret",
    }
    said = refused(env=keys)
    assert "--region" in said
    assert "--endpoint" in said
    assert "canary" not in said


NO_TLS = {"CURL_CA_BUNDLE": "/nowhere/a", "SSLKEYLOGFILE": "/nowhere/b"}


def test_the_embedded_emulator_needs_nothing_that_tls_does() -> None:
    """Whatever other programs' variables say of it: it is plain http on loopback."""
    relay = Child.start(
        ["run", "--sink", "emulator", "--emulator", "127.0.0.1:0", *ANYWHERE],
        env=NO_TLS,
    )
    assert relay.stop() == 0


@pytest.mark.parametrize("variable", sorted(NO_TLS))
def test_what_tls_lacks_is_named_by_its_variable(variable: str) -> None:
    """At the start, with the fix."""
    said = refused(
        *("--region", "cn-hangzhou", "--state", "off", *ANYWHERE),
        env={**KEYS, variable: NO_TLS[variable]},
    )
    assert f"environment: {variable}: /nowhere/" in said
    assert "unset it" in said


def test_an_address_that_is_taken_is_named() -> None:
    """Status 1, and the flag to change."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "relay", "run", "--sink", "null"),
                *("--listen", url, "--http", "off"),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment(),
            cwd=ROOT,
        )
    assert done.returncode == 1
    assert f"--listen {url}" in done.stderr


@pytest.mark.bar("P1")
def test_sockets_are_on_loopback_by_default(tmp_path: Path) -> None:
    """Data, admin and emulator alike, as the kernel's own tables show them.

    Only the ports are not the defaults: others may have them on this machine.
    """
    usual = Settings()
    assert usual.http is not None
    [door] = usual.listen
    relay = Child.start(
        [
            *("run", "--sink", "emulator", "--emulator", f"{usual.emulator.host}:0"),
            *("--http", f"{usual.http.host}:0"),
            *("--listen", f"{door.scheme}://{door.host}:0"),
        ],
        cwd=tmp_path,
    )
    inodes = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{relay.process.pid}/fd").iterdir()
        if link.readlink().name.startswith("socket:[")
    }
    bound = [
        row.split()[1].split(":")[0]
        for table in ("udp", "tcp")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if row.split()[9] in inodes
    ]
    assert len(bound) == 3
    assert set(bound) == {"0100007F"}
    assert relay.stop() == 0


def test_the_sink_stdout_prints_entries_as_json_lines(tmp_path: Path) -> None:
    """Results go to standard output, one entry a line."""
    out = tmp_path / "out"
    with out.open("wb") as file:
        relay = subprocess.Popen(
            [
                *(sys.executable, "-m", "relay", "run", "--sink", "stdout"),
                *("--period", "3600", "--instance", "i", *ANYWHERE),
            ],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            cwd=ROOT,
        )
        child = Child(relay)
        child.wait_ready()
        where = urlsplit(child.urls["listening"][0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"out:3|c", (where.hostname, where.port))
        assert child.stop() == 0
    first = json.loads(out.read_text().splitlines()[0])
    assert first["MetricName"] == "out"
    assert first["Values"]["Sum"] == 3


def test_its_threads_allocate_from_one_arena() -> None:
    """An arena of a thread reserves 64 MiB of which it uses the beginning, in whole such."""
    site = start_emulator(1)
    relay = start_relay(site, 1)
    door = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"some:1|c", (str(door.hostname), int(door.port or 0)))
    wait_until("nothing was delivered", lambda: bool(entries(site.urls["emulator"][0])))
    maps = Path(f"/proc/{relay.process.pid}/maps").read_text("ascii").splitlines()
    reserved = [line.split() for line in maps if "---p 00000000 00:00 0" in line]
    ends = [int(fields[0].partition("-")[2], 16) for fields in reserved]
    assert not [end for end in ends if end % (64 << 20) == 0]
    assert relay.stop() == 0
    assert site.stop() == 0
