"""The part of a line behind the first colon, cut into sections and fields.

Position tells what a piece between two pipes is: values, then a type, then fields until
a colon opens the next section:

    a:1:2|ms|@0.5|#env:prod      one section, two values
      ^^^ ^^ ^^^^ ^^^^^^^^^
    a:1|c:2|ms|@0.5:3|g          three sections, in the way of the reference
      ^ ^ ^ ^^ ^^^^ ^ ^

Nothing is judged here: values, types, rates and tags stay as they were sent.
"""

from dataclasses import dataclass, field

__all__ = ["Body", "Section", "read"]


@dataclass(slots=True)
class Section:
    """Values with the type and the rate that go with them.

    ``type`` is None where none follows the values, ``rate`` is the whole field, with
    its ``@`` if it has one, and None where there is none.
    """

    values: list[bytes]
    type: bytes | None = None
    rate: bytes | None = None
    fields: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Body:
    """The sections of a line, and what holds for all of them, without its marks."""

    sections: list[Section]
    tags: bytes | None = None
    timestamp: bytes | None = None
    container: bytes | None = None


# Fields of DogStatsD; the first tuple's may hold colons of their own.
_WITH_COLONS = (b"#", b"c:", b"e:", b"card:")
_WITHOUT_COLONS = (b"@", b"T")
_ELEMENTS = (*_WITH_COLONS, b"T")
_TYPES = (b"h", b"d")


def read(body: bytes) -> Body:
    """Cut ``body`` by DogStatsD's rules if it holds an element of DogStatsD.

    Otherwise by the reference's. The two differ only where an unknown field holds a
    colon: DogStatsD skips it whole, in the reference the colon opens a section.
    """
    sections = _cut(body, skip_unknown=True)
    if any(map(_is_dogstatsd, sections)):
        return _dogstatsd(sections)
    if any(b":" in piece for section in sections for piece in section.fields):
        sections = _cut(body, skip_unknown=False)
    for section in sections:
        if section.fields:
            section.rate = section.fields[0]
    return Body(sections)


def _cut(body: bytes, *, skip_unknown: bool) -> list[Section]:
    first, *pieces = body.split(b"|")
    section = Section(first.split(b":"))
    sections = [section]
    for piece in pieces:
        if section.type is None:
            # Tags in the place of a type are no type, and their colons open nothing.
            whole = piece.startswith(b"#")
        else:
            whole = piece.startswith(_WITH_COLONS) or (
                skip_unknown and not piece.startswith(_WITHOUT_COLONS)
            )
        head, opens, values = (piece, b"", b"") if whole else piece.partition(b":")
        if section.type is None:
            section.type = head.strip(b" \t")
        else:
            section.fields.append(head)
        if opens:
            section = Section(values.split(b":"))
            sections.append(section)
    return sections


def _is_dogstatsd(section: Section) -> bool:
    if section.type is None:
        return False
    if section.type in _TYPES or len(section.values) > 1:
        return True
    return any(piece.startswith(_ELEMENTS) for piece in section.fields)


def _dogstatsd(sections: list[Section]) -> Body:
    """Fields in any order; the last of a kind wins, a rate within its section."""
    body = Body(sections)
    for section in sections:
        for piece in section.fields:
            if piece.startswith(b"@"):
                section.rate = piece
            elif piece.startswith(b"#"):
                body.tags = piece[1:]
            elif piece.startswith(b"T"):
                body.timestamp = piece[1:]
            elif piece.startswith(b"c:"):
                body.container = piece[2:]
    return body
