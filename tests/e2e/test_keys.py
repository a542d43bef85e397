"""Keys that are changed under a relay at work, and files that are no good for a while."""

import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.faulty import OK, faulty, read_request
from tests.e2e.lives import Load, load_lines
from tests.e2e.road import assert_ledger_balances, status, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.bar("K10", "L2")]

Figure = Callable[[str], None]
BODY = b'{"Code":"InvalidAccessKeyId.NotFound","Message":"x","RequestId":"r"}'
REFUSED = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
SERIES, LINES_A_SECOND = 600, 2000
SWAP_SECONDS = 5.0


class Service:
    """Manners of a service that takes one key, and notes what it was sent with which."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.taken: dict[str, int] = {}
        self.refused: list[float] = []

    def __call__(self, connection: socket.socket) -> None:
        """As ``Manners``."""
        while True:
            found = re.search(rb"Credential=(\w+)", read_request(connection))
            assert found is not None
            key = found[1].decode()
            if key == self.key:
                self.taken[key] = self.taken.get(key, 0) + 1
                connection.sendall(OK)
            else:
                self.refused.append(time.monotonic())
                connection.sendall(REFUSED)


def keys(key: str) -> str:
    """A file of them."""
    return f"[default]\naccess_key_id = {key}\naccess_key_secret = s3cret\n"


def write(path: Path, text: str) -> Path:
    """For its owner only."""
    path.touch(0o600)
    path.write_text(text)
    return path


@contextmanager
def at_work(service: Service, *more: str, **env: str) -> Iterator[Child]:
    """A relay with its hands full."""
    with faulty(service) as peer:
        relay = Child.start(
            [
                *("run", "--sink", "cloudmonitor", "--state", "off", "--period", "1"),
                *("--endpoint", f"http://127.0.0.1:{peer.port}"),
                *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0", *more),
            ],
            env=env,
        )
        where = urlsplit(relay.urls["listening"][0])
        load = Load((where.hostname, where.port), load_lines(SERIES), LINES_A_SECOND)
        load.start()
        try:
            yield relay
        finally:
            load.stop()


def wait_for(service: Service, key: str, requests: int = 10) -> None:
    """Until so many were taken that were signed with that key."""
    wait_until(key, lambda: service.taken.get(key, 0) >= requests)


def by_rename(folder: Path, key: str) -> None:
    """As a careful editor does."""
    write(folder / "new", keys(key)).replace(folder / "keys")


def by_links(folder: Path, key: str) -> None:
    """As Kubernetes does: a file of a mounted secret lies behind two links."""
    version = folder / f"..{key}"
    version.mkdir()
    write(version / "keys", keys(key))
    (folder / "..tmp").symlink_to(version.name)
    (folder / "..tmp").replace(folder / "..data")
    (folder / "..link").symlink_to("..data/keys")
    (folder / "..link").replace(folder / "keys")


def half_written(folder: Path, key: str) -> None:
    """By somebody who is not careful."""
    write(folder / "new", keys(key)[:30]).replace(folder / "keys")


def test_keys_are_swapped_under_load(tmp_path: Path, figure: Figure) -> None:
    """And the old ones are refused from that moment on: a few seconds later no request
    is. A file that is no good in between costs none, and is warned of."""
    by_rename(tmp_path, "first")
    service = Service("first")
    told = []
    with at_work(service, "--key-file", str(tmp_path / "keys")) as relay:
        http = relay.urls["http"][0]
        wait_for(service, "first")
        for swap in (by_rename, by_links, by_links):
            before, refused = service.key, len(service.refused)
            half_written(tmp_path, "bad")
            wait_until("warned", lambda: "access_key_secret" in warning(http))
            write(tmp_path / "new", "").replace(tmp_path / "keys")
            wait_until("warned", lambda: "empty" in warning(http))
            wait_for(service, before, service.taken[before] + 5)
            assert len(service.refused) == refused
            service.key, swapped = f"{before}_", time.monotonic()
            swap(tmp_path, service.key)
            wait_for(service, service.key)
            assert warning(http) == ""
            told += [at - swapped for at in service.refused[refused:]]
        ledger = status(http)["ledger"]
    late = [after for after in told if after > SWAP_SECONDS]
    assert late == []
    assert ledger["entries"]["parked"] == 0
    assert_ledger_balances(ledger)
    figure(
        f"3 swaps by rename and by link, each after a bad file: {len(told)} requests"
        f" refused, {len(late)} of them later than {SWAP_SECONDS:g} s"
    )


def warning(http: str) -> str:
    """What /status says of the keys."""
    return str(status(http)["credentials"]["warning"] or "")


def test_temporary_keys_from_an_address_outlive_it(figure: Figure) -> None:
    """The source gives them once and goes away: they serve on, also after a reload."""
    given: list[float] = []

    def give(connection: socket.socket) -> None:
        read_get(connection)
        if given:
            return
        given.append(time.monotonic())
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        names = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
        told = dict(zip(names, ("temporary", "s3cret", "t0ken", ends), strict=True))
        body = json.dumps({"Code": "Success", **told}).encode()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    service = Service("temporary")
    with faulty(give) as source:
        uri = f"http://127.0.0.1:{source.port}/keys"
        with at_work(service, ALIBABA_CLOUD_CREDENTIALS_URI=uri) as relay:
            wait_for(service, "temporary")
            source.close()
            http = relay.urls["http"][0]
            relay.process.send_signal(signal.SIGHUP)
            wait_until("reloaded", lambda: status(http)["last_reload"] is not None)
            wait_for(service, "temporary", service.taken["temporary"] + 40)
            told = status(http)["credentials"]
    assert service.refused == []
    assert len(given) == 1
    assert told["source"] == "credentials URI"
    assert " from credentials URI" in relay.stderr
    assert told["expires_at"] == pytest.approx(time.time() + 3600, abs=60)
    figure("credentials URI: gave once, gone, 0 requests refused, also after a reload")


def read_get(connection: socket.socket) -> None:
    """A request without a body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
