"""Mapping rules: what a series is called instead, which tags it keeps, or that it goes.

One ordered list, first match wins. A rule sees StatsD's view of a series (kind, name and
tags, in that form of section 5 of the contract) and gives another one of the same form:
what two spellings are mapped to alike is one series from then on, and the latest rule that
one was found by says how it is treated. What becomes of a name
in CloudMonitor is ``naming``'s business, where rules are written that of the settings.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from relay.rollup.treatment import Rewritten, Treatment
from relay.statsd.sample import Kind, Reason, Tags

__all__ = ["Mapper", "Rule", "Template", "glob", "pattern"]

REMEMBERED: Final = 16_384
_PLACE: Final = re.compile(r"\$(?:([0-9]{1,3})|\{([0-9]{1,3})\}|(\$))")
_STAR: Final = "*"
_Captures = Sequence[str | None]


class Template(NamedTuple):
    """Text with places for captures: at even places text, at odd ones a group's number."""

    parts: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str, groups: int) -> "Template":
        """``$1`` or ``${1}`` is what the first ``*``, or group, caught; ``$$`` is ``$``.

        ValueError where there are fewer than that.
        """
        parts: list[str | int] = []
        end = 0
        for found in _PLACE.finditer(text):
            parts.append(text[end : found.start()])
            end = found.end()
            if found[3]:
                parts.append("$")
                continue
            number = int(found[1] or found[2])
            if not 1 <= number <= groups:
                raise ValueError(f"${number} of {groups} captures in {text!r}")
            parts.append(number)
        return cls((*parts, text[end:]))

    def expand(self, captures: _Captures) -> str:
        """A group that took no part is empty."""
        return "".join(
            part if isinstance(part, str) else captures[part - 1] or ""
            for part in self.parts
        )


class Pattern(NamedTuple):
    """What names a rule is for; ``written`` is what people know it by.

    Where ``pieces`` is not None, each is a piece of a name between dots, or ``*``; else
    a name that begins with ``prefix`` is to be searched for ``expression``.
    """

    written: str
    groups: int
    pieces: tuple[str, ...] | None = None
    prefix: str = ""
    expression: "re.Pattern[str] | None" = None


def glob(text: str) -> Pattern:
    """``api.*.*.latency``: a star is anything but a dot, and caught. All of the name."""
    pieces = tuple(text.split("."))
    if all(piece == _STAR or _STAR not in piece for piece in pieces):
        return Pattern(text, pieces.count(_STAR), pieces)
    literals = text.split(_STAR)
    expression = "([^.]*)".join(map(re.escape, literals))
    whole = re.compile(rf"\A{expression}\Z", re.DOTALL)
    return Pattern(text, len(literals) - 1, None, literals[0], whole)


def pattern(text: str) -> Pattern:
    """A regular expression, searched for anywhere unless it says ``^`` and ``$``.

    ValueError where it is none.
    """
    try:
        expression = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    return Pattern(text, expression.groups, None, _prefix(text), expression)


def _prefix(text: str) -> str:
    """What every name that ``text`` finds begins with; empty where that is not plain."""
    if not text.startswith("^") or "|" in text:
        return ""
    prefix, at = "", 1
    while at < len(text):
        one = text[at]
        if one == "\\" and text[at + 1 : at + 2] and not text[at + 1].isalnum():
            literal, after = text[at + 1], at + 2
        elif one.isalnum() or one in "_-:/ ":
            literal, after = one, at + 1
        else:
            break
        if text[after : after + 1] in ("*", "?", "{"):
            break
        prefix, at = prefix + literal, after
    return prefix


class Rule(NamedTuple):
    """What is done with the series of ``pattern`` and of ``kinds`` (empty: of all).

    ``drops``: they are refused. Else of their tags those of ``keep`` stay (None: all),
    then those of ``drop`` go, then ``rename`` gives some another key, then those of
    ``add`` come, in the place of those of the same key. ``name`` is None where it stays.
    """

    pattern: Pattern
    kinds: frozenset[Kind] = frozenset()
    drops: bool = False
    name: Template | None = None
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = {}
    add: tuple[tuple[str, Template], ...] = ()
    treatment: Treatment = Treatment()

    def apply(self, name: str, tags: Tags, captures: _Captures) -> tuple[str, Tags]:
        """Another name and other tags, sorted by key."""
        new = name if self.name is None else self.name.expand(captures)
        if not (tags or self.add):
            return new, tags
        left = {
            self.rename.get(key, key): value
            for key, value in tags
            if (self.keep is None or key in self.keep) and key not in self.drop
        }
        left |= {key: template.expand(captures) for key, template in self.add}
        return new, tuple(sorted(left.items(), key=lambda pair: pair[0]))


