"""Keys of roles: from a cluster's token, from other keys, from the machine."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.cloudmonitor.credentials import CredentialsUnavailable, Provider
from relay.credentials import roles
from relay.credentials.chain import open_provider
from relay.credentials.cli_profile import CliProfile
from relay.credentials.keyfile import KeyFile
from relay.credentials.metadata import InstanceRole
from relay.credentials.roles import Sources
from relay.errors import ConfigError
from tests.credentials.lookalikes import Metadata, Sts, serving

NOW = 1_767_323_045.0  # an hour before the look-alikes' keys end
ARN = "acs:ram::123:role/writer"


@pytest.fixture
def sts() -> Iterator[Sts]:
    service = Sts()
    with serving(service):
        yield service


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    service = Metadata()
    with serving(service):
        yield service


def sources(
    sts: Sts | None = None, metadata: Metadata | None = None, **environment: str
) -> Sources:
    named = {"ALIBABA_CLOUD_STS_ENDPOINT": sts.url} if sts else {}
    return Sources(
        named | environment,
        wall=lambda: NOW,
        nonce=lambda: uuid.uuid4().hex,
        proxies=False,
        metadata_url=metadata.url if metadata else "http://127.0.0.1:1",
    )


def refusal(provider: Provider) -> str:
    """Why there are none; no secret is in it."""
    with pytest.raises(CredentialsUnavailable) as caught:
        provider.get()
    assert "canary" not in caught.value.reason
    return caught.value.reason


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{Sts.TOKEN}\n")
    return path


def test_a_cluster_gives_a_role(sts: Sts, token: Path) -> None:
    """With the variables that ACK's webhook sets; the token is in no address."""
    environment = {
        "ALIBABA_CLOUD_ROLE_ARN": ARN,
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::123:oidc-provider/ack",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(token),
        "ALIBABA_CLOUD_STS_ENDPOINT": sts.url,
    }
    provider = open_provider(environment, wall=lambda: NOW, proxies=False)
    found = provider.get()
    assert found.key_id == "STS.writer"
    assert found.token is not None
    assert found.expires_at == NOW + 3600
    assert found.source == f"OIDC role {ARN}"
    assert provider.get() == found
    assert len(sts.asked) == 1
    assert Sts.TOKEN not in repr(sts.asked)


def test_the_token_is_read_each_time(sts: Sts, token: Path) -> None:
    """Kubernetes writes it anew; a bad one is told by the service's own word."""
    provider = sources(sts).oidc(sources(sts).role(ARN), "acs:oidc", str(token))
    provider.get()
    token.write_text("another-canary")
    provider.refresh()
    assert provider.get().key_id == "STS.writer"
    assert "HTTP 400, AuthenticationFail.OIDCToken.Invalid" in provider.warning
    assert "canary" not in provider.warning
    token.write_text(Sts.TOKEN)
    provider.refresh()
    provider.get()
    assert provider.warning == ""


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("", "empty"), ("\xe9", "not a token")]
)
def test_a_token_that_is_none(
    sts: Sts, tmp_path: Path, content: str | None, why: str
) -> None:
    """Nothing is asked with it."""
    path = tmp_path / "none"
    if content is not None:
        path.write_text(content)
    provider = sources(sts).oidc(sources(sts).role(ARN), "acs:oidc", str(path))
    assert why in refusal(provider)
    assert sts.asked == []


def test_the_machine_gives_its_role(metadata: Metadata) -> None:
    """With a token first; the role's name is asked for unless it is known."""
    found = InstanceRole(url=metadata.url).fetch()
    assert (found.key_id, found.source) == ("STS.node", "instance role node")
    assert [method for method, _ in metadata.asked] == ["PUT", "GET", "GET"]
    assert InstanceRole("node", url=metadata.url, token_only=True).fetch() == found
    assert len(metadata.asked) == 5


def test_an_old_metadata_service_is_used_unless_that_is_forbidden() -> None:
    """It answers without a token, to whoever makes the machine ask."""
    with serving(Metadata(old=True)) as old:
        assert InstanceRole(url=old.url).fetch().key_id == "STS.node"
        allowed = sources(None, Metadata(), ALIBABA_CLOUD_IMDSV1_DISABLED="TRUE")
        allowed._metadata_url = old.url
        assert "instance role: HTTP 404" in refusal(allowed.instance())


def test_a_machine_without_a_role_says_so() -> None:
    """And is not asked again with each request: others may wait behind it."""
    with serving(Metadata(role="")) as bare:
        provider = sources(None, Metadata()).instance()
        provider._fetch.__self__._url = bare.url  # type: ignore[attr-defined]
        assert "instance role: HTTP 404" in refusal(provider)
        asked = len(bare.asked)
        assert "instance role: HTTP 404" in refusal(provider)
        assert len(bare.asked) == asked
        provider.refresh()
        refusal(provider)
        assert len(bare.asked) == 2 * asked


