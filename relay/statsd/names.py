"""The part of a line before the first colon: a name, and in some dialects tags.

Which dialect a name is written in shows in its first separator. Plain StatsD removes
``#``, ``,``, ``[`` and ``]`` from names, so every dialect but Graphite's changes the
meaning of lines that were accepted before, and has to be asked for. What becomes of
the tags, and of tags behind the value, is not known here.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

__all__ = ["DIALECTS", "Dialect", "Name", "is_plain", "name_reader", "sanitise"]

# The white space of JavaScript's \s, in which the reference's key rule is written.
# Python's \s has U+001C to U+001F and U+0085 too, and lacks U+FEFF.
_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_spaces = re.compile(f"[{_SPACE}]+")
_removed = re.compile(r"[^a-zA-Z0-9_\-.;=]+")
is_plain = re.compile(rb"[a-zA-Z0-9_\-.=]*+").fullmatch
"""Whether the reference's key rule leaves a name as it is, and no dialect has tags in it."""


class Name(NamedTuple):
    """``name`` is cleaned; ``tags`` are texts ``key=value`` as they stood in it.

    ``exclusive``: the tags must not meet a ``|#`` field on the same line.
    """

    name: str
    tags: list[str]
    exclusive: bool = False


Clean = Callable[[str], str]
"""What becomes of a key: ``sanitise``, or nothing."""


class Dialect(NamedTuple):
    """A way of writing tags into names: the sign that shows it, and its reader.

    The reader gets the decoded name, where the sign stands in it, and what cleans it.
    """

    sign: str
    read: Callable[[str, int, Clean], Name]


def sanitise(name: str) -> str:
    """``name`` by the reference's key rule: runs of white space ``_``, ``/`` to ``-``.

    Everything else outside ``a-z A-Z 0-9 _ - . ; =`` is removed.
    Source: statsd/statsd, ``stats.js``, ``sanitizeKeyName``.
    """
    return _removed.sub("", _spaces.sub("_", name).replace("/", "-"))


def _graphite(name: str, _at: int, clean: Clean) -> Name:
    """``disk.used;datacenter=dc1;rack=a1``, cleaned as one key like the reference."""
    cleaned, *tags = clean(name).split(";")
    return Name(cleaned, tags)


def _separated(name: str, at: int, clean: Clean) -> Name:
    """``users,service=payroll,region=us`` and ``users#service=payroll,region=us``."""
    return Name(clean(name[:at]), name[at + 1 :].split(","), exclusive=True)


def _bracketed(name: str, at: int, clean: Clean) -> Name:
    """``foo.[service=payroll]test``, which is ``foo.test``.

    A bracket without its partner separates nothing; the name then means what it means
    without the dialect, as in statsd_exporter (``pkg/line/line.go``).
    """
    end = name.find("]", at)
    if end < 0:
        return _graphite(name, at, clean)
    tags = name[at + 1 : end].split(",")
    return Name(clean(name[:at] + name[end + 1 :]), tags, exclusive=True)


DIALECTS: Mapping[str, Dialect] = {
    "graphite": Dialect(";", _graphite),
    "influx": Dialect(",", _separated),
    "librato": Dialect("#", _separated),
    "signalfx": Dialect("[", _bracketed),
}
"""Every dialect by the word that switches it on; Graphite's cannot be switched off."""


def name_reader(
    dialects: Collection[str], *, sanitises: bool = True
) -> Callable[[bytes], Name]:
    """A function from the bytes before the first colon to a Name.

    ``sanitises``: by the reference's key rule; otherwise a name is what was sent. Raises ValueError for a dialect that is not in DIALECTS.
    """
    if unknown := sorted(set(dialects) - set(DIALECTS)):
        raise ValueError(f"no such dialect: {', '.join(unknown)}")
    clean: Clean = sanitise if sanitises else str
    readers = {DIALECTS[word].sign: DIALECTS[word].read for word in dialects}
    first_sign = re.compile("[" + re.escape("".join({";", *readers})) + "]").search

    def read(text: bytes) -> Name:
        if is_plain(text):
            return Name(text.decode("ascii"), [])
        name = text.decode("utf-8", "replace")
        sign = first_sign(name)
        if sign is None:
            return Name(clean(name), [])
        return readers.get(sign.group(), _graphite)(name, sign.start(), clean)

    return read
