"""The status page: what stands on it, escaped, and what it asks the browser for."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.admin.page import files, render
from relay.admin.status import Status
from relay.admin.verdict import Verdict
from tests.admin.sample import a_status

NOW = 1_000_600.0
FLOWS = Verdict("flows", "Metrics flow.", "")
VOID = {"meta", "br", "link", "img", "input"}


class Reader(HTMLParser):
    """Reads a page: its tags and texts, and whether every tag is closed in order."""

    def __init__(
        self, status: Status, verdict: Verdict = FLOWS, *, ready: bool = True
    ) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(render(status, verdict, ready=ready, now=NOW).decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.mark.parametrize(
    "expected",
    [
        "cms-relay 1.2.3",
        "udp://127.0.0.1:8125",
        "4,194,304",
        "Throttling.User",
        "LTAI…xY",
        "0123abcd",
        "/var/lib/cms-relay",
        "counter/a.b",
        "a:x|c",
        "1970-01-12 13:46:40 UTC (10 min ago)",
        "1970-01-12 14:56:40 UTC (in 1 h)",
        "130,000 sections = 129,900 samples + 60 refused + 40 ignored:",
    ],
)
def test_tells_what_the_status_tells(expected: str) -> None:
    """Every part of the status can be found on the page."""
    assert expected in Reader(a_status()).text


@pytest.mark.bar("P6")
def test_is_well_formed_and_loads_nothing_but_our_own() -> None:
    """All tags are closed, no script or style in it, no address but our own paths."""
    page = Reader(a_status())
    assert page.open == []
    assert not {"style", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == ["#main", "/status", "/metrics"]
    loaded = {
        attributes.get("src") or attributes.get("href")
        for tag, attributes in page.tags
        if tag in {"script", "link"}
    }
    assert loaded == set(files()) - {"/charts.js"}  # which the script imports
    assert not any(
        name.startswith("on") or name == "style"
        for _, attributes in page.tags
        for name in attributes
    )


def test_the_verdict_comes_before_all_figures() -> None:
    """The sentence, why, and what mends it; escaped, and said to who cannot see it."""
    verdict = Verdict("stopped", "It does <not>.", "because \x1b", "mend it")
    page = Reader(a_status(), verdict)
    at = page.texts.index("It does <not>.")
    assert page.texts[at : at + 3] == ["It does <not>.", "because \\x1b", "mend it"]
    assert at < page.texts.index("lines")
    (place,) = [held for _, held in page.tags if held.get("id") == "verdict"]
    assert place["class"] == "stopped"
    (sentence,) = [held for _, held in page.tags if held.get("id") == "sentence"]
    assert sentence["aria-live"] == "polite"


def test_fits_a_phone_and_renews_itself() -> None:
    """Without a script the browser is told to come again."""
    metas = [attributes for tag, attributes in Reader(a_status()).tags if tag == "meta"]
    assert {"http-equiv": "refresh", "content": "5"} in metas
    assert any(meta.get("name") == "viewport" for meta in metas)


def test_is_readable_by_day_and_by_night() -> None:
    """Colours follow what the reader's system prefers."""
    kind, style = files()["/page.css"]
    assert kind.startswith("text/css")
    assert b"color-scheme: light dark" in style
    assert b"prefers-color-scheme: dark" in style


def test_the_script_makes_no_markup_of_data() -> None:
    """What strangers sent becomes text: nothing that parses markup is used."""
    for path in ("/page.js", "/charts.js"):
        script = files()[path][1]
        for way in (b"innerHTML", b"outerHTML", b"insertAdjacent", b"document.write"):
            assert way not in script
        assert b"http://" not in script
        assert b"https://" not in script


@pytest.mark.bar("H7")
@given(st.text(max_size=40))
def test_hostile_text_is_text(line: str) -> None:
    """Whatever a sender puts into a line, it adds no tag and hides no character."""
    plain, status = Reader(a_status()), a_status()
    status["last_refusals"] = [{"text": line, "reason": "bad_value"}]
    page = Reader(status)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert "".join(page.texts).replace("\n", "").isprintable()


@pytest.mark.bar("H7")
def test_markup_and_control_characters_are_shown_as_such() -> None:
    """People see what was sent."""
    status = a_status()
    status["last_refusals"] = [
        {"text": "<b onclick='x'>&amp;\n\x00\x1b\u202e", "reason": "bad_value"}
    ]
    assert "<b onclick='x'>&amp;\\n\\x00\\x1b\\u202e" in Reader(status).text


def test_loss_stands_out() -> None:
    """A tile about loss is marked as soon as it is not 0."""
    status = a_status()
    marked = [tag for tag in Reader(status).tags if tag == ("dd", {"class": "bad"})]
    assert len(marked) == 3
    status["ledger"]["refused"] = {"bad_value": 0}
    marked = [tag for tag in Reader(status).tags if tag == ("dd", {"class": "bad"})]
    assert len(marked) == 2


def test_lost_is_all_that_may_be_gone() -> None:
    """Of a partial answer nobody knows which, so 20 + 5 + 1 are."""
    texts = Reader(a_status()).texts
    assert texts[texts.index("entries lost") + 1] == "26"


@pytest.mark.parametrize(
    ("expires_at", "shown"), [(None, "never"), (NOW + 7200, "in 2 h")]
)
def test_says_when_the_keys_expire(expires_at: float | None, shown: str) -> None:
    """Some never do."""
    status = a_status()
    assert status["credentials"] is not None
    status["credentials"]["expires_at"] = expires_at
    texts = Reader(status).texts
    assert texts[texts.index("keys expire") + 1] == shown
    status["credentials"] = None
    texts = Reader(status).texts
    assert texts[texts.index("keys expire") + 1] == "—"


def test_a_ledger_that_does_not_balance_says_so() -> None:
    """A defect of ours is not hidden from the reader."""
    status = a_status()
    assert "does not balance" not in Reader(status).text
    status["ledger"]["sections"] += 1
    assert Reader(status).texts.count("does not balance") == 1


def test_unready_is_said() -> None:
    """In a word, not only in a colour."""
    assert "not ready" in Reader(a_status(), ready=False).texts


def test_counts_that_are_zero_are_left_out_of_breakdowns() -> None:
    """Fourteen reasons at 0 would hide the one that is not."""
    texts = Reader(a_status()).texts
    assert "bad value" in texts
    assert "late" not in texts


def test_a_relay_that_has_just_begun_has_a_page() -> None:
    """Nothing received, no credentials, no answer yet."""
    status = a_status()
    status["listeners"], status["last_refusals"] = [], []
    status["credentials"] = None
    status["sink"]["last_success"] = None
    status["collisions"] = {"count": 0, "latest": []}
    assert Reader(status).open == []
