"""Settings as people read them: ``check``, the table of docs/settings.rst, the example file.

All of it is made from the declaration; none of it is written by hand.
"""

import hashlib
import json
import textwrap
from collections.abc import Iterator

import attrs

from relay.settings.declaration import Settings
from relay.settings.forms import default_text, plain, wanted
from relay.settings.option import Field, Unset, option_of
from relay.settings.sources import Loaded, flag_name
from relay.settings.statsd_keys import KEYS, Fate

__all__ = [
    "check_lines",
    "config_rows",
    "configuration_hash",
    "example_toml",
    "remark_lines",
    "settings_table",
    "toml_value",
]


def toml_value(value: object) -> str:
    """A value as TOML writes it; None is ``off``."""
    if type(value) is tuple:
        return f"[{', '.join(map(toml_value, value))}]"
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}"
        case float():
            return f"{int(value)}" if value.is_integer() else f"{value!r}"
        case _:
            return json.dumps(
                "off" if value is None else plain(value), ensure_ascii=False
            )


def config_rows(settings: Settings) -> Iterator[tuple[str, object]]:
    """Every setting by name; one with several values is a mapping, by their place."""
    for field in attrs.fields(Settings):
        value = getattr(settings, field.name)
        if isinstance(value, tuple) and type(value) is tuple:
            yield field.name, {n: plain(one) for n, one in enumerate(value)}
        else:
            yield field.name, "off" if value is None else plain(value)


def check_lines(loaded: Loaded) -> Iterator[str]:
    """Every setting as a line of TOML with its origin behind it."""
    rows = []
    for field in attrs.fields(Settings):
        value = getattr(loaded.settings, field.name)
        absent = value is None and option_of(field).unset is Unset.ABSENT
        text = (
            f"# {field.name} is not set"
            if absent
            else f"{field.name} = {toml_value(value)}"
        )
        rows.append((text, loaded.origins[field.name]))
    width = min(max(len(text) for text, _ in rows), 60)
    for text, origin in rows:
        yield f"{text:<{width}}  # {origin}"


def remark_lines(loaded: Loaded) -> Iterator[str]:
    """Of a statsd config.js every key and what became of it, as comments of TOML.

    Last come the keys that are not in it, so that none is passed over in silence.
    """
    if not loaded.remarks:
        return
    width = max(len(one.key) for one in loaded.remarks)
    yield "#"
    yield "# config.js, key by key:"
    for one in loaded.remarks:
        yield f"# {one.key:<{width}}  {one.fate.value:<8}  {one.text}"
    present = {one.key for one in loaded.remarks}
    for fate in Fate:
        absent = [
            name
            for row in KEYS
            if row.fate is fate
            for name in row.names.split(", ")
            if name not in present
        ]
        if absent:
            text = f"not there; {fate.value} where they are: {', '.join(absent)}"
            yield from _comment(text)
    yield "#"


def configuration_hash(settings: Settings) -> str:
    """Twelve hexadecimal digits that change when, and only when, a value does.

    The text of a file of rules is part of its value.
    """
    rows = [
        f"{field.name}={toml_value(getattr(settings, field.name))}"
        for field in attrs.fields(Settings)
    ]
    if settings.mapping is not None:
        rows.append(settings.mapping.digest)
    text = "\n".join(rows)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def example_toml() -> str:
    """``deploy/relay.example.toml``: every key with its default, and a region."""
    lines = [
        "# Settings of cms-relay; made from their declaration, checked by a test.",
        "# Each is also a flag (--like-this) and a variable (CMS_RELAY_LIKE_THIS); the flag",
        "# wins, then the variable, then this file. What is commented out is the default,",
        "# or an example where there is none. Secrets do not belong here: see key_file.",
    ]
    group = ""
    for field in attrs.fields(Settings):
        option = option_of(field)
        if option.group != group:
            group = option.group
            lines += ["", f"# --- {group} ---"]
        lines += ["", *_comment(f"{option.sentence}: {wanted(field)}.")]
        lines.append(_example(field))
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """The table of docs/settings.rst, in reStructuredText."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 30 50 20",
        "",
        "   * - flag",
        "     - meaning",
        "     - default",
    ]
    for field in attrs.fields(Settings):
        option = option_of(field)
        unit = f", in {option.unit}" if option.unit else ""
        default = default_text(field)
        lines += [
            f"   * - ``{flag_name(field)}``",
            f"     - {option.sentence}{unit}",
            f"     - ``{default}``"
            if default and not option.default_text
            else f"     - {default or 'not set'}",
        ]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 86)]


def _example(field: Field) -> str:
    option = option_of(field)
    if field.name == "region":
        return f'region = "{option.sample}"'
    value = field.default
    if option.sample:
        value = (option.sample,) if type(field.default) is tuple else option.sample
    return f"# {field.name} = {toml_value(value)}"
