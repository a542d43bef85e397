"""Each overlay of deploy/kubernetes: rendered, valid, and true to the program."""

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from relay.settings import Loaded, load

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"
RULES = ROOT / "deploy" / "prometheus" / "cms-relay.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "cms-relay.json"
NAMES = (
    *("ack-rrsa", "host-port", "internal-traffic-policy", "monitoring"),
    *("sidecar", "trial", "unix-socket"),
)
VERSIONS = ("1.28", "1.31", "1.34")
CUSTOM = {"PodMonitor", "PrometheusRule"}
"""Kinds that a cluster knows of an operator only."""

NODE = {
    "HOST_IP": "192.0.2.7",
    "POD_IP": "192.0.2.8",
    "NODE_NAME": "node-7",
    "POD_NAME": "pod-1",
}

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("name", NAMES)]


def yaml() -> Any:
    if importlib.util.find_spec("yaml") is None:
        pytest.skip("yaml is not installed (extra: test)")
    return importlib.import_module("yaml")


@cache
def rendered(name: str) -> list[dict[str, Any]]:
    """What ``kubectl apply -k`` would apply."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAYS / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml().safe_load_all(done.stdout))


def of_kind(name: str, kind: str) -> dict[str, Any]:
    [found] = [one for one in rendered(name) if one["kind"] == kind]
    return found


def maps(name: str) -> list[dict[str, Any]]:
    return [one for one in rendered(name) if one["kind"] == "ConfigMap"]


def pod(name: str) -> dict[str, Any]:
    kind = "Deployment" if name == "sidecar" else "DaemonSet"
    found: dict[str, Any] = of_kind(name, kind)["spec"]["template"]["spec"]
    return found


def relay(name: str) -> dict[str, Any]:
    """Its container."""
    everywhere = [*pod(name).get("initContainers", []), *pod(name)["containers"]]
    [found] = [one for one in everywhere if one["name"] == "relay"]
    return dict(found)


def snippet(name: str) -> dict[str, Any]:
    """What the overlay's head says to put into an application's pod."""
    text = (OVERLAYS / name / "kustomization.yaml").read_text("utf-8")
    indented = re.findall(r"(?m)^#   (.*)$", text)
    return dict(yaml().safe_load("\n".join(indented)))


def loaded(name: str) -> Loaded:
    """The settings as a relay in the pod would load them, with no other variable."""
    arguments = [
        re.sub(r"\$\((\w+)\)", lambda match: NODE[match[1]], one)
        for one in relay(name)["args"]
    ]
    assert arguments[:2] == ["run", "/etc/cms-relay/relay.toml"]
    flags: dict[str, Any] = {}
    for argument in arguments[2:]:
        flag, equals, value = argument.partition("=")
        key = flag.removeprefix("--").replace("-", "_")
        flags[key] = (
            [*flags.get(key, []), value]
            if equals and key == "listen"
            else (value if equals else True)
        )
    [config] = [one for one in maps(name) if "relay.toml" in one["data"]]
    known = tomllib.loads(config["data"]["relay.toml"])
    return load(
        None,
        {key: value if value is True else f"{value}" for key, value in known.items()}
        | flags,
    )


def test_every_overlay_is_looked_at(name: str) -> None:
    """No folder is left out of these tests."""
    assert name in NAMES
    assert sorted(one.name for one in OVERLAYS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_objects_are_valid(name: str, version: str, tmp_path: Path) -> None:
    """In clusters of three versions; of an operator's kinds only the frame is known."""
    if importlib.util.find_spec("kubernetes_validate") is None:
        pytest.skip("kubernetes-validate is not installed (extra: peers)")
    own = [one for one in rendered(name) if one["kind"] not in CUSTOM]
    path = tmp_path / "all.yaml"
    path.write_text(yaml().safe_dump_all(own), "utf-8")
    words = ("--strict", "--kubernetes-version", version, str(path))
    done = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_program_takes_what_the_pod_says(name: str) -> None:
    """Every flag and every key, with values that go together."""
    settings = loaded(name).settings
    assert settings.sink == ("emulator" if name == "trial" else "cloudmonitor")
    assert settings.instance == ("pod-1" if name == "sidecar" else "node-7")
    assert str(settings.state) == "/var/lib/cms-relay"
    udp = [one for one in settings.listen if one.scheme == "udp"]
    assert [one.port for one in udp] == [8125]


def test_keys_are_mounted_where_they_are_looked_for(name: str) -> None:
    """And nowhere where none are needed."""
    mounts = [one["mountPath"] for one in relay(name)["volumeMounts"]]
    volumes = {one["name"] for one in pod(name)["volumes"]}
    assert {one["name"] for one in relay(name)["volumeMounts"]} <= volumes
    key_file = loaded(name).settings.key_file
    needs_none = name in ("ack-rrsa", "trial")
    assert (key_file is None) == needs_none == ("keys" not in volumes)
    if key_file is not None:
        assert str(key_file.parent) in mounts


