"""The units in deploy/systemd: clean by systemd's own judgement, and true to the program."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from relay.settings import Settings
from tests.e2e.lives import start_emulator
from tests.e2e.manager import handed, held
from tests.e2e.road import entries, status

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICE, SOCKET = UNITS / "relay.service", UNITS / "relay.socket"
EXPOSURE_TENTHS = 20

pytestmark = pytest.mark.e2e
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def values(unit: Path, key: str) -> list[str]:
    """Every value of a key, in order."""
    return re.findall(rf"(?m)^{key}=(.*)$", unit.read_text("utf-8"))


def analyze(*words: str) -> str:
    """What systemd-analyze says; it must be content."""
    done = subprocess.run(
        ["systemd-analyze", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_PAGER": "", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
def test_the_units_are_without_fault(tmp_path: Path) -> None:
    """As they stand, but for where the program is on this machine."""
    for unit in (SERVICE, SOCKET):
        text = unit.read_text("utf-8")
        text = text.replace("/opt/cms-relay/bin/cms-relay", sys.executable)
        (tmp_path / unit.name).write_text(text)
    said = analyze("verify", str(tmp_path / SERVICE.name), str(tmp_path / SOCKET.name))
    assert said == ""


@needs_systemd
def test_the_service_is_hardly_exposed() -> None:
    """2.0 of 10 at most."""
    words = ("security", "--offline=yes", f"--threshold={EXPOSURE_TENTHS}")
    said = analyze(*words, str(SERVICE))
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) * 10 <= EXPOSURE_TENTHS


def test_every_variable_is_a_setting() -> None:
    """A misspelt one would be refused at a start."""
    names = {f"CMS_RELAY_{field.name.upper()}" for field in attrs.fields(Settings)}
    found = {value.partition("=")[0] for value in values(SERVICE, "Environment")}
    assert found <= names
    assert found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("Restart", "always"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "cms-relay"),
        ("StateDirectoryMode", "0700"),
        ("LoadCredential", "credentials.ini:/etc/cms-relay/credentials.ini"),
        ("CapabilityBoundingSet", ""),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("Requires", "relay.socket"),
    ],
)
def test_the_service_is_started_and_kept_as_it_should_be(key: str, value: str) -> None:
    """Said once, so that no later line takes it back."""
    assert values(SERVICE, key) == [value]


def test_the_watchdog_gives_a_busy_relay_time() -> None:
    """Half a minute: a reactor that is held up for seconds is not killed for it."""
    [limit] = values(SERVICE, "WatchdogSec")
    assert int(limit) >= 30


def test_the_socket_has_room_while_the_relay_is_away() -> None:
    """Several MiB, which is some 10,000 datagrams and more; and the relay asks for no more."""
    [room] = values(SOCKET, "ReceiveBuffer")
    assert room.endswith("M")
    assert int(room[:-1]) * 2**20 >= max(4 * 2**20, Settings().receive_buffer)


def test_the_manager_waits_longer_than_a_stop_takes() -> None:
    """Otherwise it kills a relay that is still delivering."""
    [limit] = values(SERVICE, "TimeoutStopSec")
    assert int(limit) > Settings().stop_timeout + 5


def test_the_socket_is_where_senders_expect_it() -> None:
    """At the address that a relay listens at by itself."""
    [door] = Settings().listen
    assert values(SOCKET, "ListenDatagram") == [f"{door.host}:{door.port}"]


def test_a_relay_starts_as_the_units_have_it(tmp_path: Path) -> None:
    """With their variables, the socket, a state folder and a copy of the key file that
    the group may read, which is how systemd shows it."""
    keys = tmp_path / "credentials.ini"
    keys.write_text(
        "[default]\naccess_key_id = emulator\naccess_key_secret = emulator\n"
    )
    keys.chmod(0o440)
    variables = dict(
        value.replace("%d", str(tmp_path)).split("=", 1)
        for value in values(SERVICE, "Environment")
    )
    config = tmp_path / "relay.toml"
    emulator = start_emulator(60)
    config.write_text(
        f'endpoint = "{emulator.urls["emulator"][0]}"\nhttp = "127.0.0.1:0"\n'
    )
    [command] = values(SERVICE, "ExecStart")
    _, *arguments = command.replace("/etc/cms-relay/relay.toml", str(config)).split()
    state = {"STATE_DIRECTORY": str(tmp_path / "state")}
    with held() as holder:
        relay = handed(holder, *arguments, "--stop", "send", **variables, **state)
        relay.wait_ready()
        shown = status(relay.urls["http"][0])
        assert [one["url"] for one in shown["listeners"]] == [
            f"udp://127.0.0.1:{holder.getsockname()[1]}"
        ]
        assert shown["state"] == str(tmp_path / "state")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"a:1|c", holder.getsockname())
        assert relay.stop() == 0
    assert {e["MetricName"] for e in entries(emulator.urls["emulator"][0])} == {"a"}
    assert emulator.stop() == 0
