"""``cms-relay send``: puts lines on the way to a relay, as a client would."""

import argparse
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError, RelayError

__all__ = ["datagrams", "register"]

MORE = """\
  cms-relay send 'hello:1|c'
  cms-relay send --to udp://10.0.0.7:8125 'load:0.7|g' 'users:alice|s|#env:prod'
  cms-relay send --to unixgram:///run/cms-relay.sock < lines.txt

UDP does not tell whether anybody listens, except on this machine.
"""
DATAGRAM_BYTES = 1432
"""What fits into one Ethernet frame with IP and UDP around it, IPv6 with room to spare."""
CONNECT_SECONDS = 5.0
FORMS = "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH or unixgram:///PATH"


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "send", "send lines to a relay", MORE, _send)
    parser.add_argument(
        "--to",
        metavar="URL",
        default="udp://127.0.0.1:8125",
        help=f"{FORMS} (default: %(default)s)",
    )
    parser.add_argument("lines", metavar="LINE", nargs="*", help="default: stdin")


def _send(arguments: argparse.Namespace) -> int:
    target = _target(arguments.to)
    given = arguments.lines
    lines = (
        [os.fsencode(one) for one in given] if given else sys.stdin.buffer.readlines()
    )
    lines = [line.rstrip(b"\r\n") for line in lines]
    try:
        sent = _deliver(target, lines)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RelayError(f"{arguments.to}: {reason}; is a relay listening?") from None
    noun = "line" if len(lines) == 1 else "lines"
    print(f"sent {len(lines)} {noun}, {sent} bytes, to {arguments.to}")
    return 0


def datagrams(lines: Sequence[bytes], size: int = DATAGRAM_BYTES) -> Iterator[bytes]:
    """Join lines with LF into datagrams of at most ``size``; a longer line goes alone."""
    held: list[bytes] = []
    held_bytes = 0
    for line in lines:
        if held and held_bytes + 1 + len(line) > size:
            yield b"\n".join(held)
            held, held_bytes = [], 0
        held_bytes += len(line) + (1 if held else 0)
        held.append(line)
    if held:
        yield b"\n".join(held)


def _target(url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        if target.scheme in {"udp", "tcp"}:
            good = bool(target.hostname and target.port) and not target.path
        else:
            good = target.scheme in {"unix", "unixgram"} and target.path.startswith("/")
    except ValueError:
        good = False
    if not good:
        raise ConfigError("--to", f"wants {FORMS}; got {url!r}", source="command line")
    return target


def _deliver(target: SplitResult, lines: Sequence[bytes]) -> int:
    match target.scheme:
        case "udp":
            return _to_first_that_listens(target, lines)
        case "tcp":
            address = (target.hostname, target.port)
            with socket.create_connection(address, CONNECT_SECONDS) as stream:
                return _stream(stream, lines)
        case "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(CONNECT_SECONDS)
                stream.connect(target.path)
                return _stream(stream, lines)
        case _:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(target.path)
                return _packets(sender, lines)


def _to_first_that_listens(target: SplitResult, lines: Sequence[bytes]) -> int:
    refused = OSError("there is no such host")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        target.hostname, target.port, type=socket.SOCK_DGRAM
    ):
        with socket.socket(family, kind, protocol) as sender:
            try:
                sender.connect(address)
                return _packets(sender, lines)
            except ConnectionRefusedError as error:
                refused = error
    raise refused


def _packets(sender: socket.socket, lines: Sequence[bytes]) -> int:
    """Send, and look for the error that this machine's own refusal leaves behind."""
    sent = sum(sender.send(datagram) for datagram in datagrams(lines))
    if code := sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise ConnectionRefusedError(code, os.strerror(code))
    return sent


def _stream(stream: socket.socket, lines: Sequence[bytes]) -> int:
    text = b"".join(line + b"\n" for line in lines)
    stream.sendall(text)
    return len(text)
