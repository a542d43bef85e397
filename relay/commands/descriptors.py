"""The limit on open files: raised where that is allowed, named where it is too low."""

import errno
import os
import resource
from collections.abc import Iterator

from relay.errors import RelayError

__all__ = ["lack_of_descriptors", "raise_limit"]

DESCRIPTORS = 16_384


def raise_limit() -> None:
    """As many as the system allows: the soft limit is for programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def lack_of_descriptors(error: BaseException) -> RelayError | None:
    """What to say of an error in its place, where no file could be opened any more.

    Whichever file that was, its name would lead astray.
    """
    causes = list(_causes(error))
    if any(_is_due_to(one, errno.EMFILE) for one in causes):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return RelayError(
            f"the limit on open files, {soft}, is too low: ulimit -n {DESCRIPTORS}, or "
            f"LimitNOFILE={DESCRIPTORS} in the unit of systemd"
        )
    if any(_is_due_to(one, errno.ENFILE) for one in causes):
        return RelayError(
            "this machine has no more open files to give: see fs.file-max of sysctl(8)"
        )
    return None


def _is_due_to(error: BaseException, code: int) -> bool:
    """By its number, or, as of a library that could not be loaded, by its text."""
    if isinstance(error, OSError):
        return error.errno == code
    return isinstance(error, ImportError) and os.strerror(code) in str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those it was made of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
