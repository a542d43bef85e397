"""``cms-relay run``: the daemon."""

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relay.cloudmonitor.contract import (
    REQUESTS_PER_SECOND,
    REQUESTS_PER_SECOND_DEFAULT,
)
from relay.commands.descriptors import raise_limit
from relay.commands.ending import SIGNALS, StopRequests
from relay.commands.parsing import Commands, add_command
from relay.settings import (
    Loaded,
    Settings,
    add_arguments,
    config_hints,
    from_arguments,
    take_variables,
)

if TYPE_CHECKING:
    from relay.app import Relay
    from relay.service.notify import Notifier

__all__ = ["register"]

MORE = """\
  cms-relay run --sink emulator                 everything on this machine, no account
  cms-relay run --sink emulator --period 2      the same, with two seconds for a minute
  cms-relay run --region cn-hangzhou            with ALIBABA_CLOUD_ACCESS_KEY_ID and
                                                ALIBABA_CLOUD_ACCESS_KEY_SECRET set
  cms-relay run /etc/cms-relay.toml             see deploy/relay.example.toml
  cms-relay run /etc/statsd/config.js           in place of the statsd daemon; it is
                                                read, not run: see cms-relay check

Standard error gets a line for each socket, with its real port, then `ready`; after that,
the log. SIGTERM and SIGINT leave what is open in the state folder for the next start, or
where there is none seal it, deliver what is closed within --stop-timeout and end with
status 0; a second one, 0.2 s after it or more, ends at once with status 1. SIGHUP reads the
configuration again.
"""

RELOAD_PAUSE = 0.2
STOPPED_TWICE = 1
DEFAULT_DOOR = "udp://127.0.0.1:8125"


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "run", "run the daemon", MORE, _run)
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="a TOML file, or a config.js of statsd",
    )
    add_arguments(parser)


def _run(arguments: argparse.Namespace) -> int:
    # Before there is any thread, since each inherits it; see _Life._hear_reloads.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for line in config_hints(arguments.config):
        _say(line)
    from relay.destination import provider_of  # noqa: PLC0415 - see relay.commands

    # Without keys a region is of no use, so their absence is said first.
    provider_of(from_arguments(arguments, will_run=False))
    loaded = from_arguments(arguments)
    from relay.pipeline import engine_note, listeners_note  # noqa: PLC0415 - see relay.commands

    notes = engine_note(loaded.settings.engine), listeners_note(loaded.settings)
    for note in filter(None, notes):
        _say(note)
    raise_limit()
    _own_what_is_made()

    from relay.service import arenas, inherit, notify  # noqa: PLC0415 - brings Twisted

    arenas.share_one()

    # Before Twisted's endpoints are imported: they take LISTEN_FDS for themselves.
    variables = take_variables((*inherit.VARIABLES, *notify.VARIABLES))
    inherited = inherit.inherit(variables, os.getpid())

    from twisted.internet import reactor as installed  # noqa: PLC0415 - installs it

    from relay.app import Relay  # noqa: PLC0415 - brings Twisted
    from relay.logs import begin, to_stderr  # noqa: PLC0415 - likewise

    reactor: Any = installed
    # Twisted's timers follow the wall clock: set back by an hour, they stop for an hour.
    reactor.seconds = time.monotonic
    logs = to_stderr(loaded.settings.log_level)
    begin(logs)
    relay = Relay(
        loaded,
        reactor=reactor,
        wall=time.time,
        logs=logs,
        announce=_say,
        inherited=inherited,
    )
    manager = notify.Notifier(variables, os.getpid(), reactor)
    return _Life(
        relay, reactor, loaded, manager, lambda: from_arguments(arguments)
    ).lead()


def _own_what_is_made() -> None:
    """Files are ours to read and write, whatever the umask, and nobody else's to write."""
    os.umask(os.umask(0o077) & 0o077 | 0o022)