def test_probes_find_the_pages(name: str) -> None:
    """At the address and the port that the relay binds, by paths that it has."""
    http = loaded(name).settings.http
    assert http is not None
    for word in ("livenessProbe", "readinessProbe", "startupProbe"):
        asked = relay(name).get(word, {}).get("httpGet")
        if asked is None:
            continue
        assert asked["path"] in ("/healthz", "/readyz")
        assert asked["port"] == http.port
        own = pod(name).get("hostNetwork", False)
        address = asked.get("host") or NODE["HOST_IP" if own else "POD_IP"]
        assert address == http.host


def test_the_relay_stays_nobody(name: str) -> None:
    """Whatever the overlay changes."""
    security = relay(name)["securityContext"]
    assert security["runAsNonRoot"]
    assert security["readOnlyRootFilesystem"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert not security["allowPrivilegeEscalation"]
    assert not pod(name)["automountServiceAccountToken"]


def test_a_relay_has_its_share_and_no_more(name: str) -> None:
    """Requests and a limit of memory; of processor time none, which would drop datagrams."""
    resources = relay(name)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


def test_the_grace_is_longer_than_a_stop(name: str) -> None:
    """As the overlay's own file has it."""
    limit = loaded(name).settings.stop_timeout
    assert pod(name)["terminationGracePeriodSeconds"] > limit + 5


def test_no_probe_asks_what_depends_on_the_service(name: str) -> None:
    """Alive is /healthz, ready is /readyz; neither looks at CloudMonitor."""
    probes = relay(name)
    assert probes["livenessProbe"]["httpGet"]["path"] == "/healthz"
    ready = probes.get("readinessProbe") or probes["startupProbe"]
    assert ready["httpGet"]["path"] == "/readyz"


def test_what_it_is_there_for_is_there(name: str) -> None:
    """The one thing that makes the overlay."""
    match name:
        case "ack-rrsa":
            labels = of_kind(name, "Namespace")["metadata"]["labels"]
            assert labels["pod-identity.alibabacloud.com/injection"] == "on"
            annotations = of_kind(name, "ServiceAccount")["metadata"]["annotations"]
            assert "pod-identity.alibabacloud.com/role-name" in annotations
            assert loaded(name).settings.region
        case "host-port":
            [statsd] = [p for p in relay(name)["ports"] if p["name"] == "statsd"]
            assert (statsd["hostPort"], statsd["protocol"]) == (8125, "UDP")
            assert not pod(name)["hostNetwork"]
        case "internal-traffic-policy":
            spec = of_kind(name, "Service")["spec"]
            assert spec["internalTrafficPolicy"] == "Local"
            template = of_kind(name, "DaemonSet")["spec"]["template"]
            assert spec["selector"].items() <= template["metadata"]["labels"].items()
            [port] = spec["ports"]
            names = [one["name"] for one in relay(name)["ports"]]
            assert port["targetPort"] in names
        case "monitoring":
            monitor = of_kind(name, "PodMonitor")["spec"]
            labels = of_kind(name, "DaemonSet")["spec"]["template"]["metadata"][
                "labels"
            ]
            job = labels[monitor["jobLabel"]]
            assert f'up{{job="{job}"}}' in RULES.read_text("utf-8")
            [endpoint] = monitor["podMetricsEndpoints"]
            assert endpoint["path"] == "/metrics"
            assert endpoint["port"] in [one["name"] for one in relay(name)["ports"]]
            spec = of_kind(name, "PrometheusRule")["spec"]
            assert spec == yaml().safe_load(RULES.read_text("utf-8"))
            [board] = [one for one in maps(name) if "cms-relay.json" in one["data"]]
            assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
            assert board["data"]["cms-relay.json"] == DASHBOARD.read_text("utf-8")
        case "sidecar":
            assert relay(name)["restartPolicy"] == "Always"
        case "trial":
            assert loaded(name).settings.emulator is not None
        case "unix-socket":
            [door] = [one for one in loaded(name).settings.listen if one.path]
            assert (door.scheme, door.mode) == ("unixgram", 0o666)
            mounts = [one["mountPath"] for one in relay(name)["volumeMounts"]]
            folder = str(Path(door.path).parent)
            assert folder in mounts
            assert snippet(name) == {
                "volumeMounts": [
                    {"name": "statsd", "mountPath": folder, "readOnly": True}
                ],
                "volumes": [
                    {
                        "name": "statsd",
                        "hostPath": {"path": folder, "type": "Directory"},
                    }
                ],
            }