def test_nobody_at_the_address_is_a_reason() -> None:
    """As off ECS."""
    assert "no answer (ConnectionRefusedError)" in refusal(sources().instance("node"))


PROFILES: dict[str, dict[str, object]] = {
    "keys": {
        "mode": "AK",
        "access_key_id": "LTAIbase",
        "access_key_secret": "base-secret",
    },
    "sts": {
        "mode": "StsToken",
        "access_key_id": "STS.x",
        "access_key_secret": "s",
        "sts_token": "t",
    },
    "ram": {
        "mode": "RamRoleArn",
        "access_key_id": "LTAIbase",
        "access_key_secret": "base-secret",
        "ram_role_arn": ARN,
        "ram_session_name": "session",
        "expired_seconds": 900,
    },
    "chain": {
        "mode": "ChainableRamRoleArn",
        "source_profile": "ram",
        "ram_role_arn": "acs:ram::456:role/reader",
    },
    "node": {"mode": "EcsRamRole", "ram_role_name": "node"},
    "bad": {
        "mode": "RamRoleArn",
        "access_key_id": "LTAIbase",
        "access_key_secret": "wrong-canary",
        "ram_role_arn": ARN,
    },
    "circle": {
        "mode": "ChainableRamRoleArn",
        "source_profile": "circle",
        "ram_role_arn": ARN,
    },
    "person": {"mode": "CloudSSO"},
    "empty": {"mode": "OIDC"},
    "uri": {"mode": "CredentialsURI", "credentials_uri": "ftp://canary"},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / ".aliyun" / "config.json"
    path.parent.mkdir()
    profiles = [{"name": name, **fields} for name, fields in PROFILES.items()]
    path.write_text(json.dumps({"current": "keys", "profiles": profiles}))
    path.chmod(0o600)
    return path


def test_profiles_of_the_cli(config: Path, sts: Sts, metadata: Metadata) -> None:
    """Each mode gives the keys it is for."""
    some = sources(sts, metadata)
    found = {
        name: CliProfile(config, some, profile=name).get().key_id
        for name in ("", "sts", "ram", "chain", "node")
    }
    assert found == {
        "": "LTAIbase",
        "sts": "STS.x",
        "ram": "STS.writer",
        "chain": "STS.reader",
        "node": "STS.node",
    }


@pytest.mark.parametrize("profile", ["ram", "chain"])
def test_keys_outlive_a_change_that_does_not_concern_them(
    config: Path, profile: str
) -> None:
    """The CLI writes its file often; with STS away a role's keys could not be replaced."""
    with serving(Sts()) as sts:
        some = sources(sts)  # type: ignore[arg-type]
        provider = CliProfile(config, some, profile=profile)
        held = provider.get()
    written = json.loads(config.read_text())
    written["current"] = "node"
    written["profiles"].append({"name": "new", "mode": "CloudSSO"})
    config.write_text(json.dumps(written, indent=1))
    assert provider.get() == held
    assert provider.warning == ""


@pytest.mark.parametrize("changed", ["bad", "ram"])
def test_another_role_is_not_answered_with_the_keys_of_the_one_before(
    config: Path, sts: Sts, changed: str
) -> None:
    """Also where only the profile changed that the role is taken with."""
    provider = CliProfile(config, sources(sts), profile="chain")
    assert provider.get().key_id == "STS.reader"
    written = json.loads(config.read_text())
    for profile in written["profiles"]:
        if profile["name"] == "chain":
            profile["source_profile"] = changed
        if profile["name"] == "ram":
            profile["access_key_secret"] = "wrong-canary"
    config.write_text(json.dumps(written))
    assert "SignatureDoesNotMatch" in refusal(provider)


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ("absent", "no such profile: 'absent'; ALIBABA_CLOUD_PROFILE"),
        ("person", "the mode 'CloudSSO', which is not supported; supported are AK, "),
        ("empty", "ram_role_arn is missing"),
        ("uri", "credentials_uri wants http"),
        ("circle", "in a circle"),
        ("bad", "HTTP 400, SignatureDoesNotMatch"),
    ],
)
def test_profiles_that_give_nothing(
    config: Path, sts: Sts, profile: str, why: str
) -> None:
    """The mode and the fix are named; another source is not tried in silence."""
    assert why in refusal(CliProfile(config, sources(sts), profile=profile))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "no profiles"),
        ('{"profiles": 1}', "no profiles"),
        ('{"profiles": []}', "of no profile that it is current; ALIBABA_CLOUD_PROFILE"),
    ],
)
def test_a_file_that_is_no_configuration_of_the_cli(
    config: Path, text: str, why: str
) -> None:
    """By line, not by what stands there."""
    config.write_text(text)
    assert why in refusal(CliProfile(config, sources()))


