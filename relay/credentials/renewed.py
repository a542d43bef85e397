"""Keys that run out, renewed in time from a source that may be away.

They are fetched anew five to ten minutes before they expire, by one thread while the
others go on with the old ones; those serve until they really expire, whatever the source
does. How a source is asked is its own business.
"""

import random
import threading
from collections.abc import Callable

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable

__all__ = ["Renewed"]

AHEAD_SECONDS = 360.0
"""At least so long before the end, and five minutes where a request a minute is all that
looks at them: the clocks of two machines differ."""

JITTER_SECONDS = 240.0
"""And up to so much longer, so that an account's relays do not all ask at once."""

RETRY_SECONDS = 20.0
"""Between attempts while old keys still serve."""


class Renewed:
    """What ``fetch`` gives, for as long as it is good; it may block, and raise
    CredentialsUnavailable. ``wall`` gives Unix seconds. One that gave nothing is asked
    again ``pause`` seconds later, at once without. Thread: any, many at once.
    """

    def __init__(
        self,
        fetch: Callable[[], Credentials],
        wall: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        *,
        pause: float = 0.0,
    ) -> None:
        self._fetch, self._wall, self._jitter = fetch, wall, jitter
        self._pause = pause
        self._lock = threading.Lock()
        self._held: Credentials | None = None
        self._due = float("-inf")
        self._complaint = ""

    @property
    def warning(self) -> str:
        """Why there are no newer keys, while the old ones still serve."""
        return self._complaint if self._serves(self._held) else ""

    def get(self) -> Credentials:
        """Keys that have not expired. Raises CredentialsUnavailable."""
        held = self._held
        if held is not None and self._serves(held):
            if self._wall() >= self._due and self._lock.acquire(blocking=False):
                try:
                    self._renew()
                finally:
                    self._lock.release()
            return self._held or held
        with self._lock:
            # Nobody else renewed them meanwhile, nor tried to just now.
            if not self._serves(self._held) and not self._was_tried():
                self._renew()
            if self._held is None or not self._serves(self._held):
                raise CredentialsUnavailable(self._complaint)
            return self._held

    def refresh(self) -> None:
        """The service refuses them: ask anew at once."""
        self._due = float("-inf")

    def _was_tried(self) -> bool:
        """In vain, a moment ago."""
        since = self._due - RETRY_SECONDS
        return bool(self._complaint) and 0 <= self._wall() - since < self._pause

    def _serves(self, held: Credentials | None) -> bool:
        return held is not None and (
            held.expires_at is None or self._wall() < held.expires_at
        )

    def _renew(self) -> None:
        try:
            held = self._fetch()
        except CredentialsUnavailable as error:
            self._complaint = error.reason
            self._due = self._wall() + RETRY_SECONDS
            return
        self._held, self._complaint = held, ""
        self._due = float("inf")
        if held.expires_at is not None:
            ahead = AHEAD_SECONDS + JITTER_SECONDS * self._jitter()
            now = self._wall()
            # Keys that are short-lived from the start are not asked for without a pause.
            self._due = max(held.expires_at - ahead, now + RETRY_SECONDS)
            if now >= held.expires_at:
                self._complaint = f"{held.source}: the keys it gives have expired"
