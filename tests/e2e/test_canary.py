"""A secret and a token that can be told anywhere, and where they must not be: bar P2.

Every error path of the sink, at debug level, against peers that quote back whatever they
know; then everything that a relay writes, shows or leaves behind is searched.
"""

import gzip
import itertools
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from relay.cloudmonitor.credentials import Credentials, Secret
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.faulty import faulty, read_request
from tests.e2e.road import get, status, wait_until
from tests.e2e.watched import NAME, Watch

pytestmark = [pytest.mark.e2e, pytest.mark.bar("P2")]

Figure = Callable[[str], None]
SECRET, TOKEN = "Canary+S3cret/1=", "Canary+T0ken/2=" + "Canary" * 20
LIVE = ("/history", "/series", "/explain?line=a:1%7Cc")
LEAK = re.compile(rb"(?i)canary")
KEY_FILE = (
    "[default]\naccess_key_id = LTAIexamplekey00\n"
    f"access_key_secret = {SECRET}\nsecurity_token = {TOKEN}\n"
)
SPOKEN = f"{SECRET} {TOKEN} {quote(TOKEN, safe='')} {quote(quote(SECRET, safe=''))}"
"""By a service that quotes what it should not know."""

LONG = f"{'x' * 480} {TOKEN}"
"""Cut in its middle, where messages are cut."""


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """As HTTP, and the end of the connection."""
    lines = [f"HTTP/1.1 {status} {SPOKEN}", f"Content-Length: {len(body)}"]
    lines += ["Connection: close", f"x-acs-request-id: {TOKEN}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def told(status: int, code: str, message: str, *headers: str) -> bytes:
    """In JSON."""
    said = {"Code": code, "Message": message, "RequestId": SPOKEN}
    return answer(status, json.dumps(said).encode(), *headers)


GOOD = answer(200, b'{"Code":"200","Message":"success","RequestId":"r"}')
XML = f"<Error><Code>400{TOKEN}</Code><Message>{SPOKEN}</Message></Error>"
DATE = f"Date: {formatdate(86_400 * 365.25 * 60, usegmt=True)}"
STRING_TO_SIGN = f"POST&%2F&SecurityToken%3D{quote(quote(TOKEN, safe=''))}%26Version"
ANSWERS = [
    told(200, "206", f"reach Max time series num {SPOKEN}"),
    told(200, "400", f"syntax {SPOKEN}"),
    told(200, "400", LONG),
    told(200, "500", f"java.lang.Exception {LONG}"),
    told(400, "Throttling.User", SPOKEN, "x-acs-retry-after: 100"),
    told(503, "ServiceUnavailable", SPOKEN),
    told(400, "SignatureDoesNotMatch", f"string to sign is:{STRING_TO_SIGN}"),
    told(400, "InvalidTimeStamp.Expired", SPOKEN, DATE),
    told(404, "InvalidAccessKeyId.NotFound", LONG),
    told(400, f"Unknown.{TOKEN}", SPOKEN),
    answer(200, XML.encode()),
    answer(502, f"<html>{SPOKEN}</html>".encode()),
    answer(200, f'{{"Code":"{TOKEN}'.encode()),
    answer(200, gzip.compress(SPOKEN.encode()), "Content-Encoding: gzip"),
    f"HTTP/1.1 200 {TOKEN}\r\nX-{SPOKEN}".encode(),
    SPOKEN.encode(),
]
IN_THE_WAY = answer(307, b"", f"Location: https://user:{TOKEN}@127.0.0.1/{SPOKEN}")


class Gossip:
    """Manners that have each answer once, with a good one after it; then a redirect."""

    def __init__(self) -> None:
        self._turn = itertools.count()
        self.done = False

    def __call__(self, connection: socket.socket) -> None:
        """As ``Manners``."""
        assert TOKEN.encode() in read_request(connection), "it was not signed with it"
        turn, good = divmod(next(self._turn), 2)
        if turn >= len(ANSWERS):
            self.done = True
            connection.sendall(IN_THE_WAY)
        elif good:
            connection.sendall(GOOD)
        else:
            connection.sendall(ANSWERS[turn])


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """With the canary in it."""
    path = tmp_path / "keys"
    path.touch(0o600)
    path.write_text(KEY_FILE)
    return path


def started(endpoint: str, folder: Path, *more: str, **env: str) -> Child:
    """A relay at debug level, with a state folder."""
    return Child.start(
        [
            *("run", "--sink", "cloudmonitor", "--endpoint", endpoint),
            *("--state", str(folder / "state"), "--period", "1"),
            *("--request-timeout", "0.5", "--stop-timeout", "0.5"),
            *("--log-level", "debug", "--uncertain-retries", "1"),
            *("--requests-in-flight", "1"),  # so that answers come in turn
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0", *more),
        ],
        env=env,
    )


def send(relay: Child) -> None:
    """Something to report."""
    where = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        lines = b"\n".join(b"a%d:1|c" % n for n in range(30))
        door.sendto(lines, (where.hostname, where.port))


def command(*words: str, **env: str) -> bytes:
    """What ``cms-relay`` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", *words],
        capture_output=True,
        timeout=60,
        check=False,
        env=clean_environment() | env,
        cwd=ROOT,
    )
    return done.stdout + done.stderr


def shown(relay: Child) -> Iterator[tuple[str, bytes]]:
    """What a running relay shows to those who look."""
    http = relay.urls["http"][0]
    for page in ("/metrics", "/status", "/healthz", "/readyz", "/", *LIVE):
        yield page, get(http + page).encode()
    yield "arguments", Path(f"/proc/{relay.process.pid}/cmdline").read_bytes()


def left(relay: Child, folder: Path) -> Iterator[tuple[str, bytes]]:
    """What it leaves behind, on disk as it is and as it can be read."""
    yield "log", relay.stderr.encode()
    state = folder / "state"
    for path in state.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    for words in (("show",), ("show", "--parked")):
        yield f"spool {words}", command("spool", *words, "--state", str(state))


def clean(places: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Fails where the canary sings."""
    leaks = {
        name: text[max(0, found.start() - 150) : found.end() + 30]
        for name, text in places.items()
        if (found := LEAK.search(text))
    }
    assert leaks == {}
    return places


def test_no_answer_makes_it_tell(
    tmp_path: Path, key_file: Path, figure: Figure
) -> None:
    """A service that quotes both, in every part of every kind of answer; a resolver that
    fails before, a key file that is half written meanwhile."""
    folder = tmp_path / "watch"
    folder.mkdir()
    watch, manners = Watch(folder), Gossip()
    watch.resolve(error=socket.EAI_AGAIN)
    with faulty(manners) as peer:
        relay = started(
            f"http://{NAME}:{peer.port}",
            tmp_path,
            *("--key-file", str(key_file)),
            **watch.env,
        )
        send(relay)
        http = relay.urls["http"][0]
        wait_until("failed", lambda: "not resolved" in str(status(http)["sink"]))
        watch.resolve(port=peer.port)
        wait_until("not every answer was given", lambda: manners.done)
        wait_until("held", lambda: status(http)["sink"]["state"] == "held")
        key_file.write_text(KEY_FILE[:-150])
        places = dict(shown(relay))
        parked = status(http)["spool"]["parked_kept"]
        requests = status(http)["ledger"]["requests"]
        assert relay.stop() == 0
    places |= dict(left(relay, tmp_path))
    places["check"] = command(
        *("check", "--sink", "cloudmonitor", "--region", "cn-hangzhou"),
        *("--key-file", str(key_file)),
    )
    clean(places)
    assert parked > 0, "no parked file was looked into"
    assert '"debug"' in relay.stderr, "that was not the debug level"
    assert all(requests[word] for word in requests), "not every outcome was met"
    figure(
        f"{len(ANSWERS) + 2} answers and failures, all 7 outcomes: canary in 0 of"
        f" {len(places)} places, {sum(map(len, places.values()))} bytes"
    )


def gossip(connection: socket.socket) -> None:
    """Plain text where a handshake is expected."""
    connection.recv(65536)
    connection.sendall(SPOKEN.encode())


def test_nor_do_a_failed_handshake_and_the_emulator(
    tmp_path: Path, key_file: Path, figure: Figure
) -> None:
    """The one relay has its keys from the environment, and is answered in plain text; the
    other's emulator knows the keys, and refuses what is signed with others."""
    keys = f"LTAIexamplekey00={SECRET}:{TOKEN}"
    site = Child.start(
        [*("emulator", "--listen", "127.0.0.1:0", "--period", "1"), "--key", keys]
    )
    url = site.urls["emulator"][0]
    with faulty(gossip) as peer:
        one = started(url, tmp_path / "one", "--key-file", str(key_file))
        other = started(
            f"https://127.0.0.1:{peer.port}",
            tmp_path / "other",
            ALIBABA_CLOUD_ACCESS_KEY_ID="LTAIexamplekey00",
            ALIBABA_CLOUD_ACCESS_KEY_SECRET=SECRET,
            ALIBABA_CLOUD_SECURITY_TOKEN=TOKEN,
        )
        send(one)
        send(other)
        wait_until("accepted", lambda: get(f"{url}/_emulator/entries") != "")
        key_file.write_text(KEY_FILE.replace("S3cret", "wrong"))
        for relay, words in ((one, "DoesNotMatch"), (other, "TLS failed")):
            http = relay.urls["http"][0]
            wait_until(words, lambda h=http, w=words: w in str(status(h)["sink"]))  # type: ignore[misc]  # bound now
        places = {f"{n} {k}": v for n in (one, other) for k, v in shown(n)}
        assert (one.stop(), other.stop()) == (0, 0)
    for page in ("/_emulator/entries", "/_emulator/requests"):
        places[f"emulator {page}"] = get(url + page).encode()
    browser = urllib.request.Request(url, headers={"Accept": "text/html"})  # noqa: S310 - our own URL
    with urllib.request.urlopen(browser, timeout=10) as page:  # noqa: S310
        places["emulator /"] = page.read()
    assert site.stop() == 0
    places["emulator log"] = site.stderr.encode()
    for name, relay in (("one", one), ("other", other)):
        places |= {f"{name} {k}": v for k, v in left(relay, tmp_path / name)}
    clean(places)
    figure(f"failed handshake, emulator that refuses: in 0 of {len(places)} places")


def test_masked_in_its_repr() -> None:
    """Also within what holds it."""
    secret = Secret(SECRET)
    keys = Credentials("LTAIexamplekey00", secret, Secret(TOKEN))
    for one in (secret, keys, [keys], {"key": secret}):
        for text in (repr(one), str(one), f"{one}", f"{one!r:>10}"):
            assert not LEAK.search(text.encode())
