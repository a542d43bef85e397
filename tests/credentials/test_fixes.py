"""What mends a source: named with the reason, for everything that a service may say."""

from pathlib import Path

import pytest

from relay.cloudmonitor.answers import hint_for
from relay.cloudmonitor.credentials import CredentialsUnavailable
from relay.credentials import fixes
from relay.credentials.fixes import metadata_fix, sts_fix, uri_fix
from relay.credentials.roles import Sources
from tests.credentials.lookalikes import Metadata, Sts, serving

ARN = "acs:ram::123:role/writer"


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AuthenticationFail.OIDCToken.Expired", "a projected volume"),
        ("AuthenticationFail.OIDCToken.AudienceNotMatch", "audience sts.aliyuncs.com"),
        ("AuthenticationFail.OIDCToken.IssuerNotMatch", "enable RRSA"),
        ("AuthenticationFail.OIDCToken.IssuerConfigurationBroken", "enable RRSA"),
        ("AuthenticationFail.OIDCToken.Invalid", "OIDC provider that RAM knows"),
        ("AuthenticationFail.NoPermission", "trust policy"),
        ("EntityNotExist.Role", "correct its ARN"),
        ("NoPermission", "sts:AssumeRole"),
        ("InvalidTimeStamp.Expired", "clock"),
    ],
)
def test_every_refusal_of_sts_has_its_fix(code: str, fix: str) -> None:
    """Those of its document, and those of the gateway that it shares."""
    assert fix in sts_fix(400, code)


def test_the_gateway_has_a_fix_for_what_is_said_of_keys() -> None:
    """A row that it no longer knows would leave people without."""
    for code in (
        *("SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound"),
        *("InvalidSecurityToken.Expired", "InvalidTimeStamp.Expired"),
        "IllegalTimestamp",
    ):
        assert sts_fix(400, code) == hint_for(code) != ""


def test_no_fix_is_one_for_another_service() -> None:
    """The rate of CloudMonitor has nothing to do with that of STS."""
    assert "requests-per-second" not in sts_fix(400, "Throttling.User")
    assert "cms" not in sts_fix(403, "NoPermission")


def test_what_nobody_knows_has_no_fix() -> None:
    """Nothing is better than a guess."""
    assert sts_fix(500, "Odd") == sts_fix(503, "") == metadata_fix(500, "") == ""


@pytest.mark.parametrize("fix", [sts_fix, metadata_fix, uri_fix])
def test_silence_has_a_fix(fix: fixes.Fix) -> None:
    """It is what a wrong network looks like."""
    assert fix(0, "")


def test_a_reason_carries_source_and_fix(tmp_path: Path) -> None:
    """Whatever it is that is wrong with a role."""
    token = tmp_path / "token"
    token.write_text("wrong")
    with serving(Sts()) as sts, serving(Metadata(role="")) as bare:
        some = Sources(
            {"ALIBABA_CLOUD_STS_ENDPOINT": sts.url},
            wall=lambda: 1_767_323_045.0,
            nonce=lambda: "a-nonce",
            proxies=False,
            metadata_url=bare.url,
        )
        role = some.role(ARN)
        for provider, source, fix in (
            (
                some.oidc(role, "acs:oidc", str(token)),
                f"OIDC role {ARN}: ",
                "RAM knows",
            ),
            (some.oidc(role, "acs:oidc", "/nowhere"), f"OIDC role {ARN}: ", "mount"),
            (some.instance(), "instance role: ", "bind a RAM role"),
        ):
            with pytest.raises(CredentialsUnavailable) as caught:
                provider.get()
            assert caught.value.reason.startswith(source)
            assert fix in caught.value.reason.partition(" (fix: ")[2]
