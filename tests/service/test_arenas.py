"""One arena of the C library for all threads, as far as the C library has them."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc"
)

COUNT = """
import ctypes, re, sys, tempfile, threading
from relay.service.arenas import share_one
print(sys.argv[1] == "as-it-is" or share_one())
kept, done = [], threading.Barrier(9)
def work():
    kept.append(bytearray(100_000))
    done.wait()
for _ in range(8):
    threading.Thread(target=work).start()
done.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile("r") as file:
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(len(re.findall("<heap ", file.read())))
"""


def arenas(how: str) -> list[str]:
    """What a process says of whether it shares one, and how many it has with 8 threads."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.split()


def test_eight_threads_allocate_from_one_arena() -> None:
    assert arenas("shared") == ["True", "1"]


def test_without_it_they_have_more() -> None:
    """Else the test before says nothing."""
    told, number = arenas("as-it-is")
    assert told == "True"
    assert int(number) > 1
