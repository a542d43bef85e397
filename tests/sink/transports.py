"""A network that is a list: what was sent, and what comes back."""

from collections.abc import Iterable

from relay.cloudmonitor.exchange import Request
from relay.delivery.outcome import Unavailable, Uncertain
from relay.sink.transport import Answer

OK = Answer(200, {}, b'{"Code":"200","Message":"success","RequestId":"r1"}')


class ListedTransport:
    """Answers from a list, then with success; ``closed`` once it was."""

    def __init__(
        self, answers: Iterable[Answer | Unavailable | Uncertain | Exception] = ()
    ) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []
        self.closed = False

    def send(self, request: Request) -> Answer | Unavailable | Uncertain:
        """The next answer."""
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else OK
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Noted."""
        self.closed = True
