"""Keys under a courier for hours of a simulated clock: renewed in time, used to the end."""

from collections.abc import Callable

import pytest

from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Secret,
)
from relay.cloudmonitor.exchange import Endpoint, Request
from relay.cloudmonitor.packing import compose
from relay.credentials.renewed import Renewed
from relay.delivery.batch import Batch
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import Answer
from tests.service.courier_rig import WALL_AT_START, Rig
from tests.sink.contract import rollup
from tests.sink.transports import OK, ListedTransport

Figure = Callable[[str], None]
ITEMS = next(compose(rollup()).batches).items
LASTING = 3600.0
REFUSED = Answer(400, {}, b'{"Code":"InvalidSecurityToken.Expired","Message":"x"}')


class Cloud(ListedTransport):
    """A service that knows when each key ends, and a source of keys that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.now = WALL_AT_START
        self.away = False
        self.ends: dict[str, float] = {}
        self.fetched: list[float] = []
        self.refused = 0
        self.taken: list[float] = []
        self.left: list[float] = []
        """How long the newest key still had when the next one was fetched."""

    def wall(self) -> float:
        return self.now

    def fetch(self) -> Credentials:
        if self.away:
            raise CredentialsUnavailable("the source is away")
        if self.ends:
            self.left.append(max(self.ends.values()) - self.now)
        key = f"LTAItemporary{len(self.ends):03}"
        self.ends[key] = self.now + LASTING
        return Credentials(key, Secret("s"), Secret("t"), expires_at=self.ends[key])

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        signed = dict(request.headers)["Authorization"]
        key = signed.partition("Credential=")[2].partition(",")[0]
        if self.now < self.ends[key]:
            self.taken.append(self.now - WALL_AT_START)
            return OK
        self.refused += 1
        return REFUSED


def hours(cloud: Cloud, minutes: int, away: range) -> Rig:
    """A batch each minute; the source is away in the minutes ``away``."""
    sink = CloudMonitorSink(
        endpoint=Endpoint("https", "metrics.cn-hangzhou.aliyuncs.com"),
        compose=compose,
        provider=Renewed(cloud.fetch, cloud.wall),
        transport=cloud,
        wall=cloud.wall,
        nonce=lambda: "n",
    )
    rig = Rig(sink=sink)
    for minute in range(minutes):
        cloud.away = minute in away
        batch = Batch(f"m{minute}", int(rig.wall()), ITEMS)
        rig.ledger.closed(len(ITEMS), rig.spool.append([batch]))
        rig.courier.wake()
        for _ in range(60):
            rig.run(1.0, step=1.0)
            cloud.now = rig.wall()
    return rig


@pytest.mark.bar("K10")
def test_a_token_is_renewed_before_its_end(figure: Figure) -> None:
    """Five hours of keys for one hour each: no request is refused."""
    cloud = Cloud()
    rig = hours(cloud, 300, away=range(0))
    counts = rig.ledger.snapshot()
    assert cloud.refused == 0
    assert counts.acked == 300 * len(ITEMS)
    assert min(cloud.left) >= 300
    figure(
        f"5 h, {len(cloud.ends)} keys, renewed {min(cloud.left) / 60:.0f} min or more"
        " before their end, 0 requests refused"
    )


@pytest.mark.bar("K10", "L2")
def test_old_keys_serve_while_their_source_is_down(figure: Figure) -> None:
    """To their end and not a minute longer; then delivery is held until it is back."""
    cloud = Cloud()
    rig = hours(cloud, 100, away=range(30, 80))
    counts = rig.ledger.snapshot()
    meanwhile = [at for at in cloud.taken if 30 * 60 <= at < 59 * 60]
    assert cloud.refused == 0
    assert len(meanwhile) == 29, "old keys did not serve to their end"
    assert counts.acked == 100 * len(ITEMS) == len(cloud.taken) * len(ITEMS)
    assert (counts.parked, counts.balances) == (0, True)
    figure(
        f"source down from minute 30 to 80: {len(meanwhile)} of 29 requests taken with"
        " the old keys, 0 refused, all delivered once it is back"
    )
