"""From what was written to a typed value, and the words for what is wanted.

A raw value is what TOML knows: text, numbers, booleans, lists. ``raw_of`` reads text
(flags, environment) into that form, ``value_of`` makes the field's type of it, by way of
cattrs. Where it came from is not known here.
"""

import math
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cattrs import Converter

from relay.cloudmonitor.exchange import Endpoint, endpoint_at
from relay.errors import ConfigError
from relay.settings.option import Field, Option, Unset, option_of
from relay.settings.rule_file import RuleFile
from relay.settings.values import DOOR_FORMS, Address, Listen, Target

__all__ = ["default_text", "is_list", "metavar_of", "plain", "raw_of", "value_of"]
__all__ += ["wanted"]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_FORMS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", ""),
    int: ("a whole number", "N"),
    float: ("a number", "N"),
    str: ("text", "TEXT"),
    Path: ("a path", "FILE"),
    Address: ("HOST:PORT", "HOST:PORT"),
    Listen: (DOOR_FORMS, "URL"),
    Target: ("udp://HOST:PORT or tcp://HOST:PORT", "URL"),
    Endpoint: ("https://HOST", "URL"),
    RuleFile: ("a file of mapping rules", "FILE"),
}
"""A type, how it is asked for in a sentence, and how it stands behind a flag."""


def value_of(field: Field, raw: object) -> Any:
    """The typed value; ValueError says which rule ``raw`` breaks, maybe with no text."""
    option = option_of(field)
    if option.unset is Unset.OFF and raw == "off":
        return None
    value = _structured(raw, field.type)
    for element in value if is_list(field) else (value,):
        _check(element, option)
    if field.name == "listen" and not value:
        raise ValueError("one at least is needed")
    return value


def raw_of(field: Field, text: str) -> object:
    """Text as TOML would have it: ``60`` for a number, a list cut at commas."""
    if is_list(field):
        element = get_args(field.type)[0]
        return [_scalar(element, part.strip()) for part in text.split(",") if part]
    return _scalar(_core(field.type), text)


def wanted(field: Field) -> str:
    """The wanted form in words, as an error gives it."""
    option, core = option_of(field), _core(field.type)
    if option.choices:
        form = "one of " + ", ".join(plain(choice) for choice in option.choices)
    else:
        form = _FORMS[core][0]
        form += f" of {option.unit}" if option.unit else ""
        form += f" from {_short(option.least)}" if option.least is not None else ""
        form += f" to {_short(option.most)}" if option.most is not None else ""
    if is_list(field):
        form = f"a list, each {form}"
    return f"{form}, or off" if option.unset is Unset.OFF else form


def metavar_of(field: Field) -> str:
    """What stands behind the flag in a usage line."""
    option = option_of(field)
    if option.metavar:
        return option.metavar
    if option.choices and not isinstance(option.choices[0], int):
        return "|".join(plain(choice) for choice in option.choices)
    name = option.unit.upper() if option.unit in {"seconds", "bytes"} else ""
    name = name or _FORMS[_core(field.type)][1]
    return f"{name}|off" if option.unset is Unset.OFF else name


def default_text(field: Field) -> str:
    """The default in words; empty where there is none."""
    option = option_of(field)
    if option.default_text:
        return option.default_text
    if field.default is None:
        return "off" if option.unset is Unset.OFF else ""
    if type(field.default) is tuple:
        return ", ".join(plain(one) for one in field.default) or "none"
    return plain(field.default)


def plain(value: object) -> str:
    """One value, not a list, as it is typed behind a flag."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Endpoint):
        return value.url.rstrip("/")
    return str(value.value if isinstance(value, Enum) else value)


def is_list(field: Field) -> bool:
    """Whether the setting takes several values."""
    return _is_tuple(field.type)


def _is_tuple(declared: object) -> bool:
    return get_origin(declared) is tuple


def _core(declared: Any) -> Any:
    """The one type inside a list, an optional or a choice."""
    match get_origin(declared):
        case None:
            return declared
        case origin if origin is Literal:
            return str
        case _:
            return next(one for one in get_args(declared) if one is not type(None))


def _scalar(kind: type, text: str) -> object:
    if kind is bool:
        return _SWITCH.get(text.lower(), text)
    if kind is int and _WHOLE.fullmatch(text):
        return int(text[:40])
    if kind is float and _DECIMAL.fullmatch(text):
        return float(text)
    return text


def _check(value: object, option: Option) -> None:
    if option.choices and value not in option.choices:
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    least = -math.inf if option.least is None else option.least
    most = math.inf if option.most is None else option.most
    if not least <= value <= most:  # which is also the way to refuse a nan
        raise ValueError


def _short(bound: float | None) -> str:
    return "" if bound is None else f"{int(bound) if bound == int(bound) else bound}"


def _switch(raw: object, _: object) -> bool:
    if not isinstance(raw, bool):
        raise TypeError
    return raw


def _whole(raw: object, _: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise TypeError
    return raw


def _number(raw: object, _: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise TypeError
    try:
        return float(raw)
    except OverflowError:
        raise ValueError from None


def _text(raw: object, _: object) -> str:
    if not isinstance(raw, str):
        raise TypeError
    if not raw.strip():
        raise ValueError("it is empty")
    if not raw.isprintable():
        raise ValueError("there is a control character in it")
    return raw


def _parsed(parse: Callable[[str], Any]) -> Callable[[object, object], Any]:
    return lambda raw, _: parse(_text(raw, _))


def _structured(raw: object, declared: Any) -> Any:
    kind = declared if _is_tuple(declared) else _core(declared)
    return _CONVERTER.structure(raw, kind)


def _endpoint(text: str) -> Endpoint:
    if any(map(str.isspace, text)):
        raise ValueError("there is a blank in it")
    try:
        return endpoint_at(text)
    except ConfigError as error:
        raise ValueError(error.problem) from None


def _list(raw: object, declared: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise TypeError("it is not a list")
    element = get_args(declared)[0]
    return tuple(_structured(one, element) for one in raw)


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for kind, hook in (
        (bool, _switch),
        (int, _whole),
        (float, _number),
        (str, _text),
        (Path, _parsed(Path)),
        (Address, _parsed(Address.parse)),
        (Listen, _parsed(Listen.parse)),
        (Target, _parsed(Target.parse)),
        (Endpoint, _parsed(_endpoint)),
        (RuleFile, _parsed(RuleFile.read)),
    ):
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(_is_tuple, _list)
    return converter


_CONVERTER = _make_converter()
