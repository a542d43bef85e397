"""What the reference daemon says on its console: ``console-reference.json``, recorded.

``python -m tests.vectors.record_console FOLDER`` where FOLDER holds the npm package
``statsd`` (``npm install statsd`` makes ``FOLDER/node_modules/statsd``). It is started with
its console backend, sent LINES, then asked COMMANDS one after the other.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

LINES = [
    "a.b:1|c",
    "a.b.c:2|c",
    "ab:3|c",
    "a.b:4|c|#k:v",
    "g:5|g",
    "g:+1|g",
    "h.x:7|g",
    "t:1|ms",
    "t:2|ms",
    "t.u:3|ms",
    "nothing",
    "x:y|c",
]
COMMANDS = [
    *("help", "health", "health DOWN", "health", "health maybe", "health up"),
    *("stats", "counters", "gauges", "timers"),
    *("delcounters", "delcounters a.*", "delcounters ab nope", "delcounters  ab"),
    *("delgauges g", "delgauges h.*", "delgauges *", "deltimers t", "deltimers t*"),
    *("counters", "gauges", "timers", "nonsense", "Health", "help me", "stats now"),
]
SETTLED_SECONDS = 0.3


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def recorded(folder: Path) -> dict[str, object]:
    """Lines, and pairs of a command and its reply."""
    data, console = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    with TemporaryDirectory() as temporary:
        config = Path(temporary, "config.js")
        config.write_text(
            f"{{address: '127.0.0.1', port: {data}, mgmt_address: '127.0.0.1',"
            f" mgmt_port: {console}, backends: ['./backends/console'],"
            " flushInterval: 3600000}"
        )
        daemon = subprocess.Popen(
            ["node", folder / "node_modules/statsd/stats.js", config],
            stdout=subprocess.DEVNULL,
        )
        try:
            return {"lines": LINES, "said": list(map(list, _talk(data, console)))}
        finally:
            daemon.terminate()
            daemon.wait()


def _talk(data: int, console: int) -> list[tuple[str, str]]:
    peer = _connected(console)
    with peer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto("\n".join(LINES).encode(), ("127.0.0.1", data))
        time.sleep(SETTLED_SECONDS)
        peer.settimeout(SETTLED_SECONDS)
        return [(command, _reply(peer, command)) for command in COMMANDS]


def _connected(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the reference did not start")


def _reply(peer: socket.socket, command: str) -> str:
    """All that comes until nothing has come for a while."""
    peer.sendall(command.encode() + b"\n")
    found = b""
    try:
        while piece := peer.recv(65536):
            found += piece
    except TimeoutError:
        pass
    return found.decode()


if __name__ == "__main__":
    path = Path(__file__).with_name("console-reference.json")
    text = json.dumps(recorded(Path(sys.argv[1])), indent=1)
    path.write_text(text + "\n", encoding="utf-8")
