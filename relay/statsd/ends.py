"""Where a line ends: blanks and one CR before the line feed are not part of it."""

__all__ = ["BLANKS", "trim"]

BLANKS = b" \t"


def trim(line: bytes) -> bytes:
    """``line`` without them."""
    return line.rstrip(BLANKS).removesuffix(b"\r").rstrip(BLANKS)
