"""What ``doctor`` finds out about this machine: sockets, drops, folders, the relay itself."""

import http.client
import json
import os
import socket
import stat
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from relay.commands.findings import Finding, Mark
from relay.service.kernel import TABLES, receive_buffer
from relay.settings import Listen, Settings

__all__ = ["disk", "drops", "relay_status", "running", "sockets"]

_SYSCTL: Final = "sysctl -w net.core.rmem_max={asked}   (and in /etc/sysctl.d/)"
_LOCAL, _DROPS = 1, 12
"""Columns of /proc/net/udp. Source: proc_pid_net(5)."""

_STATUS_SECONDS: Final = 3.0
_STATUS_BYTES_MAX: Final = 4 * 2**20
_MANY_REFUSED: Final = 0.05


def sockets(settings: Settings) -> Iterator[Finding]:
    """The buffer a socket would get, and the folders of those on disk."""
    asked = settings.receive_buffer
    if any(listen.scheme == "udp" for listen in settings.listen):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
            granted = receive_buffer(one, asked).granted
        if granted < asked:
            text = f"{granted:,} of {asked:,} bytes granted; bursts will be dropped"
            fix = _SYSCTL.format(asked=asked)
            yield Finding(Mark.WARN, "receive buffer", text, fix)
        else:
            yield Finding(Mark.OK, "receive buffer", f"{granted:,} bytes granted")
    for listen in settings.listen:
        if listen.path:
            yield _socket_folder(Path(listen.path).parent, listen)


def _socket_folder(folder: Path, listen: Listen) -> Finding:
    about = "socket"
    if not folder.is_dir():
        text = f"{listen.url}: there is no folder {folder}"
        return Finding(Mark.FAIL, about, text, f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"{listen.url}: this user may not write to {folder}"
        return Finding(
            Mark.FAIL, about, text, f"chown $USER {folder}, or run as its owner"
        )
    return Finding(Mark.OK, about, f"{listen.url}: its folder can be written to")


def drops(
    settings: Settings, read: Callable[[str], str] = lambda path: Path(path).read_text()
) -> Iterator[Finding]:
    """What the kernel dropped of the sockets that are open on the listeners' ports now."""
    ports = {one.port for one in settings.listen if one.scheme == "udp" and one.port}
    counts: dict[int, int] = {}
    for table in TABLES:
        try:
            text = read(table)
        except OSError:
            continue
        for line in text.splitlines()[1:]:
            columns = line.split()
            port = int(columns[_LOCAL].rpartition(":")[2], 16)
            if port in ports:
                counts[port] = counts.get(port, 0) + int(columns[_DROPS])
    for port in sorted(ports):
        yield _dropped(port, counts.get(port))


def _dropped(port: int, count: int | None) -> Finding:
    about = "kernel drops"
    if count is None:
        return Finding(Mark.SKIP, about, f"nothing listens on UDP port {port} now")
    if count:
        text = f"{count:,} datagrams to UDP port {port} found no room in the buffer"
        fix = "raise --receive-buffer and net.core.rmem_max, or spread the senders"
        return Finding(Mark.WARN, about, text, fix)
    return Finding(Mark.OK, about, f"none on UDP port {port}")


def disk(settings: Settings) -> Iterator[Finding]:
    """The state folder: is it there, ours alone, and large enough."""
    about, state = "state folder", settings.state
    if state is None:
        text = "off: what is closed and not delivered is lost with the process"
        mark = Mark.WARN if settings.is_signed else Mark.OK
        fix = "--state FOLDER" if mark is Mark.WARN else ""
        yield Finding(mark, about, text, fix)
        return
    there = state
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        text = f"{state}: this user may not write to {there}"
        yield Finding(
            Mark.FAIL, about, text, f"chown $USER {there}, or another --state"
        )
        return
    mode = stat.S_IMODE(there.stat().st_mode)
    if there == state and mode & 0o077:
        text = f"{state}: others can look into it (mode {mode:04o})"
        yield Finding(Mark.WARN, about, text, f"chmod 700 {state}")
    else:
        word = "can be written to" if there == state else "will be made"
        yield Finding(Mark.OK, about, f"{state} {word}")
    free = os.statvfs(there)
    room = free.f_bavail * free.f_frsize
    if room < settings.spool_bytes:
        text = f"{room:,} bytes are free, less than the {settings.spool_bytes:,} of --spool-bytes"
        yield Finding(Mark.WARN, about, text, "make room, or lower --spool-bytes")


def relay_status(url: str) -> Mapping[str, Any] | None:
    """What a running relay says of itself; None where none answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/status", timeout=_STATUS_SECONDS) as answer:
            found = json.loads(answer.read(_STATUS_BYTES_MAX))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return found if isinstance(found, dict) and "ledger" in found else None


def running(told: Mapping[str, Any] | None, url: str) -> Iterator[Finding]:
    """What its own figures say about why nothing is seen."""
    if told is None:
        yield Finding(Mark.SKIP, "relay", f"none answers at {url}")
        return
    ledger, sink = told["ledger"], told["sink"]
    refused = {word: n for word, n in ledger["refused"].items() if n}
    yield Finding(
        Mark.OK,
        "relay",
        f"runs at {url}: {ledger['lines']:,} lines, {told['series']:,} series,"
        f" {ledger['entries']['acked']:,} entries delivered",
    )
    if not ledger["lines"]:
        text = "no line has arrived since it was started"
        fix = "cms-relay send hello:1\\|c; then check the senders' host and port"
        yield Finding(Mark.WARN, "lines", text, fix)
    if sum(refused.values()) > _MANY_REFUSED * ledger["sections"]:
        words = ", ".join(f"{n:,} {word}" for word, n in refused.items())
        fix = f"see {url}/status, last_refusals; cms-relay explain LINE says why"
        yield Finding(Mark.WARN, "lines", f"refused: {words}", fix)
    if sink["reason"]:
        text = f"delivery is {sink['state']}: {sink['reason']}"
        yield Finding(Mark.FAIL, "delivery", text, "see the findings about the service")
    if unreadable := told["spool"].get("unreadable_files", 0):
        text = f"files that cannot be read, and wait where they are: {unreadable:,}"
        fix = "chown -R the state folder to the relay's user, and start it again"
        yield Finding(Mark.WARN, "spool", text, fix)
    yield from _events(told.get("events"))
    lost = sum(ledger["entries"]["dropped"].values()) + ledger["entries"]["parked"]
    if lost:
        text = f"{lost:,} entries were given up: too old, no room, or refused for good"
        yield Finding(
            Mark.WARN, "delivery", text, "cms-relay spool show; /status, ledger"
        )


def _events(told: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Where events are reported: why they are not seen."""
    if told is None:
        return
    if told["reason"]:
        text = f"delivery of events is {told['state']}: {told['reason']}"
        fix = "the keys have to allow cms:PutCustomEvent; --write tries it"
        yield Finding(Mark.FAIL, "events", text, fix)
    if lost := sum(told["dropped"].values()) + told["parked"]:
        text = f"{lost:,} events were given up: too many, too old, or refused for good"
        yield Finding(Mark.WARN, "events", text, "see /status, events")
