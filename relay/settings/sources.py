"""Where settings come from: flag over environment over file over default.

This is the only room that reads the process's environment and the configuration file.
Each value keeps its origin, so that a complaint and ``check`` can name it.
"""

import argparse
import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import attrs

from relay.errors import ConfigError
from relay.settings.declaration import Settings
from relay.settings.forms import (
    default_text,
    is_list,
    metavar_of,
    raw_of,
    value_of,
    wanted,
)
from relay.settings.option import Field, option_of
from relay.settings.rules import adapted, broken_rule, sends_by_tls
from relay.settings.statsd_file import Remark, is_statsd, read_statsd
from relay.sink.authorities import look_into_key_log

__all__ = ["Loaded", "add_arguments", "flag_name", "from_arguments", "load"]
__all__ += ["config_hints", "take_variables"]

PREFIX = "CMS_RELAY_"
VENDOR = "ALIBABA_CLOUD_"
DEFAULT = "default"
STATSD_FILE = Path("/etc/statsd/localConfig.js")
"""Where the packages of statsd put its configuration."""

KEY_LOG = "SSLKEYLOGFILE"
"""Where Python's TLS writes session keys, if it is set."""

_QUOTED_MAX = 80

_OTHERS = {
    "SSL_CERT_FILE": "ca_file",
    "CURL_CA_BUNDLE": "ca_file",
    "REQUESTS_CA_BUNDLE": "ca_file",
}
"""Variables of other programs that people expect us to heed; a later one wins, and any of
our own sources does."""

_WAYS_OUT = "; mend or unset it, or name another file with --ca-file"

_KUBERNETES = re.compile(
    r"CMS_RELAY(?:_[A-Z0-9_]+)?"
    r"_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP).*)?)"
)
"""What Kubernetes puts into every pod for a Service whose name begins with cms-relay."""


@attrs.frozen(kw_only=True)
class Loaded:
    """Settings, where each came from, and what the credentials may be found in."""

    settings: Settings
    origins: Mapping[str, str]
    """By key: ``default``, ``file PATH``, ``environment NAME`` or ``flag --name``."""
    credentials_environment: Mapping[str, str] = attrs.field(repr=False, factory=dict)
    """The vendor's own variables and HOME; they hold secrets."""
    remarks: Sequence[Remark] = ()
    """Of a statsd config.js: what became of each of its keys."""
    notices: Sequence[str] = ()
    """Of the same: what is different from what it says."""


class _Given(NamedTuple):
    raw: object
    origin: str
    key: str
    source: str
    element_keys: Sequence[str] = ()
    """Of a list, where its elements stand, if they do not stand together."""
    may_be_remote: bool = False


class _File(NamedTuple):
    given: Mapping[str, _Given]
    remarks: Sequence[Remark] = ()
    notices: Sequence[str] = ()


def load(
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    will_run: bool = True,
    will_send: bool | None = None,
) -> Loaded:
    """Settings out of a file, an environment and flags (by field name; text or bool).

    ``will_run`` is false for commands other than the daemon: they do not ask for an
    endpoint. ``will_send``, the same unless given, has what TLS wants looked at. Raises
    ConfigError with source, key and the wanted form.
    """
    environment = {} if environment is None else environment
    file = _from_file(config) if config is not None else _File({})
    given = {**dict(_from_others(environment)), **file.given}
    given |= dict(_from_environment(environment))
    given |= dict(_from_flags(flags or {}))
    settings = Settings(**{name: _value(name, one) for name, one in given.items()})
    settings = adapted(settings, set(given), environment)
    remote = {name for name, one in given.items() if one.may_be_remote}
    will_send = will_run if will_send is None else will_send
    broken = broken_rule(
        settings, will_run=will_run, will_send=will_send, may_be_remote=remote
    )
    if broken is not None:
        key, problem = broken
        blamed = given.get(key, _Given(None, DEFAULT, key, str(config or "")))
        ways_out = _WAYS_OUT if blamed.key in _OTHERS else ""
        raise ConfigError(blamed.key, f"{problem}{ways_out}", source=blamed.source)
    if will_send and sends_by_tls(settings) and (log := environment.get(KEY_LOG)):
        look_into_key_log(Path(log))
    return Loaded(
        settings=settings,
        origins=dict.fromkeys(_FIELDS, DEFAULT)
        | {name: one.origin for name, one in given.items()},
        credentials_environment={
            name: environment[name]
            for name in environment
            if name.startswith(VENDOR) or name == "HOME"
        },
        remarks=file.remarks,
        notices=(
            *file.notices,
            *(settings.mapping.notices if settings.mapping else ()),
        ),
    )


def add_arguments(
    parser: argparse.ArgumentParser, only: Collection[str] | None = None
) -> None:
    """A flag for every setting (or ``only`` some), in groups, with its sentence."""
    groups: dict[str, Any] = {}
    for name, declared in _FIELDS.items():
        if only is not None and name not in only:
            continue
        title = option_of(declared).group
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        groups[title].add_argument(flag_name(declared), **_flag(declared))


