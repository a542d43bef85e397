"""The native engine, built where there is a compiler; all else is in setup.cfg.

Without one, and elsewhere than on Linux, the installation goes on and the engine in Python is used.
"""

import sys
from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("relay/rollup/_native")

FLAGS = [
    "-std=c11",
    "-O3",
    "-Wall",
    "-Wextra",
    "-fvisibility=hidden",
    "-ffp-contract=off",  # sums are to be those of the engine in Python, to the last bit
    "-fstack-protector-strong",
    "-pthread",
]
FLAGS += ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
LINKING = ["-pthread", "-Wl,-z,relro,-z,now"]

NATIVE = Extension(
    "relay.rollup._native",
    sorted(map(str, SOURCES.glob("*.c"))),
    depends=sorted(map(str, SOURCES.glob("*.h"))),
    extra_compile_args=FLAGS,
    extra_link_args=LINKING,
    optional=True,
)

# It reads sockets in ways that Linux alone has.
setup(ext_modules=[NATIVE] if sys.platform == "linux" else [])
