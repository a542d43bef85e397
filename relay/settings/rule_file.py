"""The file of mapping rules: from its text to rules, or to what is wrong in it.

    [[rule]]
    match = "api.*.*.latency"
    name = "api_latency"
    add_tags = { service = "$1", method = "$2" }
    percentiles = [50, 99]
    idle_ttl = 600

TOML, an array of tables, in the order in which they are tried; or, in a file that ends in
``.yaml`` or ``.yml``, a mapping file of statsd_exporter. What the rules do is
``cloudmonitor.mapping``'s business.
"""

import difflib
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import attrs

from relay.cloudmonitor import contract
from relay.cloudmonitor.mapping import Pattern, Rule, Template, glob, pattern
from relay.rollup.treatment import Treatment
from relay.settings.exporter_rules import exporter_rules
from relay.statsd.sample import Kind

__all__ = ["RuleFile", "read_rules"]

_TABLE: Final = "rule"
_OTHERS: Final = (
    *("name", "keep_tags", "drop_tags", "rename_tags", "add_tags"),
    *("group_id", "percentiles", "idle_ttl", "delete_idle", "priority"),
)
"""What a rule may do, if it does not drop the series."""

_KEYS: Final = ("match", "regex", "kinds", "drop", *_OTHERS)
_GROUP_MOST: Final = 2**63 - 1
_IDLE_MOST: Final = 366 * 86_400
_PRIORITY_MOST: Final = 9


@attrs.frozen
class RuleFile:
    """Rules, where they stand, and a digest of the text they were read from.

    ``notices`` are what was passed over in it. Two are equal where path and digest are: so that a reload notices another text.
    """

    path: Path
    digest: str
    rules: tuple[Rule, ...] = attrs.field(eq=False, repr=False)
    notices: tuple[str, ...] = attrs.field(eq=False, repr=False, default=())

    @classmethod
    def read(cls, text: str) -> Self:
        """The file at the path ``text``; ValueError with the number of a bad rule."""
        path = Path(text)
        try:
            written = path.read_bytes()
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from None
        digest = hashlib.sha256(written).hexdigest()[:12]
        try:
            plain = written.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"byte {error.start} is no UTF-8") from None
        if path.suffix in (".yaml", ".yml"):
            return cls(path, digest, *exporter_rules(_yaml(plain)))
        return cls(path, digest, read_rules(plain))

    def __str__(self) -> str:
        return str(self.path)


def _yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError("YAML wants: pip install 'cms-relay[yaml]'") from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"no YAML: {' '.join(str(error).split())}") from None


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a file; ValueError with the number of a bad one and the fix."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no TOML: {error}") from None
    for key in found:
        if key != _TABLE:
            raise ValueError(f"{key!r} is not [[{_TABLE}]], of which a file is made")
    tables = found.get(_TABLE, [])
    if not isinstance(tables, list):
        raise ValueError(f"{_TABLE} wants double brackets: [[{_TABLE}]]")  # noqa: TRY004 - as all bad text
    return tuple(_numbered(enumerate(tables, 1)))


def _numbered(tables: Iterable[tuple[int, object]]) -> Iterable[Rule]:
    for number, table in tables:
        try:
            yield _rule(table)
        except ValueError as error:
            raise ValueError(f"rule {number}: {error}") from None


def _rule(table: object) -> Rule:
    if not isinstance(table, dict):
        raise ValueError("wants keys and values")  # noqa: TRY004 - as all bad text
    for key in table:
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, n=1)
            fix = f"did you mean {close[0]}?" if close else f"keys: {', '.join(_KEYS)}"
            raise ValueError(f"{key} is no key of a rule; {fix}")
    found = _pattern(table)
    drops = _of(table, "drop", bool, False)
    done = [key for key in _OTHERS if key in table]
    if drops and done:
        raise ValueError(f"drop = true leaves nothing for {done[0]}; wants one of both")
    if not drops and not done:
        raise ValueError(f"it does nothing; wants drop = true or {', '.join(_OTHERS)}")
    name = _of(table, "name", str, None)
    keep = None if "keep_tags" not in table else frozenset(_words(table, "keep_tags"))
    return Rule(
        found,
        kinds=frozenset(map(_kind, _words(table, "kinds"))),
        drops=drops,
        name=None if name is None else _template("name", name, found),
        keep=keep,
        drop=frozenset(_words(table, "drop_tags")),
        rename=_renamed(_texts(table, "rename_tags")),
        add=tuple(
            (key, _template(f"add_tags.{key}", text, found))
            for key, text in _texts(table, "add_tags").items()
        ),
        treatment=_treatment(table),
    )


