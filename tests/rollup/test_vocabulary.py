"""relay.rollup.vocabulary: how long a spelling is known."""

from relay.rollup.counter import CounterSlot
from relay.rollup.series import Series
from relay.rollup.spelling import spell
from relay.rollup.vocabulary import Vocabulary
from relay.statsd.sample import Kind, What

SERIES = Series(Kind.COUNTER, "a", (), "a", ())


def learn(words: Vocabulary, *lines: bytes) -> None:
    for line in lines:
        words.learn(spell(line), 1.0, CounterSlot(), SERIES)


def knows(words: Vocabulary, line: bytes) -> bool:
    return words.recall(spell(line)) is not None


def test_a_spelling_is_recalled_once() -> None:
    """Then it is learned anew, with the slot of now."""
    words = Vocabulary(9)
    learn(words, b"a:5|c", b"b:5|c")
    words.pause()
    assert len(words.learned) == 0
    assert [knows(words, b"a:5|c"), knows(words, b"a:5|c")] == [True, False]


def test_pauses_do_not_age() -> None:
    """What was learned in this period or the one before is known, however often."""
    words = Vocabulary(9)
    learn(words, b"a:5|c")
    words.pause()
    words.turn()
    for line in (b"b:5|c", b"c:5|c"):
        learn(words, line)
        words.pause()
    assert [knows(words, b"%c:5|c" % name) for name in b"abc"] == [True] * 3


def test_what_was_not_used_for_a_period_is_given_back() -> None:
    """To be drained elsewhere."""
    words = Vocabulary(9)
    learn(words, b"a:5|c")
    words.pause()
    learn(words, b"b:5|c")
    assert not words.turn()
    assert sum(map(len, words.turn())) == 2
    assert not knows(words, b"a:5|c")


def test_to_ask_for_room_takes_none() -> None:
    """Most lines that are not recognised ask, and are learned by one way out of three."""
    words = Vocabulary(3)
    learn(words, b"a:5|c", b"b:5|c")
    for _ in range(9):
        assert words.recall_step(b"x:1|c") is None
        assert words.recall_lane(spell(b"x:1|g")) is None
    learn(words, b"c:5|c", b"d:5|c")
    assert [name in words.learned.cells for name in (b"c:c", b"d:c")] == [True, False]


def test_there_is_no_more_room_after_a_pause() -> None:
    """But for a spelling that only moves."""
    words = Vocabulary(2)
    learn(words, b"a:5|c", b"b:5|c", b"c:5|c")
    words.pause()
    learn(words, b"d:5|c")
    words.ignore(spell(b"e:5|c"), Kind.COUNTER, What.CLIENT_TELEMETRY, {})
    assert len(words.learned) == 0
    assert knows(words, b"a:5|c")
    learn(words, b"a:5|c")
    assert len(words.learned) == 1
