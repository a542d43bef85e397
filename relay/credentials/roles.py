"""Makes the sources that files and the environment name: roles, addresses, plain keys.

Which of them is used, and in which order they are asked, is not decided here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from relay.cloudmonitor.credentials import Provider
from relay.cloudmonitor.exchange import Endpoint, endpoint_at
from relay.credentials.metadata import METADATA_URL, InstanceRole
from relay.credentials.renewed import Renewed
from relay.credentials.sts import OidcRole, Role, Sts, SwitchedRole
from relay.credentials.uri import KeysAtUri

__all__ = ["SESSION_VARIABLE", "Sources", "is_true"]

STS_ENDPOINT_VARIABLE: Final = "ALIBABA_CLOUD_STS_ENDPOINT"
STS_REGION_VARIABLE: Final = "ALIBABA_CLOUD_STS_REGION"
STS_VPC_VARIABLE: Final = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"
IMDSV1_VARIABLE: Final = "ALIBABA_CLOUD_IMDSV1_DISABLED"
INSTANCE_PAUSE_SECONDS: Final = 20.0

SESSION_VARIABLE: Final = "ALIBABA_CLOUD_ROLE_SESSION_NAME"


class Sources:
    """``wall`` gives Unix seconds, ``nonce`` fresh text; ``environment`` has the vendor's
    variables. Raises ConfigError for an STS endpoint that is none."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        wall: Callable[[], float],
        nonce: Callable[[], str],
        proxies: bool = True,
        metadata_url: str = METADATA_URL,
    ) -> None:
        self._wall, self._nonce, self._proxies = wall, nonce, proxies
        self._environment, self._metadata_url = environment, metadata_url
        self._session = environment.get(SESSION_VARIABLE, "").strip() or "cms-relay"
        self._named_endpoint = environment.get(STS_ENDPOINT_VARIABLE, "").strip()
        self._sts("")

    def role(self, arn: str, session: str = "", **more: str | int) -> Role:
        """With the session's name of the environment where there is no other."""
        given = {key: value for key, value in more.items() if value}
        return Role(arn, session or self._session, **given)  # type: ignore[arg-type]

    def oidc(
        self, role: Role, provider_arn: str, token_file: str, region: str = ""
    ) -> Provider:
        """RRSA: a token that the cluster puts into a file."""
        fetch = OidcRole(self._sts(region), role, provider_arn, Path(token_file)).fetch
        return Renewed(fetch, self._wall)

    def switched(self, role: Role, base: Provider, region: str = "") -> Provider:
        """A role, with other keys."""
        return Renewed(SwitchedRole(self._sts(region), role, base).fetch, self._wall)

    def instance(self, role: str = "") -> Provider:
        """The role of the machine."""
        token_only = is_true(self._environment.get(IMDSV1_VARIABLE, ""))
        url = self._metadata_url
        fetch = InstanceRole(role, url=url, token_only=token_only).fetch
        # Others may wait behind it, and off ECS it takes seconds to find out.
        return Renewed(fetch, self._wall, pause=INSTANCE_PAUSE_SECONDS)

    def uri(self, uri: str) -> Provider:
        """Keys at an address. Raises ConfigError where it is none."""
        return Renewed(KeysAtUri(uri).fetch, self._wall)

    def _sts(self, region: str) -> Sts:
        """Source: section 7.2 of the vendor's facts."""
        region = region or self._environment.get(STS_REGION_VARIABLE, "").strip()
        if self._named_endpoint:
            named = self._named_endpoint
            endpoint = endpoint_at(named if "//" in named else f"https://{named}")
        elif region:
            is_vpc = is_true(self._environment.get(STS_VPC_VARIABLE, ""))
            label = "sts-vpc" if is_vpc else "sts"
            endpoint = Endpoint("https", f"{label}.{region}.aliyuncs.com")
        else:
            endpoint = Endpoint("https", "sts.aliyuncs.com")
        return Sts(endpoint, self._wall, self._nonce, self._proxies)


def is_true(text: str) -> bool:
    """As the vendor's libraries read a switch."""
    return text.strip().lower() in ("true", "1")
