"""The pages and the console of a relay: bound under a word, announced by it, closed.

What they answer is not known here.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.web.server import Site

from relay.admin.console import ConsoleFactory
from relay.destination import EMULATOR_KEYS
from relay.emulator.limits import Limits
from relay.emulator.site import make_site as make_emulator
from relay.errors import RelayError
from relay.service.crowd import Crowd, listen, places
from relay.settings import Address, Settings

__all__ = ["Sites", "emulator_site"]

TCP_DOORS = 2
"""Admin and emulator, which share the descriptors that others can spare."""


class Sites:
    """``urls`` are by the word that each was opened with."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._ports: list[Any] = []
        self._urls: dict[str, str] = {}
        self._crowds: dict[str, Crowd] = {}
        self._console: ConsoleFactory | None = None

    @property
    def refused(self) -> Mapping[tuple[str, ...], int]:
        """Connections that went since others wanted to come in, by word."""
        refused = {word: crowd.refused for word, crowd in self._crowds.items()}
        if self._console is not None:
            refused["console"] = self._console.too_many
        return {(word,): count for word, count in refused.items()}

    @property
    def urls(self) -> Mapping[str, str]:
        """With the real ports."""
        return self._urls

    def open(self, word: str, address: Address, site: Site) -> None:
        """Raises RelayError where the address is taken."""
        site.noisy = False
        crowd = self._crowds[word] = Crowd(site, places(TCP_DOORS))
        try:
            port: Any = listen(self._reactor, address.host, address.port, crowd)
        except CannotListenError as error:
            raise _taken(word, address, error) from None
        self._ports.append(port)
        self._urls[word] = f"http://{address._replace(port=port.getHost().port)}"

    def open_console(self, address: Address, factory: ConsoleFactory) -> None:
        """The management console, likewise; it has a limit of its own."""
        try:
            port = self._reactor.listenTCP(
                address.port, factory, interface=address.host
            )
        except CannotListenError as error:
            raise _taken("console", address, error) from None
        self._console = factory
        self._ports.append(port)
        self._urls["console"] = f"tcp://{address._replace(port=port.getHost().port)}"

    @inlineCallbacks
    def close(self) -> Generator[Deferred[Any], Any, None]:
        """Take no more connections."""
        for port in self._ports:
            yield port.stopListening()


def _taken(word: str, address: Address, error: CannotListenError) -> RelayError:
    return RelayError(
        f"--{word} {address}: {error.socketError}; choose another port, or 0 for a "
        "free one"
    )


def emulator_site(settings: Settings, wall: Callable[[], float], reactor: Any) -> Site:
    """The look-alike of CloudMonitor, with the periods and the keys of this relay."""
    return make_emulator(
        keys=EMULATOR_KEYS,
        now=wall,
        clock=reactor,
        limits=Limits(periods=(settings.period, 5 * settings.period)),
        any_host=settings.allow_remote_admin,
    )