class _Life:
    """From start to stop, whichever way that comes."""

    def __init__(
        self,
        relay: "Relay",
        reactor: Any,
        loaded: Loaded,
        manager: "Notifier",
        load: Callable[[], Loaded],
    ) -> None:
        self._relay, self._reactor, self._loaded = relay, reactor, loaded
        self._manager, self._load = manager, load
        self._status = 0
        self._failure: BaseException | None = None
        self._requests = StopRequests(self._stop, self._stop_at_once)

    def lead(self) -> int:
        """Run until a signal; the exit status. Raises what start raised."""
        for signum in SIGNALS:
            signal.signal(signum, self._signalled)
        threading.Thread(target=self._hear_reloads, daemon=True).start()
        self._reactor.callWhenRunning(self._start)
        self._reactor.run(installSignalHandlers=False)
        self._manager.close()
        if self._failure is not None:
            raise self._failure
        return self._status

    def _start(self) -> None:
        try:
            self._relay.start()
        except BaseException as error:  # noqa: BLE001 - raised again outside the reactor
            self._failure = error
            self._reactor.stop()
            return
        settings = self._loaded.settings
        for line in (
            *self._loaded.notices,
            *_warnings(settings),
            *_hints(settings, self._relay.urls),
        ):
            _say(line)
        _say("ready")
        self._tell_ready()

    def _signalled(self, _signum: int, _frame: object) -> None:
        self._reactor.callFromThread(self._asked_to_stop, self._reactor.seconds())

    def _hear_reloads(self) -> None:
        """In a thread: the kernel keeps one blocked SIGHUP, however many there are.

        A handler would cost a call for each, and in a storm of them, one within the
        other, end the process.
        """
        while True:
            signal.sigwait({signal.SIGHUP})
            self._reactor.callFromThread(self._reload)
            time.sleep(RELOAD_PAUSE)

    def _reload(self) -> None:
        if not self._requests.is_made and self._failure is None:
            self._manager.reloading()
            try:
                self._relay.reload(self._load_again)
            finally:
                self._tell_ready()

    def _load_again(self) -> Loaded:
        """The configuration of now; what is newly different from its file is logged."""
        from twisted.logger import Logger  # noqa: PLC0415 - see relay.commands

        loaded = self._load()
        for notice in loaded.notices:
            if notice not in self._loaded.notices:
                Logger().warn("{notice}", notice=notice)
        self._loaded = loaded
        return loaded

    def _tell_ready(self) -> None:
        self._manager.ready(" ".join(("listening", *self._relay.urls["listening"])))

    def _asked_to_stop(self, at: float) -> None:
        if self._reactor.running:
            self._requests.take(at)

    def _stop(self) -> None:
        self._manager.stopping()
        if self._failure is None:
            stopped = self._relay.stop()
            stopped.addErrback(self._failed)
            stopped.addBoth(lambda _: self._reactor.running and self._reactor.stop())

    def _stop_at_once(self) -> None:
        from relay.report import say_what_is_abandoned  # noqa: PLC0415 - see relay.commands

        self._status = STOPPED_TWICE
        self._reactor.stop()
        if self._failure is None:
            say_what_is_abandoned(
                self._relay.status()["spool"], self._loaded.settings.state
            )

    def _failed(self, failure: Any) -> None:
        self._failure = failure.value


def _warnings(settings: Settings) -> Iterator[str]:
    """What the operator should know from the start."""
    if settings.state is None:
        yield "state off: what waits to be delivered is kept in memory only"
    if settings.instance is None:
        yield (
            "instance off: only one relay may report, since two that report one series "
            "overwrite each other"
        )
    if settings.is_signed and settings.region is not None:
        most = REQUESTS_PER_SECOND.get(settings.region, REQUESTS_PER_SECOND_DEFAULT)
        if settings.requests_per_second > most:
            yield (
                f"requests_per_second {settings.requests_per_second:g} is more than the "
                f"whole account has in {settings.region} ({most})"
            )


def _hints(settings: Settings, urls: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What a newcomer does next."""
    if settings.sink == "emulator" and urls["listening"]:
        door = urls["listening"][0]
        to = "" if door == DEFAULT_DOOR else f"--to {door} "
        yield f"try: {_command()} send {to}'hello:1|c'"
        # A period closes up to two seconds after its end.
        yield (
            f"and within {settings.period + 3} s see {urls['emulator'][0]}/ and "
            f"{urls['emulator'][0]}/_emulator/entries"
        )


def _command() -> str:
    """How this program was called, with the path of the environment it lives in."""
    called = Path(sys.argv[0])
    if called.name == "cms-relay":
        return (
            str(called.absolute())
            if called.exists()
            else str(shutil.which("cms-relay"))
        )
    return f"{sys.executable} -m relay"


def _say(line: str) -> None:
    """Not by ``print``: what it could not write would be tried again at the exit, and a
    disk that is full of logs would be the relay's end."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode(errors="backslashreplace"))