class _Node:
    """Of a tree of pieces: where the next one leads, and who ends here, in their order."""

    __slots__ = ("any", "ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.ends: list[int] = []


class Mapper:
    """A ``Rewrite``: applies the first of ``rules`` that matches.

    What a name costs does not grow with the number of rules but with that of those its
    beginning fits: pieces are a tree, other patterns are found by their prefix.
    ``matched`` is how many questions each rule answered. Which rule a name was last made
    by is remembered of ``REMEMBERED`` names.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.matched = [0] * len(self.rules)
        self._made: dict[tuple[Kind, str], int] = {}
        self._tree = _Node()
        self._prefixed: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            if rule.pattern.pieces is None:
                self._prefixed.setdefault(rule.pattern.prefix, []).append(number)
            else:
                self._plant(rule.pattern.pieces, number)
        self._lengths = sorted({len(prefix) for prefix in self._prefixed})

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Rewritten | Reason:
        """The name and the tags that count; unchanged where no rule matches."""
        found = self.find(kind, name)
        if found is None:
            return Rewritten(name, tags)
        number, captures = found
        self.matched[number] += 1
        rule = self.rules[number]
        if rule.drops:
            return Reason.DROPPED_BY_RULE
        new, left = rule.apply(name, tags, captures)
        self._remember((kind, new), number)
        return Rewritten(new, left, rule.treatment)

    def made(self, kind: Kind, name: str) -> int | None:
        """The place of the rule that last gave ``name``; None where none is known."""
        return self._made.get((kind, name))

    def _remember(self, made: tuple[Kind, str], number: int) -> None:
        self._made.pop(made, None)
        if len(self._made) >= REMEMBERED:
            del self._made[next(iter(self._made))]
        self._made[made] = number

    @property
    def priorities(self) -> Collection[int]:
        """All that rules give."""
        return {rule.treatment.priority for rule in self.rules if not rule.drops}

    def find(self, kind: Kind, name: str) -> tuple[int, _Captures] | None:
        """The place of the first rule that matches, and what it caught."""
        pieces = name.split(".")
        best = min(self._of_pieces(kind, pieces), default=None)
        for number in self._with_prefix(name):
            if best is not None and number > best:
                break
            rule = self.rules[number]
            if rule.kinds and kind not in rule.kinds:
                continue
            expression = rule.pattern.expression
            match = expression.search(name) if expression else None
            if match is not None:
                return number, match.groups()
        if best is None:
            return None
        wanted = self.rules[best].pattern.pieces or ()
        return best, [
            piece for piece, one in zip(pieces, wanted, strict=True) if one == _STAR
        ]

    def _plant(self, pieces: Sequence[str], number: int) -> None:
        node = self._tree
        for piece in pieces:
            if piece == _STAR:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.next.setdefault(piece, _Node())
        node.ends.append(number)

    def _of_pieces(self, kind: Kind, pieces: Sequence[str]) -> Iterator[int]:
        """Of each end that fits the first rule that is for ``kind``."""
        nodes = [self._tree]
        for piece in pieces:
            nodes = [*_next(nodes, piece)]
            if not nodes:
                return
        for node in nodes:
            yield from self._first_of(kind, node.ends)

    def _first_of(self, kind: Kind, numbers: Collection[int]) -> Iterator[int]:
        for number in numbers:
            kinds = self.rules[number].kinds
            if not kinds or kind in kinds:
                yield number
                return

    def _with_prefix(self, name: str) -> Sequence[int]:
        """All whose prefix the name has, in their order."""
        lists = [
            numbers
            for length in self._lengths
            if (numbers := self._prefixed.get(name[:length]))
        ]
        return lists[0] if len(lists) == 1 else sorted(chain.from_iterable(lists))


def _next(nodes: Sequence[_Node], piece: str) -> Iterator[_Node]:
    for node in nodes:
        literal = node.next.get(piece)
        if literal is not None:
            yield literal
        if node.any is not None:
            yield node.any
