"""A relay under a service manager: sockets handed over, and what the manager is told.

The test plays the manager. Bar R7, with fewer datagrams: what arrives between a kill and
the next start is not lost.
"""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.manager import as_manager, handed, held, url_of
from tests.e2e.road import get, wait_until

pytestmark = pytest.mark.e2e

SO_RCVBUFFORCE = 33  # asm-generic/socket.h


def start(holder: socket.socket, *args: str, **variables: str) -> Child:
    """A relay with ``holder`` as descriptor 3, ready."""
    command = ("run", "--sink", "null", "--http", "127.0.0.1:0", *args)
    child = handed(holder, *command, **variables)
    child.wait_ready()
    return child


def send(holder: socket.socket, datagrams: int) -> None:
    with socket.socket(holder.family, socket.SOCK_DGRAM) as sender:
        for number in range(datagrams):
            sender.sendto(b"a:1|c\nb:%d|g" % number, holder.getsockname()[:2])


def metric(child: Child, name: str) -> int:
    """The sum of a metric over its listeners."""
    text = get(f"{child.urls['http'][0]}/metrics")
    found = re.findall(rf"^cms_relay_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, found)))


@pytest.mark.bar("R7")
def test_no_datagram_is_lost_between_a_kill_and_the_next_start(
    figure: Callable[[str], None],
) -> None:
    """The queue outlives the process; the next one reads it from the first on."""
    with held() as holder:
        first = start(holder, "--listen", url_of(holder))
        send(holder, 500)
        wait_until("not read", lambda: metric(first, "datagrams_total") == 500)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        send(holder, 1500)
        second = start(holder, "--listen", url_of(holder))
        wait_until("lost", lambda: metric(second, "datagrams_total") == 1500)
        assert metric(second, "lines_total") == 3000
        assert metric(second, "kernel_drops_total") == 0
        assert second.stop() == 0
    figure("1,500 datagrams while nobody read: 0 dropped, 0 missing")


@pytest.mark.soak
@pytest.mark.bar("R7")
def test_five_thousand_a_second_over_a_kill_and_a_gap_of_a_second(
    figure: Callable[[str], None],
) -> None:
    """Bar R7 itself: nothing that came after the kill is missing, nothing is dropped."""
    with held() as holder:
        try:  # as a manager may, beyond net.core.rmem_max
            holder.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 * 2**20)
        except PermissionError:
            pytest.skip("a queue of 32 MiB takes CAP_NET_ADMIN")
        first = start(holder, "--listen", url_of(holder))
        send(holder, 5000)
        wait_until("not read", lambda: metric(first, "datagrams_total") == 5000)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        load = threading.Thread(target=send_steadily, args=(holder, 5000, 5.0))
        load.start()
        time.sleep(1.0)
        second = start(holder, "--listen", url_of(holder))
        load.join()
        wait_until("lost", lambda: metric(second, "datagrams_total") == 25_000)
        assert metric(second, "kernel_drops_total") == 0
        assert second.stop() == 0
    figure("25,000 datagrams at 5,000 a second: 0 dropped, 0 missing")


def send_steadily(holder: socket.socket, rate: int, seconds: float) -> None:
    """In pieces of ten milliseconds."""
    began = time.monotonic()
    for piece in range(int(seconds * 100)):
        send(holder, rate // 100)
        time.sleep(max(0.0, began + piece / 100 - time.monotonic()))


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_what_is_not_listed_is_used_too(host: str, family: int) -> None:
    """And announced; what is listed is bound beside it."""
    with held(host, family) as holder:
        relay = start(holder, "--listen", "udp://127.0.0.1:0")
        assert relay.urls["listening"][0] == url_of(holder)
        assert len(relay.urls["listening"]) == 2
        send(holder, 10)
        wait_until("not read", lambda: metric(relay, "datagrams_total") == 10)
        assert relay.stop() == 0


def test_the_default_is_not_bound_beside_what_was_handed_over() -> None:
    """Whoever wrote a socket unit said where to listen."""
    with held() as holder:
        relay = start(holder)
        assert relay.urls["listening"] == [url_of(holder)]
        assert relay.stop() == 0


def test_the_descriptor_is_not_kept_beside_the_port() -> None:
    """One of them is closed, or the socket could never be."""
    with held() as holder:
        relay = start(holder)
        inode = Path(f"/proc/self/fd/{holder.fileno()}").readlink()
        folder = Path(f"/proc/{relay.process.pid}/fd")
        assert [link.readlink() for link in folder.iterdir()].count(inode) == 1
        assert relay.stop() == 0


def test_a_wrong_variable_ends_it_with_its_name() -> None:
    """Status 2, as for any other setting."""
    with held() as holder:
        done = subprocess.run(
            as_manager(holder, "run", "--sink", "null"),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment() | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"},
            cwd=ROOT,
            pass_fds=[holder.fileno()],
        )
    assert done.returncode == 2
    assert "LISTEN_FDNAMES" in done.stderr


def test_the_manager_hears_of_start_life_reload_and_stop(tmp_path: Path) -> None:
    """In that order, the watchdog being fed in between."""
    with held() as holder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        relay = start(
            holder,
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            WATCHDOG_USEC="400000",
        )
        assert manager.recv(4096).decode() == (
            f"READY=1\nSTATUS=listening {url_of(holder)}"
        )
        assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        relay.process.send_signal(signal.SIGHUP)
        said = [text for text in iter_until(manager, "READY=1") if text != "WATCHDOG=1"]
        assert said[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert relay.stop() == 0
        assert "STOPPING=1\nSTATUS=stopping" in iter_until(manager, "STOPPING=1")


def iter_until(manager: socket.socket, word: str) -> list[str]:
    """What is said, up to the message that begins with ``word``."""
    said = [""]
    while not said[-1].startswith(word):
        said.append(manager.recv(4096).decode())
    return said[1:]


def test_a_stuck_reactor_is_noticed(tmp_path: Path) -> None:
    """A process that is stopped does not feed the watchdog; awake, it does again."""
    with held() as holder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        relay = start(
            holder, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000"
        )
        iter_until(manager, "WATCHDOG=1")
        relay.process.send_signal(signal.SIGSTOP)
        manager.settimeout(1)
        assert relay_is_silent(manager)
        relay.process.send_signal(signal.SIGCONT)
        manager.settimeout(20)
        assert manager.recv(4096) == b"WATCHDOG=1"
        assert relay.stop() == 0


def relay_is_silent(manager: socket.socket) -> bool:
    """Whether nothing more comes after what is on its way, of which there is little."""
    try:
        for _ in range(3):
            manager.recv(4096)
    except TimeoutError:
        return True
    return False
