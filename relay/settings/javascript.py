"""The object literal of a JavaScript configuration file as plain values. Runs nothing.

The library json5 reads the object. Before that, what JavaScript allows and JSON5 does not
know is found and overlaid, at the same length, so that json5 and every complaint still
speak of the operator's own lines and columns: an assignment or parentheses around the
object are blanked, a few literals are spelt as JSON5 has them, and an expression, which
only running it could turn into a value, becomes an ``Expression``. Most files compute no
more than a key nobody here asks for; whoever does ask refuses it by name.

Which keys there are is not known here.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["Expression", "NotPlainError", "object_in"]

_DEPTH_MAX: Final = 16
"""The deepest key of statsd is three down; json5 descends by recursion."""

_NUMBER = r"[+-]?(?:0[xX][0-9a-fA-F]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_TOKEN = re.compile(
    r"(?P<trivia>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)"
    r"|(?P<string>\"(?:\\(?:\r\n|.)|[^\"\\\n])*\"|'(?:\\(?:\r\n|.)|[^'\\\n])*')"
    r"|(?P<template>`(?:\\.|[^`\\])*`)"
    rf"|(?P<word>{_NUMBER}(?![\w$.\\])|[+-]?(?:[\w$.]|[^\x00-\x7f\s\ufeff]|\\u[0-9a-fA-F]{{4}})+)"
    r"|(?P<open>[{\[(])"
    r"|(?P<close>[}\])])"
    r"|(?P<unclosed>/\*|[\"'`])"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_KNOWN_WORD = re.compile(rf"{_NUMBER}|true|false|null|[+-]?(?:Infinity|NaN)")
_OTHER_NUMBER = re.compile(
    r"0(?P<legacy>[0-7]{1,20})"
    r"|(?P<based>0[oO][0-7]{1,20}|0[bB][01]{1,60}|[0-9]{1,9}(?:_[0-9]{1,9}){1,9})"
)
_JSON5_COMPLAINT = re.compile(r"<string>:(\d+) (.*) at column (\d+)", re.DOTALL)
_PARTNER = {"{": "}", "[": "]", "(": ")"}


class NotPlainError(ValueError):
    """The text holds more than an object that can be read; says where and what to do."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(f"line {line}, column {column}: {problem}")


class Expression(NamedTuple):
    """What stands in place of a value and would have to be run to become one."""

    text: str
    line: int
    column: int


class _Undefined(Enum):
    UNDEFINED = "undefined"


_Overlay: TypeAlias = "Expression | _Undefined"


class _Token(NamedTuple):
    kind: str
    start: int
    end: int
    partner: int
    """Of an opening bracket: the place of the closing one in the list of tokens."""


def object_in(text: str) -> dict[str, Any]:
    """The object literal that ``text`` is, or assigns.

    Values are those of JSON, and ``Expression``. Raises NotPlainError.
    """
    return _Reading(text).object()