def _treatment(table: Mapping[str, Any]) -> Treatment:
    group = _whole(table, "group_id", 0, _GROUP_MOST)
    return Treatment(
        group=None if group is None else str(group),
        percentiles=_percentiles(table),
        idle_ttl=_whole(table, "idle_ttl", 0, _IDLE_MOST),
        is_silent=_of(table, "delete_idle", bool, None),
        priority=_whole(table, "priority", -_PRIORITY_MOST, _PRIORITY_MOST) or 0,
    )


def _whole(table: Mapping[str, Any], key: str, least: int, most: int) -> int | None:
    found = table.get(key)
    if found is None:
        return None
    is_whole = isinstance(found, int) and not isinstance(found, bool)
    if not is_whole or not least <= found <= most:
        raise ValueError(
            f"{key} wants a whole number, {least} to {most}; got {found!r}"
        )
    return int(found)


def _percentiles(table: Mapping[str, Any]) -> tuple[int, ...] | None:
    found = table.get("percentiles")
    if found is None:
        return None
    every = found if isinstance(found, list) else [found]
    if not all(one in contract.PERCENTILES for one in every):
        known = ", ".join(map(str, contract.PERCENTILES))
        raise ValueError(f"percentiles wants a list out of {known}; got {found!r}")
    return tuple(sorted(set(every)))


def _pattern(table: Mapping[str, Any]) -> Pattern:
    if ("match" in table) == ("regex" in table):
        raise ValueError("wants either match (with *) or regex")
    key, make = ("match", glob) if "match" in table else ("regex", pattern)
    text = _of(table, key, str, "")
    if not text:
        raise ValueError(f"{key} is empty")
    return _named(key, make, text)


def _template(key: str, text: str, found: Pattern) -> Template:
    if not text:
        raise ValueError(f"{key} is empty")
    return _named(key, lambda text: Template.parse(text, found.groups), text)


_Made = TypeVar("_Made")


def _named(key: str, make: Callable[[str], _Made], text: str) -> _Made:
    try:
        return make(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _kind(word: str) -> Kind:
    try:
        return Kind(word)
    except ValueError:
        words = ", ".join(kind.value for kind in Kind)
        raise ValueError(f"kinds: {word!r} is none of {words}") from None


def _of(table: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    found = table.get(key, default)
    if found is not default and not isinstance(found, kind):
        form = {bool: "true or false", str: "text"}[kind]
        raise ValueError(f"{key} wants {form}; got {found!r}")
    return found


def _words(table: Mapping[str, Any], key: str) -> list[str]:
    """A list of texts; one text is a list of one."""
    found = table.get(key, [])
    words = [found] if isinstance(found, str) else found
    if not isinstance(words, list) or not all(
        isinstance(one, str) and one for one in words
    ):
        raise ValueError(f"{key} wants a list of texts; got {found!r}")
    return words


def _texts(table: Mapping[str, Any], key: str) -> dict[str, str]:
    found = table.get(key, {})
    if not isinstance(found, dict) or not all(
        isinstance(one, str) and one and tag for tag, one in found.items()
    ):
        raise ValueError(f"{key} wants {{ tag = text }}; got {found!r}")
    return found


def _renamed(tags: Mapping[str, str]) -> Mapping[str, str]:
    if len(set(tags.values())) < len(tags):
        raise ValueError("rename_tags gives two tags one key")
    return tags
