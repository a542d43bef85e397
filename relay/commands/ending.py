"""How a signal ends what has only just begun, before there is anything to stop.

Of the standard library, so that it is there before all the rest: as the first process of a
container one that comes before its handler is lost.
"""

import os
import signal

__all__ = ["SIGNALS", "end_at_signals"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def end_at_signals() -> None:
    """Until there is something to stop, a signal ends the process with status 0.

    Not by an exception: raised in a callback of the garbage collection it would be
    printed and forgotten, and the relay would go on. A parent may have blocked them.
    """
    for signum in SIGNALS:
        signal.signal(signum, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
