"""The key file: both formats, changes while it is in use, and what is refused."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.cloudmonitor.credentials import CredentialsUnavailable, Secret
from relay.credentials.keyfile import KeyFile

INI = """\
[default]
type = access_key
access_key_id = LTAIdefault
access_key_secret = s3cretCanary # from the console

[other]
access_key_id = LTAIother
access_key_secret = otherCanary
security_token = t0kenCanary
"""
JSON = json.dumps(
    {
        "access_key_id": "LTAIjson\n",
        "access_key_secret": " s3cretCanary\n",
        "security_token": "t0kenCanary\n",
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that only its owner can read."""
    path = tmp_path / "credentials.ini"
    write(path, INI)
    return path


def write(path: Path, text: str | bytes, mode: int = 0o600) -> None:
    """In place."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)


def replace(path: Path, text: str) -> None:
    """By renaming a new file over it, as careful editors do."""
    new = path.with_suffix(".new")
    write(new, text)
    new.replace(path)


def refusal(one: KeyFile) -> str:
    """Why there are no credentials."""
    with pytest.raises(CredentialsUnavailable) as caught:
        one.get()
    return caught.value.reason


def test_reads_a_section(path: Path) -> None:
    """Without blanks and comments; the source names the file."""
    found = KeyFile(path).get()
    assert (found.key_id, found.secret) == ("LTAIdefault", Secret("s3cretCanary"))
    assert (found.token, found.source) == (None, str(path))


def test_reads_the_profile_that_was_asked_for(path: Path) -> None:
    """With a token where one stands there; the type may be left out."""
    found = KeyFile(path, profile="other").get()
    assert (found.key_id, found.token) == ("LTAIother", Secret("t0kenCanary"))


def test_reads_json(path: Path) -> None:
    """One object; line ends around values are taken off."""
    write(path, JSON)
    found = KeyFile(path).get()
    assert (found.key_id, found.secret) == ("LTAIjson", Secret("s3cretCanary"))
    assert found.token == Secret("t0kenCanary")


def test_says_when_the_keys_end(path: Path) -> None:
    """Where whoever writes the file says so; UTC without a zone."""
    assert KeyFile(path).get().expires_at is None
    for moment in ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05"):
        write(path, INI.replace("[other]", f"expiration = {moment}\n[other]"))
        assert KeyFile(path).get().expires_at == 1_767_323_045


@pytest.mark.parametrize("change", [write, replace])
def test_a_changed_file_is_read_again(path: Path, change: object) -> None:
    """Written in place or renamed over."""
    one = KeyFile(path)
    one.get()
    assert callable(change)
    change(path, INI.replace("LTAIdefault", "LTAIsecond"))
    assert one.get().key_id == "LTAIsecond"
    assert one.warning == ""


def test_a_swapped_link_is_read_again(tmp_path: Path, path: Path) -> None:
    """As Kubernetes swaps the folder behind a mounted secret."""
    link = tmp_path / "link"
    link.symlink_to(path)
    one = KeyFile(link)
    one.get()
    write(tmp_path / "second", INI.replace("LTAIdefault", "LTAIsecond"))
    (tmp_path / "new").symlink_to(tmp_path / "second")
    (tmp_path / "new").replace(link)
    assert one.get().key_id == "LTAIsecond"


@pytest.mark.parametrize("bad", ["", "[default]\naccess_key_id = LTAI", JSON[:-5], "x"])
def test_a_bad_file_keeps_the_old_keys_and_warns(path: Path, bad: str) -> None:
    """Half written, it serves no one; the warning goes when the file is good again."""
    one = KeyFile(path)
    one.get()
    write(path, bad)
    assert one.get().key_id == "LTAIdefault"
    assert str(path) in one.warning
    assert "Canary" not in one.warning
    write(path, INI.replace("LTAIdefault", "LTAIthird"))
    assert one.get().key_id == "LTAIthird"
    assert one.warning == ""


def test_a_vanished_file_keeps_the_old_keys(path: Path) -> None:
    """Between a delete and a write as well."""
    one = KeyFile(path)
    one.get()
    path.unlink()
    assert one.get().key_id == "LTAIdefault"
    assert "No such file" in one.warning


def test_a_change_that_no_date_tells_is_seen(path: Path) -> None:
    """A disk's clock may be too coarse to tell two writes apart."""
    one = KeyFile(path)
    before = path.stat()
    one.get()
    write(path, INI.replace("LTAIdefault", "LTAIdef2ult"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert one.get().key_id == "LTAIdef2ult"


def test_a_deep_answer_is_a_reason(path: Path) -> None:
    """A file may nest more than anybody can follow."""
    write(path, '{"a": ' + "[" * 30_000 + "]" * 30_000 + "}")
    with pytest.raises(CredentialsUnavailable, match=r"not JSON|nested"):
        KeyFile(path).get()


@pytest.mark.bar("P3")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_touch_is_refused(path: Path, mode: int) -> None:
    """Unless that was allowed; the message says what to do."""
    path.chmod(mode)
    assert "chmod 600" in refusal(KeyFile(path))
    assert KeyFile(path, shared=True).get().key_id == "LTAIdefault"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n", "empty"),
        (b"\xff\xfe", "not a text in UTF-8"),
        ("{", "line 1: not JSON"),
        ("[" * 100_000, "longer than"),
        ("s3cretCanary", "line 1: not an ini file"),
        ("[default]\ns3cretCanary", "line"),
        ("[prod]\naccess_key_id = x", "no section [default]"),
        ("[default]\ntype = rsa_key_pair", "not supported; supported is access_key"),
        ("[default]\naccess_key_id = x", "access_key_secret is missing"),
        ('{"access_key_id": "x"}', "access_key_secret is missing"),
        ('{"access_key_id": 7, "access_key_secret": "y"}', "is not a text"),
        ('{"access_key_id": "x", "access_key_secret": "s3c Canary"}', "a blank"),
        ('{"access_key_id": "x", "access_key_secret": "s3c\\nCanary"}', "strange sign"),
    ],
)
def test_what_is_refused(path: Path, text: str | bytes, why: str) -> None:
    """Each with its reason and the file's name, and nothing of what stands in it."""
    write(path, text)
    reason = refusal(KeyFile(path))
    assert why in reason
    assert str(path) in reason
    assert "Canary" not in reason


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """So is anything else that is no regular file; no descriptor is left open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert "not a regular file" in refusal(KeyFile(tmp_path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_fifo_does_not_hang_the_sender(tmp_path: Path) -> None:
    """Opening one waits for a writer who may never come."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "not a regular file" in refusal(KeyFile(fifo))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_keys_or_a_reason(path: Path, content: bytes) -> None:
    """Whatever stands in the file, nothing else is raised."""
    write(path, content)
    refusal(KeyFile(path))