INI = f"""
[ram]
type = ram_role_arn
access_key_id = LTAIbase
access_key_secret = base-secret
role_arn = {ARN}
role_session_name = s1

[cluster]
type = oidc_role_arn
role_arn = {ARN}
oidc_provider_arn = acs:oidc
oidc_token_file_path = TOKEN

[node]
type = ecs_ram_role
role_name = node

[half]
type = oidc_role_arn
role_arn = {ARN}
"""


def test_an_ini_section_may_name_a_role(
    tmp_path: Path, token: Path, sts: Sts, metadata: Metadata
) -> None:
    """As the vendor's libraries have it."""
    path = tmp_path / "credentials.ini"
    path.write_text(INI.replace("TOKEN", str(token)))
    path.chmod(0o600)

    def of(profile: str) -> Provider:
        return KeyFile(path, profile=profile, sources=sources(sts, metadata))

    found = [of(profile).get().key_id for profile in ("ram", "cluster", "node")]
    assert found == ["STS.writer", "STS.writer", "STS.node"]
    assert "oidc_provider_arn is missing" in refusal(of("half"))
    assert "supported is access_key" in refusal(KeyFile(path, profile="node"))


def test_the_order_is_the_vendors(tmp_path: Path, config: Path, token: Path) -> None:
    """Environment, OIDC, the CLI's profile, ini, the machine, an address."""
    ini = tmp_path / ".alibabacloud" / "credentials.ini"
    ini.parent.mkdir()
    ini.write_text("[default]\naccess_key_id = LTAIini\naccess_key_secret = x\n")
    ini.chmod(0o600)
    environment = {
        "HOME": str(tmp_path),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIenv",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x",
        "ALIBABA_CLOUD_ROLE_ARN": ARN,
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:oidc",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(token),
        "ALIBABA_CLOUD_ECS_METADATA": "node",
        "ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:1/",
    }
    order = []
    for gone in (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ROLE_ARN",
        "ALIBABA_CLOUD_CLI_PROFILE_DISABLED",
        "HOME",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED",
        "",
    ):
        chain = open_provider(environment)
        order.append(type(chain._providers[0]).__name__)
        if gone.endswith("DISABLED"):
            environment[gone] = "true"
        else:
            environment.pop(gone, None)
        environment.pop("ALIBABA_CLOUD_ACCESS_KEY_SECRET", None)
    assert order == [
        *("EnvironmentKeys", "Renewed", "CliProfile", "KeyFile"),
        *("Renewed", "Renewed"),
    ]


def test_an_instance_of_ecs_is_known_by_its_firmware(tmp_path: Path) -> None:
    """Nobody is asked over the network to find out; and it can be switched off."""
    off = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    assert open_provider({}, on_ecs=lambda: True)
    with pytest.raises(ConfigError):
        open_provider(off, on_ecs=lambda: True)
    with pytest.raises(ConfigError):
        open_provider({})


@pytest.mark.parametrize(
    ("environment", "region", "host"),
    [
        ({}, "", "sts.aliyuncs.com"),
        ({}, "cn-beijing", "sts.cn-beijing.aliyuncs.com"),
        (
            {"ALIBABA_CLOUD_STS_REGION": "cn-hangzhou"},
            "",
            "sts.cn-hangzhou.aliyuncs.com",
        ),
        (
            {
                "ALIBABA_CLOUD_STS_REGION": "cn-hangzhou",
                "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true",
            },
            "",
            "sts-vpc.cn-hangzhou.aliyuncs.com",
        ),
        ({"ALIBABA_CLOUD_STS_ENDPOINT": "sts.example"}, "cn-beijing", "sts.example"),
    ],
)
def test_where_sts_is(environment: dict[str, str], region: str, host: str) -> None:
    """The endpoint that somebody named goes before all else; always by https."""
    found = sources(None, None, **environment)._sts(region).endpoint
    assert (found.scheme, found.host) == ("https", host)


def test_an_endpoint_that_is_none_is_a_wrong_setting() -> None:
    """Plain http is for loopback."""
    with pytest.raises(ConfigError, match="loopback"):
        sources(None, None, ALIBABA_CLOUD_STS_ENDPOINT="http://sts.example")
    assert roles.is_true("True ")
