"""Replies of the management console, byte for byte as the reference's."""

from collections.abc import Iterator

import pytest

from relay.admin.conversation import Console, Conversation, Health

KEYS = ["a.b", "a.b.c", "ab"]


def delete(pattern: str) -> list[str]:
    folder = pattern.endswith(".*")
    return [
        key
        for key in KEYS
        if (key.startswith(pattern[:-1]) if folder else key == pattern)
    ]


def make(health: Health | None = None) -> Conversation:
    console = Console(
        stats=lambda: [("uptime", 300), ("messages.bad_lines_seen", 0)],
        dumps={"counters": lambda: [("a", 1.5), ("b;k=v", 2)], "gauges": list},
        deletes={"counters": delete, "timers": lambda _: []},
        config=lambda: [("port", 8125), ("graphite", {"legacy": False, "0": "x"})],
        explain=lambda line: [f"of {line!r}"],
        bad=lambda: [("x:y|c", "bad_value")],
    )
    return Conversation(console, health or Health())


def said(line: str, conversation: Conversation | None = None) -> str | None:
    reply = (conversation or make()).answer(line)
    return None if reply is None else "".join(reply)


HELP = (
    "Commands: stats, counters, timers, gauges, delcounters, deltimers, delgauges, "
    "health, config, quit\n\n"
)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("help", HELP),
        ("stats", "uptime: 300\nmessages.bad_lines_seen: 0\nEND\n\n"),
        ("counters", "a: 1.5\nb;k=v: 2\n\nEND\n\n"),
        ("gauges", "\nEND\n\n"),
        ("delcounters", "END\n\n"),
        ("delcounters ab", "deleted: ab\nEND\n\n"),
        ("delcounters a.*", "deleted: a.b\ndeleted: a.b.c\nEND\n\n"),
        ("delcounters x ab", "metric x not found\ndeleted: ab\nEND\n\n"),
        ("delcounters  ab", "metric  not found\ndeleted: ab\nEND\n\n"),
        ("deltimers *", "metric * not found\nEND\n\n"),
        ("health", "health: up\n"),
        ("health DOWN", "health: down\n"),
        ("health maybe", "health: up\n"),
        ("config", "\nport: 8125\ngraphite > legacy: False\ngraphite > 0: x\n"),
        ("explain a:1|c b", "of 'a:1|c b'\nEND\n\n"),
        ("bad", "x:y|c: bad_value\nEND\n\n"),
        ("", "ERROR\n"),
        ("Health", "ERROR\n"),
        ("del", "ERROR\n"),
        ("delgauges a", "ERROR\n"),
        ("toString", "ERROR\n"),
        ("quit", None),
        ("quit now", None),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n"])
def test_every_command_is_answered(line: str, reply: str | None, end: str) -> None:
    """Whatever ends the line; where the relay has no such table it is an error."""
    assert said(line + end) == reply


def test_health_is_shared_and_kept() -> None:
    """Who sets it on one connection sets it for all."""
    health = Health()
    assert said("health down", make(health)) == "health: down\n"
    assert said("health", make(health)) == "health: down\n"
    assert said("health up", make(health)) == "health: up\n"


def test_a_dump_is_made_while_it_is_taken() -> None:
    """So that its size costs no memory, and no turn of the reactor is long."""
    made: list[int] = []

    def rows() -> Iterator[tuple[str, int]]:
        for n in range(1000):
            made.append(n)
            yield f"a.{n}", n

    conversation = make()
    conversation.console = Console(
        list, {"counters": rows}, {}, list, lambda _: [], list
    )
    reply = conversation.answer("counters")
    assert reply is not None
    assert next(reply) == "a.0: 0\n"
    assert len(made) == 1
