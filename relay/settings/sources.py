"""Where settings come from: flag over environment over file over default.

This is the only room that reads the process's environment and the configuration file.
Each value keeps its origin, so that a complaint and ``check`` can name it.
"""

import argparse
import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import attrs

from relay.errors import ConfigError
from relay.settings.declaration import Field, Settings, Unset, option_of
from relay.settings.forms import (
    is_list,
    metavar_of,
    raw_of,
    value_of,
    wanted,
)
from relay.settings.rules import adapted, broken_rule

__all__ = ["PREFIX", "Loaded", "add_arguments", "environment_name", "from_arguments"]
__all__ += ["flag_name", "load"]

PREFIX = "CMS_RELAY_"
DEFAULT = "default"
_QUOTED_MAX = 80

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
    """The vendor's own variables; they hold secrets."""


class _Given(NamedTuple):
    raw: object
    origin: str
    key: str
    source: str


def load(
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    will_run: bool = True,
) -> Loaded:
    """Settings out of a file, an environment and flags (by field name; text or bool).

    ``will_run`` is false for commands that send nothing: they do not ask for an
    endpoint. Raises ConfigError with source, key and the wanted form.
    """
    environment = {} if environment is None else environment
    given = dict(_from_file(config)) if config is not None else {}
    given |= dict(_from_environment(environment))
    given |= dict(_from_flags(flags or {}))
    settings = Settings(**{name: _value(name, one) for name, one in given.items()})
    origins = {
        name: given[name].origin if name in given else DEFAULT for name in _FIELDS
    }
    broken = broken_rule(settings, will_run=will_run)
    if broken is not None:
        key, problem = broken
        one = given.get(key, _Given(None, DEFAULT, key, str(config or "")))
        raise ConfigError(one.key, problem, source=one.source)
    return Loaded(
        settings=adapted(settings, set(given)),
        origins=origins,
        credentials_environment={
            name: value
            for name, value in environment.items()
            if name.startswith("ALIBABA_CLOUD_")
        },
    )


def add_arguments(
    parser: argparse.ArgumentParser, only: Collection[str] | None = None
) -> None:
    """A flag for every setting (or ``only`` some), in groups, with its sentence."""
    groups: dict[str, Any] = {}
    for field in attrs.fields(Settings):
        option = option_of(field)
        if only is not None and field.name not in only:
            continue
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        more: dict[str, Any]
        if field.type is bool:
            more = {"action": argparse.BooleanOptionalAction}
        else:
            more = {"metavar": metavar_of(field)}
            more |= {"action": "append"} if is_list(field) else {}
        help_text = _help_text(field)
        groups[option.group].add_argument(
            flag_name(field), dest=field.name, default=None, help=help_text, **more
        )


def from_arguments(arguments: argparse.Namespace, *, will_run: bool = True) -> Loaded:
    """As ``load``, out of parsed arguments, their ``config`` and the environment."""
    names = [name for name in _FIELDS if getattr(arguments, name, None) is not None]
    config: str | None = getattr(arguments, "config", None)
    return load(
        None if config is None else Path(config),
        {name: getattr(arguments, name) for name in names},
        os.environ,
        will_run=will_run,
    )


def flag_name(field: Field) -> str:
    """``--as-this``."""
    return "--" + field.name.replace("_", "-")


def environment_name(field: Field) -> str:
    """``CMS_RELAY_AS_THIS``."""
    return PREFIX + field.name.upper()


_FIELDS: Mapping[str, Field] = {field.name: field for field in attrs.fields(Settings)}


def _help_text(field: Field) -> str:
    from relay.settings.shown import default_text  # noqa: PLC0415 - only for --help

    option = option_of(field)
    unit = f", in {option.unit}" if option.unit else ""
    default = default_text(field)
    text = f"{option.sentence}{unit}" + (f" (default: {default})" if default else "")
    return text.replace("%", "%%")


def _value(name: str, given: _Given) -> Any:
    field = _FIELDS[name]
    try:
        return value_of(field, given.raw)
    except (TypeError, ValueError) as error:
        reason = f" ({error})" if str(error) else ""
        raise ConfigError(
            given.key,
            f"wants {wanted(field)}; got {_quoted(given.raw)}{reason}",
            source=given.source,
        ) from None


def _quoted(raw: object) -> str:
    """What was written, short, and without a password that a URL may carry."""
    text = re.sub(r"//[^/@\s]*@", "//***@", f"{raw!r}")
    return text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}…"


def _from_file(path: Path) -> Iterator[tuple[str, _Given]]:
    for key, raw in _toml(path).items():
        if key not in _FIELDS:
            problem = "is not a setting"
            if isinstance(raw, dict):
                problem = f"there are no tables; keys such as {_near(next(iter(raw), ''))} stand at the top level"
            raise ConfigError(key, problem + _suggestion(key), source=str(path))
        yield key, _Given(raw, f"file {path}", key, str(path))


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
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
    if path.suffix == ".js" or text.lstrip().startswith(("{", "/*", "//")):
        raise ConfigError(
            "CONFIG",
            "a config.js of statsd is not supported yet; wants TOML, "
            "as in deploy/relay.example.toml",
            source=str(path),
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            "CONFIG", f"wants TOML: key = value, one a line; {error}", source=str(path)
        ) from None


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
            raw = _from_text(_FIELDS[name], text)
            yield name, _Given(raw, f"environment {variable}", variable, "environment")


def _from_flags(flags: Mapping[str, object]) -> Iterator[tuple[str, _Given]]:
    for name, raw in flags.items():
        field = _FIELDS[name]
        flag = flag_name(field)
        text = ",".join(raw) if isinstance(raw, list) else raw
        value = _from_text(field, text) if isinstance(text, str) else text
        yield name, _Given(value, f"flag {flag}", flag, "command line")


def _from_text(field: Field, text: str) -> object:
    if option_of(field).unset is Unset.OFF and text == "off":
        return text
    return raw_of(field, text)


def _near(key: str) -> str:
    close = difflib.get_close_matches(key.lower().replace("-", "_"), _FIELDS, n=1)
    return close[0] if close else "region"


def _suggestion(key: str) -> str:
    if "secret" in key.lower() or "access_key" in key.lower():
        return "; keys come from ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, or key_file"
    close = difflib.get_close_matches(key.lower().replace("-", "_"), _FIELDS, n=1)
    return f"; did you mean {close[0]}?" if close else "; see cms-relay run --help"
