"""What the management console starts with."""

import pytest
from twisted.internet.task import Clock

from relay.management import Management, Now
from relay.settings import load
from tests.rollup.rig import Rig


def no_figures() -> Now:
    raise AssertionError("nobody asked for them")


@pytest.mark.parametrize("status", ["up", "down"])
def test_health_is_what_the_setting_says_until_it_is_told(status: str) -> None:
    """Then it is what was said, for every connection."""
    settings = load(None, {"sink": "null", "health_status": status}).settings
    management = Management(
        Rig("python").engine,
        started=0.0,
        period=lambda: 0,
        settings=lambda: settings,
        now=no_figures,
    )
    conversation = management.factory(Clock()).conversation
    assert list(conversation.answer("health") or ()) == [f"health: {status}\n"]
    assert list(conversation.answer("health up") or ()) == ["health: up\n"]
    assert list(conversation.answer("health") or ()) == ["health: up\n"]
