"""The limit on open files: which errors are due to it, and what is said then."""

import errno
import os

import pytest

from relay.commands.descriptors import lack_of_descriptors
from relay.errors import ConfigError, RelayError


def refused(code: int) -> ConfigError:
    """As a room wraps what the system said, and hides it."""
    wrapped = ConfigError("ca_file", os.strerror(code))
    wrapped.__context__ = OSError(code, os.strerror(code), "/etc/ssl/ca.pem")
    wrapped.__suppress_context__ = True
    return wrapped


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files"),
        refused(errno.EMFILE),
        ImportError("some.so: cannot open shared object file: Too many open files"),
    ],
)
def test_the_limit_of_the_process_is_named_with_its_fix(error: BaseException) -> None:
    """However the error was wrapped; the file it happened with leads astray."""
    said = f"{lack_of_descriptors(error)}"
    assert "ulimit -n" in said
    assert "LimitNOFILE=" in said
    assert "ca.pem" not in said


def test_the_limit_of_the_machine_is_another() -> None:
    """No ulimit would help."""
    said = f"{lack_of_descriptors(refused(errno.ENFILE))}"
    assert "fs.file-max" in said
    assert "ulimit" not in said


@pytest.mark.parametrize(
    "error", [refused(errno.ENOENT), RelayError("it failed"), ImportError("no module")]
)
def test_other_errors_are_what_they_are(error: BaseException) -> None:
    assert lack_of_descriptors(error) is None
