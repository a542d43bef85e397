"""Ten ways in which a file of ours can be damaged or not be ours: those of bar S3."""

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

__all__ = ["KINDS", "OUTSIDE"]

OUTSIDE = "outside"
"""What a link out of the state folder leads to begins so, beside the state folder."""

PAGE = 4096


def _changed(path: Path, change: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def a_bit(path: Path) -> None:
    def flip(content: bytearray) -> None:
        content[len(content) // 2] ^= 1

    _changed(path, flip)


def a_page(path: Path) -> None:
    """4 KiB of zeros in the middle; all of it where it is not longer."""

    def zero(content: bytearray) -> None:
        at = max(0, len(content) // 2 - PAGE // 2)
        length = min(PAGE, len(content) - at)
        content[at : at + length] = bytes(length)

    _changed(path, zero)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def random_bytes(path: Path) -> None:
    """The same ones each time."""
    path.write_bytes(b"".join(sha256(bytes([n])).digest() for n in range(255)))


def foreign(path: Path) -> None:
    path.write_bytes(b"[General]\nname = somebody else\n")


def of_the_future(path: Path) -> None:
    """The version stands behind eight bytes that say what the file is."""

    def age(content: bytearray) -> None:
        content[8] = 99

    _changed(path, age)


def nobodys(path: Path) -> None:
    """Mode 000, which keeps out everybody but root."""
    path.chmod(0)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").touch()


def a_link_out(path: Path) -> None:
    """To a file that would be good."""
    state = path.parent.parent
    outside = state.parent / f"{OUTSIDE}-{path.name}"
    path.rename(outside)
    path.symlink_to(outside)


KINDS: Mapping[str, Callable[[Path], None]] = {
    "one bit flipped": a_bit,
    "4 KiB zeroed": a_page,
    "truncated": truncated,
    "empty": empty,
    "random bytes": random_bytes,
    "foreign file": foreign,
    "future version": of_the_future,
    "mode 000": nobodys,
    "a folder of the name": a_folder,
    "symlink out of the folder": a_link_out,
}
