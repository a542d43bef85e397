"""A statsd config.js as settings of ours, with a word on each of its keys.

The text is read by ``javascript``, each value by ``statsd_section``; what the keys are
and what becomes of them in general is the table of ``statsd_keys``. Here is what becomes
of the values of this file. Nothing is opened, resolved or run.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from relay.cloudmonitor import contract
from relay.errors import ConfigError
from relay.settings.javascript import Expression, NotPlainError, object_in
from relay.settings.statsd_keys import Fate, row_of
from relay.settings.statsd_section import Section, number_of
from relay.statsd.sample import Kind

__all__ = ["Remark", "StatsdFile", "Written", "is_statsd", "read_statsd"]

_PORT, _CONSOLE_PORT = 8125, 8126
_FLUSH_MS, _DEFAULT_FLUSH_MS = 60_000, 10_000
_SUFFIXES = {".js", ".cjs", ".mjs", ".json", ".json5"}
_MODE_MAX = 0o777
_MODULE = re.compile(r"(?:.*/)?servers/(udp|tcp)(?:\.js)?")

_REPEATED: Final = {"udp4": "udp", "udp6": "udp", "tcp": "tcp"}

_DELETED: Final = {
    "deleteCounters": (Kind.COUNTER,),
    "deleteTimers": (Kind.TIMER, Kind.HISTOGRAM, Kind.DISTRIBUTION),
    "deleteSets": (Kind.SET,),
}


class Written(NamedTuple):
    """A setting as a file gives it, with the path of the key that did.

    Where it is a list, ``element_keys`` are the paths of its elements.
    ``may_be_remote`` is true of an admin address that the operator named in so many
    words, as statsd has it.
    """

    raw: object
    key: str
    element_keys: tuple[str, ...] = ()
    may_be_remote: bool = False


class Remark(NamedTuple):
    """What became of one key of the file."""

    key: str
    fate: Fate
    text: str


class StatsdFile(NamedTuple):
    """``written`` is by setting; ``notices`` are what an operator should know."""

    written: Mapping[str, Written]
    remarks: tuple[Remark, ...]
    notices: tuple[str, ...]


def is_statsd(name: str, text: str) -> bool:
    """Whether it is such a file, and not TOML, in which no line can begin so."""
    if PurePath(name).suffix in _SUFFIXES:
        return True
    return re.match(r"[\s\ufeff]*(?:[{(]|/[*/]|module\.exports\b)", text) is not None


def read_statsd(text: str, source: str) -> StatsdFile:
    """What the file says. Raises ConfigError with the place, or the path of the key."""
    try:
        values = object_in(text)
    except NotPlainError as error:
        raise ConfigError("CONFIG", f"{error}", source=source) from None
    return _Reading(values, source).file()


class _Reading:
    """Goes through the file once; ``_texts`` are remarks of its own on some keys."""

    def __init__(self, values: Mapping[str, Any], source: str) -> None:
        self._config = Section(values, source)
        self._texts: dict[str, str] = {}
        self._fates: dict[str, Fate] = {}
        self._notices: list[str] = []

    def file(self) -> StatsdFile:
        settings = {
            "listen": self._doors(),
            "console": self._console(),
            "delete_idle": self._deleted(),
            "gauge_ttl": self._gauge_ttl(),
            "percentiles": self._percentiles(),
            "log_level": self._log_level(),
            "repeat": self._repeat(),
            "self_report_prefix": self._prefix(),
            "health_status": self._health(),
            **self._key_flush(),
            "key_name_sanitize": self._sanitize(),
        }
        written = {name: one for name, one in settings.items() if one is not None}
        self._flush_interval()
        self._unserved()
        remarks = tuple(self._remarks())
        return StatsdFile(written, remarks, (*self._notices, *_summary(remarks)))

    # Doors

    def _doors(self) -> Written:
        servers = self._config.sections("servers")
        if servers is None:
            doors = [self._door(self._config)]
        else:
            doors = [self._door(server) for server in servers]
            for key in self._config.given(*_SERVER_KEYS):
                self._leave(key, "not used, since there are servers, as in statsd")
        return Written(
            raw=[url for url, _ in doors],
            key="listen" if servers is None else "servers",
            element_keys=tuple(key for _, key in doors),
        )

    def _door(self, server: Section) -> tuple[str, str]:
        """The URL, and the path of the key that had the most to say in it."""
        module = server.text("server", "./servers/udp or ./servers/tcp")
        found = _MODULE.fullmatch(module or "./servers/udp")
        if found is None:
            raise server.refused(
                "server", "./servers/udp or ./servers/tcp; no other is run", module
            )
        scheme = found[1]
        socket = server.text("socket", "an absolute path")
        if socket is not None and scheme == "tcp":
            return _unix_door(server, socket)
        for key in server.given("socket", "socket_mod"):
            self._leave(
                server.at + key, "only a server ./servers/tcp has it, as in statsd"
            )
        host = self._host(server)
        port = server.port("port")
        key = "address" if scheme == "udp" and server.given("address") else "port"
        key = "server" if scheme == "tcp" else key
        return _url(scheme, host, _PORT if port is None else port), server.at + key

    def _host(self, server: Section) -> str:
        form = "an IP address such as 0.0.0.0, or localhost"
        address = server.text("address", form)
        if address is None and not server.at and self._config.given("nodes"):
            address = server.text("host", form)
        is_ipv6 = server.flag("address_ipv6")
        if address is None:
            return "::" if is_ipv6 else "0.0.0.0"  # noqa: S104 - as statsd, where the file names none
        return "::1" if address == "localhost" and is_ipv6 else address

    def _repeat(self) -> Written | None:
        targets = self._config.sections("repeater")
        if targets is None:
            return None
        form = "udp4, udp6 or tcp"
        protocol = self._config.text("repeaterProtocol", form) or "udp4"
        if protocol not in _REPEATED:
            raise self._config.refused("repeaterProtocol", form, protocol)
        urls = []
        for target in targets:
            host, port = target.text("host", "a host"), target.port("port")
            if host is None or not port:
                raise target.refused("host", "a host, and a port other than 0", host)
            urls.append(_url(_REPEATED[protocol], host, port))
        paths = tuple(target.at + "host" for target in targets)
        return Written(urls, "repeater", element_keys=paths)

    # Other settings

    def _prefix(self) -> Written | None:
        prefix = self._config.text("prefixStats", "text")
        return None if prefix is None else Written(prefix, "prefixStats")

    def _key_flush(self) -> Mapping[str, Written | None]:
        """The object keyFlush; an interval of 0, or none, is none."""
        given = self._config.section("keyFlush")
        if given is None:
            return {}
        interval = given.number("interval", "milliseconds") or 0
        if interval <= 0:
            return {}
        percent = given.number("percent", "a number of percent up to 100")
        log = given.text("log", "the path of a file")
        return {
            "key_flush_interval": Written(interval / 1000, "keyFlush.interval"),
            "key_flush_percent": (
                Written(percent, "keyFlush.percent") if percent else None
            ),
            "key_flush_log": Written(log, "keyFlush.log") if log else None,
        }

    def _sanitize(self) -> Written | None:
        flag = self._config.flag("keyNameSanitize")
        return None if flag is None else Written(flag, "keyNameSanitize")

    def _health(self) -> Written | None:
        key, form = "healthStatus", "'up' or 'down'"
        health = self._config.text(key, form)
        if health not in {None, "up", "down"}:
            raise self._config.refused(key, form, health)
        return None if health is None else Written(health, key)

    def _console(self) -> Written | None:
        address = self._config.text("mgmt_address", "an IP address such as 127.0.0.1")
        port = self._config.port("mgmt_port")
        port = _CONSOLE_PORT if port is None else port
        where = f"{_bracketed(address or '127.0.0.1')}:{port}"
        key = "mgmt_address" if address else "mgmt_port"
        if address is None:
            self._notice(
                "mgmt_address",
                f"is not set: the console is at {where}, where statsd would listen on "
                "all addresses",
            )
        return Written(where, key, may_be_remote=address is not None)

    def _deleted(self) -> Written | None:
        idle = self._config.flag("deleteIdleStats")
        flags = {key: self._config.flag(key) for key in _DELETED}
        if idle is None and not any(flag is not None for flag in flags.values()):
            return None
        kinds = [
            kind.value
            for key, flag in flags.items()
            if (idle if key not in self._config.values else flag)
            for kind in _DELETED[key]
        ]
        key = next((key for key, flag in flags.items() if flag), "deleteIdleStats")
        return Written(kinds, key)

    def _gauge_ttl(self) -> Written | None:
        """Periods; anything but a whole number above 1 is 1, as statsd has it."""
        key, ttl = "deleteGauges", "gaugesMaxTTL"
        idle, own = self._config.flag("deleteIdleStats"), self._config.flag(key)
        if not (idle if key not in self._config.values else own):
            if self._config.given(ttl):
                self._leave(ttl, "not used without deleteGauges, as in statsd")
            return None
        value = self._config.values.get(ttl)
        if isinstance(value, Expression):
            raise self._config.refused(ttl, "a number of periods", value)
        number = number_of(value)
        is_good = number is not None and number.is_integer() and number > 1
        key = ttl if is_good else (key if own else "deleteIdleStats")
        return Written(int(number) if is_good and number else 1, key)

    def _percentiles(self) -> Written | None:
        key = "percentThreshold"
        numbers = self._config.numbers(key)
        if numbers is None:
            return None
        found = dict.fromkeys(number for _, number in numbers)
        if self._config.values[key] == 0:
            found = {90.0: None}  # the reference's reading of 0
        kept = [int(one) for one in found if one in contract.PERCENTILES]
        others = ", ".join(
            f"{one:g}" for one in found if one not in contract.PERCENTILES
        )
        if others:
            known = ", ".join(map(str, contract.PERCENTILES))
            text = f"{others} left out: CloudMonitor has {known}"
            self._notice(key, text)
            self._texts[key] = text
        return Written(kept, key)

    def _log_level(self) -> Written | None:
        return Written("debug", "debug") if self._config.flag("debug") else None

    def _flush_interval(self) -> None:
        key = "flushInterval"
        number = number_of(self._config.values.get(key, _DEFAULT_FLUSH_MS))
        if number == _FLUSH_MS:
            self._texts[key] = "periods are 60 s, and 300 s"
            return
        is_given = bool(self._config.given(key))
        was = "not 60000" if number is None else f"{number:.15g} ms"
        self._texts[key] = f"{was}, but periods are 60 s, and 300 s"
        self._notice(
            key,
            self._texts[key] if is_given else "is not set: periods are 60 s, not 10 s",
        )

    def _unserved(self) -> None:
        """What senders or operators may miss is said at the start, not in check only."""
        values = self._config.values
        for key, is_missed in (
            ("repeater", values.get("repeater", []) != []),
            ("nodes", values.get("nodes", []) != []),
        ):
            if is_missed:
                self._notice(key, f"is ignored: {row_of(key).sentence}")

    # What is said

    def _leave(self, path: str, text: str) -> None:
        self._fates[path], self._texts[path] = Fate.IGNORED, text

    def _notice(self, key: str, text: str) -> None:
        self._notices.append(f"{self._config.source}: {key}: {text}")

    def _remarks(self) -> Iterator[Remark]:
        for key, value in self._config.values.items():
            row = row_of(key)
            fate = self._fates.get(key, row.fate)
            text = f"{row.settings}: {row.sentence}" if row.settings else row.sentence
            yield Remark(_shown(key), fate, self._texts.get(key, text))
            if key == "servers":
                for place, server in enumerate(value or ()):
                    yield from self._remarks_on_server(f"servers[{place}].", server)

    def _remarks_on_server(
        self, at: str, server: Mapping[str, Any]
    ) -> Iterator[Remark]:
        for key in server:
            row = row_of(key)
            if key not in _SERVER_KEYS:
                yield Remark(at + _shown(key), Fate.IGNORED, "is no key of a server")
            elif at + key in self._texts:
                yield Remark(at + key, self._fates[at + key], self._texts[at + key])
            else:
                yield Remark(at + key, row.fate, row.settings)


_SERVER_KEYS = ("server", "address", "address_ipv6", "port", "socket", "socket_mod")


def _shown(key: str) -> str:
    """A key on one line, whatever the file has for one."""
    return key if key.isprintable() else ascii(key)


def _summary(remarks: tuple[Remark, ...]) -> Iterator[str]:
    """One line for all that nobody will miss."""
    ignored = [one.key for one in remarks if one.fate is Fate.IGNORED]
    if ignored:
        yield f"ignored, for reasons that cms-relay check gives: {', '.join(ignored)}"


def _unix_door(server: Section, path: str) -> tuple[str, str]:
    if not path.startswith("/"):
        raise server.refused("socket", "an absolute path", path)
    mode = _mode(server)
    query = "" if mode is None else f"?mode={mode:04o}"
    return _url("unix", path=path) + query, f"{server.at}socket"


def _mode(server: Section) -> int | None:
    key, form = "socket_mod", "the mode of a file in octal, such as '0660'"
    if not server.given(key):
        return None
    value = server.values[key]
    if isinstance(value, str) and re.fullmatch("(0o?)?[0-7]{3}", value):
        return int(value[-3:], 8)
    if isinstance(value, int) and 0 < value <= _MODE_MAX:
        return value
    raise server.refused(key, form, value)


def _url(scheme: str, host: str = "", port: int = 0, *, path: str = "") -> str:
    """A door as ``listen`` has it; the only place that knows how doors are written."""
    return f"unix://{path}" if path else f"{scheme}://{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
