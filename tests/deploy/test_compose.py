"""deploy/compose.yaml: guarded, on loopback, and true to the program and its image."""

import re
import shutil
import subprocess
from typing import Any
from urllib.parse import urlsplit

import pytest

from relay import __version__
from relay.cli import main
from relay.settings import Loaded, Settings, load
from tests.deploy.composed import FOLDER, services

NAMES = ("relay", "emulator", "prometheus")
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")
PROMETHEUS = (FOLDER / "prometheus" / "prometheus.yml").read_text("utf-8")

each_name = pytest.mark.parametrize("name", NAMES)


def loaded() -> Loaded:
    """The relay's settings, from its flags alone."""
    command, *flags = services()["relay"]["command"]
    assert command == "run"
    given: dict[str, Any] = {}
    for flag in flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        given[name.replace("-", "_")] = value if equals else True
    return load(None, given | {"listen": [given["listen"]]})


def flag(name: str, service: str) -> str:
    [found] = [
        one.partition("=")[2]
        for one in services()[service]["command"]
        if one.startswith(f"--{name}=")
    ]
    return str(found)


def published() -> dict[int, tuple[str, str]]:
    """Port -> service and protocol; each on loopback, under its own number."""
    found: dict[int, tuple[str, str]] = {}
    for name, service in services().items():
        for port in service.get("ports", []):
            match = re.fullmatch(r"127\.0\.0\.1:(\d+):(\d+)(?:/(udp|tcp))?", port)
            assert match
            assert match[1] == match[2]
            found[int(match[1])] = (name, match[3] or "tcp")
    return found


def test_every_service_is_looked_at() -> None:
    """None is left out of these tests."""
    assert tuple(services()) == NAMES


@each_name
def test_a_service_is_guarded(name: str) -> None:
    """It writes to its volumes only, has no capability and gets none."""
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid"} & set(service)
    assert service.get("network_mode") in (None, "service:relay")


@each_name
def test_a_service_says_whether_it_is_well(name: str) -> None:
    """By a command without a shell, which ends before its time is up."""
    check = services()[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check["interval"]
    assert check["timeout"] == "5s"


@each_name
def test_an_image_is_pinned_by_a_tag(name: str) -> None:
    """Ours is of this version, and made by the Dockerfile that says so too."""
    image, _, tag = services()[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)
    if image == "cms-relay":
        assert tag == __version__
        assert f"-t {image}:{tag} ." in DOCKERFILE


def test_the_image_is_built_of_this_checkout() -> None:
    """Once, for both of its services."""
    build = services()["relay"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).is_file()
    assert (FOLDER / build["context"] / "setup.cfg").is_file()
    assert "build" not in services()["emulator"]


def test_the_program_takes_the_flags_of_the_relay() -> None:
    """With values that go together: the sink is the emulator beside it."""
    settings = loaded().settings
    assert settings.endpoint is not None
    assert settings.endpoint.url == f"http://127.0.0.1:{emulator_port()}/"
    assert settings.sink == "cloudmonitor"
    assert settings.state is None


def emulator_port() -> int:
    return int(flag("listen", "emulator").rpartition(":")[2])


def test_the_program_takes_the_flags_of_the_emulator(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is in the help of the command."""
    command, *flags = services()["emulator"]["command"]
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    for one in flags:
        assert re.search(rf"^  {one.partition('=')[0]}\b", said, re.MULTILINE)


def test_what_is_published_is_what_is_bound() -> None:
    """The emulator's port by the relay, whose network it shares."""
    settings = loaded().settings
    assert settings.http is not None
    assert services()["emulator"]["network_mode"] == "service:relay"
    assert published() == {
        settings.listen[0].port: ("relay", "udp"),
        settings.http.port: ("relay", "tcp"),
        emulator_port(): ("relay", "tcp"),
        9090: ("prometheus", "tcp"),
    }
    assert f"EXPOSE {settings.listen[0].port}/udp {settings.http.port}/tcp" in (
        DOCKERFILE
    )


def test_prometheus_asks_where_the_relay_answers() -> None:
    """By a name that the relay takes for its own, under the job that alerts are of."""
    settings = loaded().settings
    assert settings.http is not None
    assert f'targets: ["relay:{settings.http.port}"]' in PROMETHEUS
    assert settings.http_names == ("relay",)
    rules = (FOLDER / "prometheus" / "cms-relay.rules.yml").read_text("utf-8")
    [job] = re.findall(r"job_name: (\S+)", PROMETHEUS)
    assert f'up{{job="{job}"}}' in rules


def test_what_is_mounted_is_there() -> None:
    """Files of this folder read-only, all else in a volume."""
    mounts = services()["prometheus"]["volumes"]
    files = [one.split(":") for one in mounts if one.startswith("./")]
    assert len(files) == 2
    for source, target, how in files:
        assert (FOLDER / source).is_file()
        assert target == f"/etc/prometheus/{source.rpartition('/')[2]}"
        assert how == "ro"


def test_the_grace_is_longer_than_a_stop() -> None:
    """Otherwise the relay is killed while it delivers."""
    grace = int(services()["relay"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().stop_timeout + 5


def test_health_is_asked_on_loopback_at_the_ports_that_are_bound() -> None:
    """By each container of itself."""
    ports = {"relay": 8127, "emulator": emulator_port(), "prometheus": 9090}
    for name, port in ports.items():
        words = " ".join(services()[name]["healthcheck"]["test"])
        [url] = re.findall(r"http://[\w.:/-]+", words)
        assert urlsplit(url).netloc == f"127.0.0.1:{port}"


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_takes_the_configuration() -> None:
    """With the rules that it names."""
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"],
        cwd=FOLDER / "prometheus",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_docker_compose_takes_the_file() -> None:
    """Where it is there; it needs no daemon to look at a file."""
    words = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run(
            [*words, "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [*words, "-f", "compose.yaml", "config", "--quiet"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