def from_arguments(
    arguments: argparse.Namespace,
    *,
    will_run: bool = True,
    will_send: bool | None = None,
) -> Loaded:
    """As ``load``, out of parsed arguments, their ``config`` and the environment."""
    names = [name for name in _FIELDS if getattr(arguments, name, None) is not None]
    config: str | None = getattr(arguments, "config", None)
    return load(
        None if config is None else Path(config),
        {name: getattr(arguments, name) for name in names},
        os.environ,
        will_run=will_run,
        will_send=will_send,
    )


def config_hints(config: str | None) -> Iterator[str]:
    """A word on the statsd daemon's own file, where no CONFIG is named and it is there.

    Nothing reads it unasked.
    """
    is_there = os.path.exists(STATSD_FILE)  # noqa: PTH110 - Path.exists raises where a folder is closed to us
    if config is None and is_there:
        yield f"{STATSD_FILE} is there and was not read; to use it, name it as CONFIG"


def take_variables(names: Collection[str]) -> Mapping[str, str]:
    """Those of the variables that are set, which from now on no child of ours gets."""
    found = {name: os.environ.pop(name, None) for name in names}
    return {name: text for name, text in found.items() if text is not None}


def flag_name(declared: Field) -> str:
    """``--as-this``."""
    return "--" + declared.name.replace("_", "-")


_FIELDS: Mapping[str, Field] = {field.name: field for field in attrs.fields(Settings)}


def _flag(declared: Field) -> dict[str, Any]:
    option = option_of(declared)
    unit = f", in {option.unit}" if option.unit else ""
    default = default_text(declared)
    text = f"{option.sentence}{unit}" + (f" (default: {default})" if default else "")
    words: dict[str, Any] = {"default": None, "help": text.replace("%", "%%")}
    if declared.type is bool:
        return words | {"action": argparse.BooleanOptionalAction}
    words["metavar"] = metavar_of(declared)
    return words | ({"action": "append"} if is_list(declared) else {})


def _value(name: str, given: _Given) -> Any:
    declared = _FIELDS[name]
    try:
        return value_of(declared, given.raw)
    except (TypeError, ValueError) as error:
        reason = f" ({error})" if str(error) else ""
        problem = f"wants {wanted(declared)}; got {_written(given.raw)}{reason}"
        # A URL may carry a password.
        problem = re.sub(r"//[^/@\s]*@", "//***@", problem)
        raise ConfigError(
            _guilty(declared, given), problem, source=given.source
        ) from None


def _guilty(declared: Field, given: _Given) -> str:
    """The key of the first element that is bad by itself, else that of all."""
    if isinstance(given.raw, list):
        for raw, key in zip(given.raw, given.element_keys, strict=False):
            try:
                value_of(declared, [raw])
            except (TypeError, ValueError):
                return key
    return given.key


def _written(raw: object) -> str:
    try:
        text = repr(raw)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}…"


def _from_file(path: Path) -> _File:
    text = _text(path)
    if is_statsd(path.name, text):
        file = read_statsd(text, str(path))
        given = {
            name: _Given(
                one.raw,
                f"file {path}",
                one.key,
                str(path),
                one.element_keys,
                one.may_be_remote,
            )
            for name, one in file.written.items()
        }
        return _File(given, file.remarks, file.notices)
    return _File(dict(_from_toml(text, path)))


def _from_toml(text: str, path: Path) -> Iterator[tuple[str, _Given]]:
    for key, raw in _toml(text, path).items():
        if isinstance(raw, dict):
            problem = "is a table; wants key = value at the top level, no tables"
            raise ConfigError(key, problem, source=str(path))
        if key not in _FIELDS:
            problem = "is not a setting" + _suggestion(key)
            raise ConfigError(key, problem, source=str(path))
        yield key, _Given(raw, f"file {path}", key, str(path))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            "CONFIG", f"cannot be read: {error.strerror}", source=str(path)
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            "CONFIG",
            f"wants UTF-8 text; byte {error.start} is none",
            source=str(path),
        ) from None


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            "CONFIG", f"wants TOML: key = value, one a line; {error}", source=str(path)
        ) from None


def _from_others(environment: Mapping[str, str]) -> Iterator[tuple[str, _Given]]:
    for variable, name in _OTHERS.items():
        if text := environment.get(variable):
            yield name, _Given(text, f"environment {variable}", variable, "environment")


def _from_environment(
    environment: Mapping[str, str],
) -> Iterator[tuple[str, _Given]]:
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or _KUBERNETES.fullmatch(variable):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in _FIELDS or variable != variable.upper():
            raise ConfigError(
                variable, "is not a setting" + _suggestion(name), source="environment"
            )
        if text:  # an empty variable is one that is not set
            raw = raw_of(_FIELDS[name], text)
            yield name, _Given(raw, f"environment {variable}", variable, "environment")


def _from_flags(flags: Mapping[str, object]) -> Iterator[tuple[str, _Given]]:
    for name, given in flags.items():
        flag = flag_name(_FIELDS[name])
        text = ",".join(given) if isinstance(given, list) else given
        raw = raw_of(_FIELDS[name], text) if isinstance(text, str) else text
        yield name, _Given(raw, f"flag {flag}", flag, "command line")


def _suggestion(key: str) -> str:
    if "secret" in key.lower() or "access_key" in key.lower():
        return "; keys come from ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, or key_file"
    close = difflib.get_close_matches(key.lower().replace("-", "_"), _FIELDS, n=1)
    return f"; did you mean {close[0]}?" if close else "; see cms-relay run --help"
