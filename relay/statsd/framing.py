"""Where packets end on a stream: at line feeds, or after a length.

Bytes in, packets of whole lines out. What a line says is not looked at, nor where the
bytes come from or how long one waits for more.
"""

from typing import Final

__all__ = ["FRAME_BYTES_MAX", "Framer"]

FRAME_BYTES_MAX: Final = 65_536
"""Of a line without its end, or of a frame; what is longer is no StatsD."""

_HEAD: Final = 4
"""Bytes of a length, the least significant first.

Source: DogStatsD over Unix stream sockets.
"""


class Framer:
    """Cuts the bytes of one connection into packets.

    Where ``lengths`` are allowed, the first bytes tell: those of a length end in a zero
    byte, which no line has. Once ``is_broken`` nothing more comes out of it,
    and the connection is of no use.
    """

    def __init__(self, *, lengths: bool = False) -> None:
        self._rest = b""
        self._is_framed: bool | None = None if lengths else False
        self.is_broken = False

    def take(self, received: bytes) -> list[bytes]:
        """The packets that are whole now, in order."""
        if self.is_broken:
            return []
        self._rest += received
        if self._is_framed is None:
            # A line feed tells nothing yet: it may be the first byte of a length.
            if len(self._rest) < _HEAD:
                return []
            self._is_framed = self._rest[_HEAD - 1 : _HEAD] == b"\0"
        return self._frames() if self._is_framed else self._lines()

    def end(self) -> bytes:
        """What is left when the peer has closed: a last line without its end.

        Part of a frame is nothing, and ``is_broken`` says so.
        """
        rest, self._rest = self._rest, b""
        if self._is_framed and rest:
            self.is_broken = True
            return b""
        return rest

    def _lines(self) -> list[bytes]:
        """One packet: all lines that have ended."""
        whole, end, self._rest = self._rest.rpartition(b"\n")
        self.is_broken = len(self._rest) > FRAME_BYTES_MAX
        if self.is_broken:
            self._rest = b""
        return [whole] if end else []

    def _frames(self) -> list[bytes]:
        packets: list[bytes] = []
        at = 0
        while len(self._rest) - at >= _HEAD:
            length = int.from_bytes(self._rest[at : at + _HEAD], "little")
            if length > FRAME_BYTES_MAX:
                self.is_broken, self._rest = True, b""
                return packets
            end = at + _HEAD + length
            if len(self._rest) < end:
                break
            packets.append(self._rest[at + _HEAD : end])
            at = end
        self._rest = self._rest[at:]
        return packets