class _Reading:
    """One text on its way; ``_cells`` are its characters, overlaid as it goes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cells = list(text)
        self._overlays: dict[str, _Overlay] = {}
        self._free = (
            mark for mark in map(chr, range(0xE000, 0xF900)) if mark not in text
        )
        self._tokens = self._cut()

    def object(self) -> dict[str, Any]:
        first, end = self._bare(0, len(self._tokens))
        self._value(first, end, 0)
        plain = self._json5("".join(self._cells))
        restored: dict[str, Any] = _restored(plain, self._overlays)
        return restored

    # What is around the object

    def _bare(self, first: int, end: int) -> tuple[int, int]:
        """The tokens of the object alone; what is around it is blanked."""
        while end - first > 1 and self._spelling(end - 1) == ";":
            end = self._blanked(end - 1)
        while first + 2 < end and self._is_target(first):
            first = self._blanked(first, first + 1) + 2
        if first == end:
            raise self._at(len(self._text), "there is no object: wants { key: value }")
        if self._spelling(first) == "(" and self._tokens[first].partner == end - 1:
            self._blanked(first)
            return self._bare(first + 1, self._blanked(end - 1))
        if self._spelling(first) != "{":
            raise self._at_token(first, "wants an object: { key: value, … }")
        if self._tokens[first].partner != end - 1:
            raise self._at_token(
                self._tokens[first].partner + 1,
                "only one object is read, and nothing behind it; take this out",
            )
        return first, end

    def _is_target(self, first: int) -> bool:
        """``module.exports =``, ``config =``: the reference evaluates one of them."""
        is_name = re.fullmatch(r"[A-Za-z_$][\w$.]*", self._spelling(first))
        return is_name is not None and self._spelling(first + 1) == "="

    def _blanked(self, *places: int) -> int:
        for place in places:
            token = self._tokens[place]
            self._overlay(token.start, token.end, "")
        return places[0]

    # What is in it

    def _value(self, first: int, end: int, depth: int) -> None:
        """Overlay what JSON5 does not know in the value of these tokens."""
        token = self._tokens[first]
        if token.kind == "open" and token.partner == end - 1:
            if depth == _DEPTH_MAX:
                raise self._at(token.start, f"is more than {_DEPTH_MAX} deep")
            match self._spelling(first):
                case "{":
                    self._members(first + 1, end - 1, depth + 1)
                    return
                case "[":
                    for piece in self._pieces(first + 1, end - 1):
                        self._value(*piece, depth + 1)
                    return
                case _ if first + 2 < end:
                    self._blanked(first, end - 1)
                    self._value(first + 1, end - 1, depth + 1)
                    return
        start, stop = token.start, self._tokens[end - 1].end
        spelling = self._text[start:stop]
        if end == first + 1 and (
            token.kind == "string" or _KNOWN_WORD.fullmatch(spelling)
        ):
            return
        self._look_for_missing_comma(first, end)
        plain = _respelt(spelling)
        if plain is None:
            plain = self._mark(start, spelling)
        self._overlay(start, stop, plain)

    def _members(self, first: int, end: int, depth: int) -> None:
        for start, stop in self._pieces(first, end):
            is_key = self._tokens[start].kind in {"string", "word"}
            if not is_key or stop - start < 3 or self._spelling(start + 1) != ":":  # noqa: PLR2004 - key, colon, value
                raise self._at_token(
                    start, "wants key: value; other forms are not evaluated"
                )
            self._value(start + 2, stop, depth)

    def _pieces(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """What stands between commas; a last comma may end it."""
        start = place = first
        while place < end:
            if self._spelling(place) == ",":
                if start == place:
                    raise self._at_token(place, "there is nothing before this comma")
                yield start, place
                start = place = place + 1
            else:
                place = max(self._tokens[place].partner, place) + 1
        if start < end:
            yield start, end

    def _look_for_missing_comma(self, first: int, end: int) -> None:
        """Two values side by side are no expression; nor is a key behind a value."""
        before = place = first
        while place < end:
            spelling = self._spelling(place)
            if spelling == "?":
                return
            if spelling == ":" and place > first:
                raise self._at_token(before, "wants a comma before this")
            if place > first and self._is_literal(before) and self._is_literal(place):
                raise self._at_token(place, "wants a comma before this")
            before = place
            place = max(self._tokens[place].partner, place) + 1

    def _is_literal(self, place: int) -> bool:
        spelling = self._spelling(place)
        if self._tokens[place].kind == "word":
            return _KNOWN_WORD.fullmatch(spelling) is not None and (
                spelling[0] not in "+-"
            )
        return self._tokens[place].kind == "string"

    def _mark(self, start: int, spelling: str) -> str:
        """A string for json5 to read, from which the expression is known again."""
        line, column = self._where(start)
        mark = next(self._free, "")
        if len(spelling) < len('"x"') or not mark:
            raise NotPlainError(
                line, column, f"{spelling} is no value; write the value"
            )
        self._overlays[mark] = (
            _Undefined.UNDEFINED
            if spelling == "undefined"
            else Expression(spelling, line, column)
        )
        return f'"{mark}"'

    def _overlay(self, start: int, stop: int, plain: str) -> None:
        """``plain`` in the place of what is there, lines kept where they are."""
        for place in range(start, stop):
            if self._cells[place] not in "\r\n":
                self._cells[place] = " "
        self._cells[start : start + len(plain)] = plain

    # Tokens and places

    def _cut(self) -> list[_Token]:
        """The text in tokens, without what means nothing; brackets know each other."""
        tokens: list[_Token] = []
        opened: list[int] = []
        for found in _TOKEN.finditer(self._text):
            kind, start = str(found.lastgroup), found.start()
            if kind == "trivia":
                continue
            if kind == "unclosed":
                raise self._at(start, f"this {found[0]} is never closed")
            if kind == "open":
                opened.append(len(tokens))
            if kind == "close":
                self._close(tokens, opened, start)
            tokens.append(_Token(kind, start, found.end(), -1))
        if opened:
            start = tokens[opened[-1]].start
            raise self._at(start, f"this {self._text[start]} is never closed")
        return tokens

    def _close(self, tokens: list[_Token], opened: list[int], start: int) -> None:
        bracket = self._text[start]
        if not opened:
            raise self._at(start, f"there is no bracket that this {bracket} closes")
        place = opened.pop()
        wanted = _PARTNER[self._text[tokens[place].start]]
        if bracket != wanted:
            line, _ = self._where(tokens[place].start)
            problem = f"wants {wanted} for the bracket of line {line}; got {bracket}"
            raise self._at(start, problem)
        tokens[place] = tokens[place]._replace(partner=len(tokens))

    def _spelling(self, place: int) -> str:
        token = self._tokens[place]
        return self._text[token.start : token.end]

    def _where(self, offset: int) -> tuple[int, int]:
        before = self._text[:offset]
        return before.count("\n") + 1, offset - before.rfind("\n")

    def _at(self, offset: int, problem: str) -> NotPlainError:
        return NotPlainError(*self._where(offset), problem)

    def _at_token(self, place: int, problem: str) -> NotPlainError:
        return self._at(self._tokens[place].start, problem)

    def _json5(self, text: str) -> Any:
        import json5  # noqa: PLC0415 - nobody else needs it

        try:
            return json5.loads(text)
        except ValueError as error:
            found = _JSON5_COMPLAINT.fullmatch(str(error))
            if found is None:
                raise NotPlainError(1, 1, str(error)) from None
            problem = f"{found[2][0].lower()}{found[2][1:]}"
            raise NotPlainError(int(found[1]), int(found[3]), problem) from None


def _respelt(spelling: str) -> str | None:
    """As JSON5 writes it, no longer than it was; None for an expression."""
    number = _OTHER_NUMBER.fullmatch(spelling)
    if number is not None:
        legacy = number["legacy"]
        return str(int(legacy, 8) if legacy else int(number["based"], 0))
    if re.fullmatch(r"`[^`\\\"\n\r$]*`", spelling):
        return f'"{spelling[1:-1]}"'
    return None


def _restored(value: Any, overlays: Mapping[str, _Overlay]) -> Any:
    match value:
        case dict():
            pairs = ((key, _restored(one, overlays)) for key, one in value.items())
            return {key: one for key, one in pairs if one is not _Undefined.UNDEFINED}
        case list():
            return [_restored(one, overlays) for one in value]
        case str():
            return overlays.get(value, value)
        case _:
            return value
